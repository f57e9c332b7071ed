"""Print docs/reference/matrix.md from the dated tables of the consent domain."""

from __future__ import annotations

from collections.abc import Iterable

from docs_markdown import code, codes, page, table

from hygie.domains.consent.model.constants import CONSTANTS
from hygie.domains.consent.model.events import EVENTS
from hygie.domains.consent.model.roles import DUTIES, ROLES
from hygie.domains.consent.model.states import CHANGES
from hygie.domains.consent.policy.identity import PROTECTED
from hygie.domains.consent.policy.matrix import LINES
from hygie.kernel.security.dated import Validity
from hygie.kernel.security.matters import MATTERS, UNKNOWN

READS, NOT = "●", ""
COLUMNS = (
    *("doctor", "pharmacist", "nurse", "midwife", "dentist", "podiatrist", "rehabilitation"),
    *("care-assistant", "psychologist", "social", "secretary"),
)


def matrix_page() -> str:
    """Return the page."""
    return page(
        "Who may read which type of document",
        "The tables are in `hygie/domains/consent/definitions` and "
        "`hygie/kernel/security/definitions`, with the reason of each cautious choice in their "
        "`SOURCE.md`. A profession reads by one line of the matrix, whatever the person "
        "authorised; the matrix opens nothing by itself: a [rule](access.md) must permit too. "
        "`to confirm` marks what was chosen narrow because its text is not in hand.",
        "## The usual professions, by type of document",
        table(("Type", "Wording", "Class", *COLUMNS), _types()),
        "## Every line of the matrix",
        table(("Line", "Documents", "Other matters", "Lacks", "Since", "Mark", "Source"), _lines()),
        "## Roles, and the line each reads by",
        table(("Role", "French", "English", "Line", "Emergency", "Centre 15", "Mark"), _roles()),
        "## What is reserved to some professions",
        "Adding a label and removing it: the rules are in [Who may see and do what](access.md).",
        table(("Duty", "Role", "Since", "Mark", "Source"), _reserved()),
        "## Elements that only identity proofing changes",
        "By the operator, or an account with the right `identify`.",
        table(("Element", "Only", "Since", "Mark", "Source"), _protected()),
        "## Delays, ages and lengths",
        table(("What", "Value", "From", "To", "Mark", "Source"), _constants()),
        "## Events that start and end a membership of the care team",
        table(
            ("Event", "French", "English", "It", "Longest, or left after it", "Who states it"),
            _events(),
        ),
        "## States of a record",
        _states(),
    )


def _reserved() -> Iterable[tuple[str, ...]]:
    labels = ROLES.latest()
    for row in DUTIES.rows:
        duty, role = row.key
        name = f"{code(role)} {labels[role,].label_fr}"
        first, _ = _dates(row.validity)
        mark, source = row.validity.mark, row.validity.source
        yield code(duty), name, first, mark, source


def _protected() -> Iterable[tuple[str, ...]]:
    for row in PROTECTED.rows:
        first, _ = _dates(row.validity)
        mark, source = row.validity.mark, row.validity.source
        yield code(".".join(row.key)), code(row.value) if row.value else "", first, mark, source


def _types() -> Iterable[tuple[str, ...]]:
    read = {name: LINES.latest()[name,].matters() for name in COLUMNS}
    for number, one in MATTERS.items():
        marks = [READS if number in read[name] else NOT for name in COLUMNS]
        yield (code(one.code), one.label_fr, one.document_class, *marks)
    marks = [READS if UNKNOWN in read[name] else NOT for name in COLUMNS]
    yield (code("0"), "Type inconnu", "", *marks)


def _lines() -> Iterable[tuple[str, ...]]:
    documents = {n for n, one in MATTERS.items() if one.document_class != "own"}
    for row in LINES.rows:
        reads = row.value.matters()
        lacks = documents - reads
        few = len(lacks) <= len(documents) // 2
        yield (
            code(row.key[0]),
            f"{len(documents & reads)} of {len(documents)}",
            codes(MATTERS[n].code for n in sorted(reads - documents - {UNKNOWN})),
            codes(MATTERS[n].code for n in sorted(lacks)) if few else f"{len(lacks)} types",
            row.validity.first.isoformat(),
            row.validity.mark,
            row.validity.source,
        )


def _roles() -> Iterable[tuple[str, ...]]:
    for row in ROLES.rows:
        one = row.value
        yield (
            code(row.key[0]),
            one.label_fr,
            one.label_en,
            code(one.line),
            "yes" if one.emergency else "",
            "yes" if one.centre_15 else "",
            row.validity.mark,
        )


def _constants() -> Iterable[tuple[str, ...]]:
    for row in CONSTANTS.rows:
        value, unit = row.value
        amount = value if unit in ("mode", "answer") else f"{value} {unit}"
        yield (
            code(row.key[0]),
            amount,
            *_dates(row.validity),
            row.validity.mark,
            row.validity.source,
        )


def _dates(validity: Validity) -> tuple[str, str]:
    first = "always" if validity.first.year == 1 else validity.first.isoformat()
    return first, "" if validity.last is None else validity.last.isoformat()


def _events() -> Iterable[tuple[str, ...]]:
    for row in EVENTS.rows:
        one = row.value
        days = "no bound" if one.length is None else f"{one.length.days} days"
        part = "starts one" if one.opens else "ends one"
        who = ", ".join(sorted(one.stated_by))
        yield (code(row.key[0]), one.label_fr, one.label_en, part, days, who)


def _states() -> str:
    arrows = [
        f"    {before} --> {after}"
        for before, reached in CHANGES.items()
        for after in sorted(reached)
    ]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```"])
