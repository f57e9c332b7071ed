"""Every statement that reads resources carries the decision; what pages and totals tell, too."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

import hygie
from hygie.kernel.errors import Forbidden, InvalidRequest
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.history import Scope
from hygie.kernel.store.search.plan import Plan
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.search.sql import Known
from hygie.kernel.store.tests.conftest import encode, professional_caller, put
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

_READS = re.compile(
    r"\b(?:FROM|JOIN)\s+(?:hygie\.)?(?:resource|resource_history|s_string|s_date|s_number|\{table\})\b"
)
DECIDED = {
    "kernel/store/compartments.py",
    "kernel/store/history.py",
    "kernel/store/locking.py",
    "kernel/store/people.py",
    "kernel/store/reading.py",
    "kernel/store/search/includes.py",
    "kernel/store/search/plan.py",
}
"""Answer callers: each of their statements carries the decision, or the rules with the callers."""
CLAUSES = {
    "kernel/store/search/ordered.py",
    "kernel/store/search/sort.py",
    "kernel/store/search/strings.py",
}
"""Print conditions and sort keys on a row ``r`` that a decided statement has chosen."""
WITHOUT = {
    "kernel/store/attaching.py": "labels that a reference would move, which answer nobody",
    "kernel/store/comparing.py": "the identity queue, for who may identify; every look is traced",
    "kernel/store/detaching.py": "labels that a change would take away, which answer nobody",
    "kernel/store/exporting.py": "the local operator's export of everything",
    "kernel/store/identifying.py": "the right identify, which answers identity alone",
    "kernel/store/likeness.py": "names of the directory, which is open; the ids are searched again",
    "kernel/store/loading/copying.py": "the local operator's load",
    "kernel/store/purging.py": "a named job of the local operator, which answers counts",
    "kernel/store/reindexing.py": "a named job of the local operator, which answers counts",
    "kernel/store/scoping.py": "what was decided already, within the scopes of an application",
    "kernel/store/relabelling.py": "labels left on what the caller reads, for the decision to lift",
    "kernel/store/spreading.py": "labels on their way, which answer nobody",
    "kernel/store/versions.py": "versions being written, after the decision",
    "kernel/store/writing.py": "what a permitted change replaces, for the guard, never answered",
    "kernel/subscriptions/feed.py": "places of versions: whoever gets a body reads it as a caller",
    "domains/consent/service/facts.py": "what the rules judge, for the page that explains them",
    "domains/consent/service/notices.py": "whom to tell, never what is written",
    "domains/oversight/service/daily.py": "what a review is about, never what is written",
    "domains/oversight/service/gathering.py": "what explains an access, never what is written",
    "domains/oversight/service/rows.py": "what a review is about, never what is written",
    "domains/rights/service/controllers.py": "counts by year",
    "domains/rights/service/prepared.py": "whether a copy holds more than its asker may read now",
}
"""Read without a decision, and why that is right."""


def test_no_statement_reads_resources_beside_the_decision() -> None:
    root = Path(hygie.__file__).parent
    found = {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in root.rglob("*.py")
        if "tests" not in path.parts and "testing" not in path.parts
    }
    reading = {name for name, text in found.items() if _READS.search(text)}
    assert reading <= DECIDED | CLAUSES | WITHOUT.keys()
    for name in DECIDED:
        assert re.search(r"decision\.predicate|grouped_rule_name", found[name]), name


def test_a_plan_cannot_be_made_without_a_decision() -> None:
    query = read_query("Observation", [])
    with pytest.raises(TypeError, match="decision"):
        Plan(query=query, known=Known(now=None, site=None))  # type: ignore[arg-type, call-arg]


@pytest.fixture(scope="module")
async def repository(database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(database.settings, law=LAW)
    for rid in ("p", "q"):
        await put(opened, {"resourceType": "Patient", "id": rid})
    for doctor, patient in (("doc", "p"), ("colleague", "p"), ("other", "q")):
        team: dict[str, object] = {
            "resourceType": "CareTeam",
            "id": f"team-{doctor}",
            "subject": {"reference": f"Patient/{patient}"},
            "participant": [{"member": {"reference": f"Practitioner/{doctor}"}}],
        }
        await put(opened, team)
    for number in range(6):
        await put(opened, condition(f"c{number}", "p", f"2026-01-0{number + 1}"))
    yield opened
    await opened.database.close()


def condition(rid: str, patient: str, on: str) -> dict[str, object]:
    return {
        "resourceType": "Condition",
        "id": rid,
        "subject": {"reference": f"Patient/{patient}"},
        "onsetDateTime": on,
    }


async def link(repository: Repository, caller: Caller) -> str:
    pairs = [("_count", "2"), ("_sort", "onset-date")]
    found = await repository.search(caller, "Condition", pairs)
    return dict(parse_qsl(found.next or ""))["_cursor"]


async def test_a_paging_link_tells_nothing(repository: Repository) -> None:
    doctor = await professional_caller(repository, "doc")
    sealed = await link(repository, doctor)
    raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    assert b"2026-01" not in raw
    assert await link(repository, doctor) == sealed


async def test_a_paging_link_is_followed_by_its_own_caller_and_search_alone(
    repository: Repository,
) -> None:
    doctor = await professional_caller(repository, "doc")
    colleague = await professional_caller(repository, "colleague")
    sealed = await link(repository, doctor)
    same = [("_count", "2"), ("_sort", "onset-date"), ("_cursor", sealed)]
    found = await repository.search(doctor, "Condition", same)
    assert [entry.stored.rid for entry in found.entries] == ["c2", "c3"]
    for caller, pairs in (
        (colleague, same),
        (SYSTEM, same),
        (doctor, [("_count", "3"), *same[1:]]),
        (doctor, [*same, ("code", "x")]),
    ):
        with pytest.raises(InvalidRequest, match="paging link"):
            await repository.search(caller, "Condition", pairs)


async def test_a_history_goes_on_for_its_own_caller_alone(repository: Repository) -> None:
    doctor = await professional_caller(repository, "doc")
    colleague = await professional_caller(repository, "colleague")
    page = await repository.history(doctor, Scope("Condition", count=2))
    before = dict(parse_qsl(page.next or ""))["_before"]
    after = await repository.history(doctor, Scope("Condition", count=2, before=before))
    assert [entry.stored.rid for entry in after.entries] == ["c3", "c2"]
    for caller, scope in (
        (colleague, Scope("Condition", before=before)),
        (doctor, Scope("Patient", before=before)),
        (doctor, Scope("Condition", before="8-8")),
    ):
        with pytest.raises(InvalidRequest, match="paging link"):
            await repository.history(caller, scope)


async def test_an_estimate_is_for_the_operator_alone(repository: Repository) -> None:
    doctor = await professional_caller(repository, "doc")
    with pytest.raises(Forbidden, match="_total=estimate"):
        await repository.search(doctor, "Condition", [("_total", "estimate")])
    assert (await repository.search(SYSTEM, "Condition", [("_total", "estimate")])).total == 6


async def test_a_hidden_match_counts_like_none_for_a_conditional_write(
    repository: Repository,
) -> None:
    other = await professional_caller(repository, "other")
    mine = condition("unused", "q", "2026-02-01")
    del mine["id"]
    criteria = [("onset-date", "2026-01-01")]
    assert await repository.delete_where(other, "Condition", criteria=criteria) is None
    written = await repository.create(
        other, "Condition", encode(mine), if_none_exist="onset-date=2026-01-01"
    )
    assert written.created
    again = await repository.create(
        other, "Condition", encode(mine), if_none_exist="onset-date=2026-02-01"
    )
    assert not again.created
