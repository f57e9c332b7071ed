"""Cases as rows: the same question put to memory is put to the tables of a database.

Each case gets people of its own, so that thousands stand side by side without meeting.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller, Duty, Kind
from hygie.kernel.security.relations import OF_THE_RECORD, Relation
from hygie.testing.proof.cases import Case
from hygie.testing.proof.facts import BIT, OWN, PRINCIPAL, RECORD

FIRST, APART = 1_000_000, 10
"""The number of the first patient, and how far the next case's stands from it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A case among rows: who asks, and the row that is asked for.

    ``relations`` are rows of ``care_relation``: patient (or principal), member, kind.
    """

    case: Case
    caller: Caller
    rt: int
    pat: int | None
    label: int
    author: int
    matter: int
    relations: tuple[tuple[int, int, int], ...]


def place(case: Case, number: int) -> Placed:
    """Return a case with people of its own."""
    patient = FIRST + number * APART
    reader, principal, somebody = patient + 1, patient + 2, patient + 3
    own = bool(case.facts & BIT["self"])
    party = (patient if own else reader) if case.caller.party else 0
    works = case.caller.kind == Kind.PROFESSIONAL
    subject = case.subject
    return Placed(
        case=case,
        caller=replace(
            case.caller,
            party=party,
            reference=f"job/{number}" if case.caller.kind == Kind.JOB else f"case/{number}",
            principals=frozenset({principal} if works else ()),
        ),
        rt=type_number("Organization" if subject.directory else "Observation"),
        pat=None if subject.pat is None else patient,
        label=subject.label,
        author=party if case.facts & BIT["author"] else somebody,
        matter=subject.matter,
        relations=_relations(case, patient, party or reader, principal),
    )


def _relations(
    case: Case, patient: int, reader: int, principal: int
) -> tuple[tuple[int, int, int], ...]:
    held = [(name, reader) for name in OWN] + [(name, OF_THE_RECORD) for name in RECORD]
    rows = [
        (patient, member, int(Relation[name.upper()]))
        for name, member in held
        if case.facts & BIT[name]
    ]
    rows += [
        (patient, principal, int(Relation[name.removeprefix("principal_").upper()]))
        for name in PRINCIPAL
        if case.facts & BIT[name]
    ]
    if case.caller.kind == Kind.PROFESSIONAL:
        rows.append((principal, reader, int(Relation.ACTS_UNDER)))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class RolesOfCases:
    """A matrix in which each case's reader practises a role of its own, ``case:<number>``."""

    readers: Mapping[str, Caller]

    @classmethod
    def of(cls, cases: Sequence[Placed]) -> RolesOfCases:
        """Return the matrix that gives each reader what the case says."""
        return cls(
            {
                role: one.caller
                for number, one in enumerate(cases)
                for role in (f"case:{number}", f"job:{number}")
            }
        )

    def readable(self, roles: Collection[str], at: date) -> bytes:
        """Return the matters of the one role of a reader."""
        del at
        return next((self.readers[role].matters for role in roles), bytes(32))

    def duties(self, roles: Collection[str], at: date) -> frozenset[Duty]:
        """Return the duties of the one role of a reader."""
        del at
        return next((self.readers[role].duties for role in roles), frozenset())
