"""The summary: sections that say what is known, what is known to be absent, and what is unknown."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

T = TypeVar("T")


class State(enum.Enum):
    """What a section without current entries means; they are never shown alike."""

    PRESENT = "present"
    """There are entries."""
    NONE_KNOWN = "none-known"
    """Somebody stated that there is none."""
    PARTLY_NONE = "partly-none"
    """Somebody stated that there is none of one kind, such as medicines for allergies."""
    PAST_ONLY = "past-only"
    """The record holds entries, all of them past."""
    UNKNOWN = "unknown"
    """Nobody wrote anything."""


@dataclass(frozen=True, slots=True)
class Section(Generic[T]):
    """One section of the summary. ``complete`` is False when the record holds more."""

    state: State
    entries: tuple[T, ...] = ()
    scope: str = ""
    complete: bool = True


def section(
    entries: Sequence[T], *, absences: Sequence[str] = (), past: bool = False, complete: bool = True
) -> Section[T]:
    """Decide what a section says.

    ``absences`` are the scopes that were stated to be empty: ``all``, ``unknown``, ``medication``,
    ``food`` or ``environment``. An entry always wins over a stated absence, which it contradicts.

    >>> section([], absences=["all"]).state
    <State.NONE_KNOWN: 'none-known'>
    >>> section([]).state
    <State.UNKNOWN: 'unknown'>
    """
    if entries:
        return Section(State.PRESENT, tuple(entries), complete=complete)
    partial = [scope for scope in absences if scope not in {"all", "unknown"}]
    if "all" in absences:
        return Section(State.NONE_KNOWN)
    if partial:
        return Section(State.PARTLY_NONE, scope=partial[0])
    return Section(State.PAST_ONLY if past else State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Person:
    """Who the record is about. ``ins`` is empty when the identity carries none."""

    id: str
    name: str
    birth_date: str
    sex: str
    ins: str
    deceased: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A disease or another lasting fact of health."""

    reference: str
    title: str
    since: str
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Treatment:
    """A medicine that is being taken or prescribed."""

    reference: str
    title: str
    dosage: str
    since: str

    @property
    def is_request(self) -> bool:
        """Tell whether it is a prescription, which the timeline also shows."""
        return self.reference.startswith("MedicationRequest/")


@dataclass(frozen=True, slots=True)
class Allergy:
    """A substance that is not tolerated; ``high`` says that the risk is grave."""

    reference: str
    title: str
    reactions: tuple[str, ...]
    high: bool
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A vaccine that was given; ``antigens`` are those of ``vaccine_codes.csv``."""

    reference: str
    title: str
    day: str
    antigens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Point:
    """One measure: two values for a blood pressure, one otherwise; digits as they are stored.

    ``flag`` is ``high`` or ``low`` when the laboratory said so, else empty.
    """

    day: str
    values: tuple[Decimal, ...]
    reference: str
    flag: str = ""

    @property
    def text(self) -> str:
        """Return the values as they are written: ``132/78``."""
        return "/".join(str(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Measure:
    """The last values of one quantity, oldest first, in one unit."""

    code: str
    label_fr: str
    label_en: str
    plain_fr: str
    plain_en: str
    unit: str
    points: tuple[Point, ...]

    @property
    def last(self) -> Point:
        """Return the newest point."""
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a document; ``size`` in bytes, 0 when it is not told."""

    index: int
    content_type: str
    title: str
    size: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document and its files."""

    reference: str
    title: str
    kind: str
    day: str
    author: str
    attachments: tuple[Attachment, ...]

    @property
    def id(self) -> str:
        """Return the id of the DocumentReference."""
        return self.reference.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is read in thirty seconds."""

    person: Person
    problems: Section[Problem]
    treatments: Section[Treatment]
    allergies: Section[Allergy]
    vaccines: Section[Vaccine]
    measures: tuple[Measure, ...]
    documents: Section[Document]
