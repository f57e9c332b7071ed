"""Who may change which confidentiality label: what must never be, over random cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hygie.kernel.security.labels import Label
from hygie.kernel.store.law import Law
from hygie.testing.proof.cases import Cases
from hygie.testing.proof.facts import BIT, named

CASES = 120_000
MASK, ANNOUNCE = Label.MASKED_FROM_PROFESSIONALS, Label.HIDDEN_FROM_PATIENT
SECRECY = Label.HIDDEN_FROM_REPRESENTATIVES
NONE = Label(0)
Facts = Callable[[str], bool]


def most(has: Facts) -> Label:
    """Return the labels that may be changed at most, as the published rules say."""
    if has("reader operator"):
        return Label(0b111111)
    if has("reader job"):
        return ANNOUNCE if has("in_matrix") else NONE
    if has("reader person"):
        return _person(has)
    if has("reader professional"):
        return _professional(has)
    return NONE


def _person(has: Facts) -> Label:
    """The person masks, and keeps a minor's secrets; nobody announces to themself."""
    if has("unannounced"):
        return NONE
    if has("self"):
        return MASK | SECRECY if has("minor") else MASK
    acts = has("guardian") or has("manages") or (has("parent") and has("minor"))
    shut = has("closed") or has("opposed") or has("hidden_from_representatives")
    return MASK if acts and not shut else NONE


def _professional(has: Facts) -> Label:
    shut = any(has(one) for one in ("blocked", "closed", "opposed", "restricted"))
    if shut or not (has("purpose TREAT") or has("purpose ETREAT")):
        return NONE
    if has("author"):
        return Label(0b111111)
    if has("treating"):
        return MASK | ANNOUNCE | SECRECY
    return ANNOUNCE | SECRECY if has("care_team") and has("team_consent") else NONE


@pytest.fixture(scope="module")
def changed(law: Law) -> list[tuple[int, Label]]:
    """Give cases with the labels that the rules let change."""
    relabel, labels = law.policies.relabel, law.policies.relabels
    found = []
    for case in Cases(41).draw(CASES):
        rule = relabel.allowing(case.caller, case.subject)
        found.append((case.facts, labels[rule.name] if rule else NONE))
    return found


def test_nobody_changes_a_label_beyond_the_published_rules(
    changed: list[tuple[int, Label]],
) -> None:
    for facts, labels in changed:
        limit = most(lambda name, facts=facts: bool(facts & BIT[name]))  # type: ignore[misc]
        assert not labels & ~limit, (labels & ~limit, named(facts))


def test_a_professional_changes_the_labels_of_what_they_read_or_wrote(
    changed: list[tuple[int, Label]], law: Law
) -> None:
    """Nobody lifts a mask from what they may not read: the labels would be a way round.

    What is relabelled is what stands now, which is never withdrawn.
    """
    for case, (facts, labels) in zip(Cases(41).draw(CASES), changed, strict=True):
        if facts & BIT["withdrawn"]:
            continue
        if labels and facts & BIT["reader professional"] and not facts & BIT["author"]:
            assert law.policies.read.allowing(case.caller, case.subject), named(facts)


def test_the_cases_change_labels_in_every_quality(changed: list[tuple[int, Label]]) -> None:
    seen = {
        (reader, int(labels))
        for facts, labels in changed
        for reader in ("operator", "job", "person", "professional")
        if labels and facts & BIT[f"reader {reader}"]
    }
    assert len(seen) >= 7
