"""Random cases: the same facts as a number for the tables and as objects for the platform."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hygie.kernel.security import matters as data
from hygie.kernel.security.caller import Caller, Duty, Kind, Right
from hygie.kernel.security.clauses import Subject
from hygie.kernel.security.labels import Label
from hygie.kernel.security.relations import Relation
from hygie.testing.proof.facts import BIT, OWN, PRINCIPAL, PURPOSES, RECORD, bits

KINDS = {
    Kind.SYSTEM: "operator",
    Kind.JOB: "job",
    Kind.PATIENT: "person",
    Kind.PROFESSIONAL: "professional",
    Kind.ADMINISTRATOR: "administrator",
    Kind.RESEARCHER: "researcher",
}
OFTEN = [*[Kind.PROFESSIONAL] * 12, *[Kind.PATIENT] * 6, Kind.SYSTEM, *[Kind.JOB] * 2,
         Kind.ADMINISTRATOR, Kind.RESEARCHER]  # fmt: skip
PATIENT, READER, SOMEBODY = 7, 8, 9
"""Party numbers of the patient, of a reader who is somebody else, and of another author."""
_NAMED = {
    "CHOICES": ("choice", "decision"),
    "CARE_TEAM": ("choice",),
    "EMERGENCY_DECLARATION": ("emergency_declaration",),
}
_LABELS = (
    ("masked", Label.MASKED_FROM_PROFESSIONALS),
    ("very_restricted", Label.VERY_RESTRICTED),
    ("unannounced", Label.HIDDEN_FROM_PATIENT),
    ("hidden_from_representatives", Label.HIDDEN_FROM_REPRESENTATIVES),
    ("restricted_r", Label.RESTRICTED),
    ("withdrawn", Label.WITHDRAWN),
)
_RELATIONS = tuple(
    (BIT[name], Relation[name.upper()].bit) for name in (*OWN, *RECORD)
) + tuple(
    (BIT[name], Relation[name.removeprefix("principal_").upper()].principal_bit)
    for name in PRINCIPAL
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One question: ``facts`` for the tables, ``caller`` and ``subject`` for the platform."""

    facts: int
    caller: Caller
    subject: Subject


@dataclass(frozen=True, slots=True)
class _Reader:
    facts: int
    caller: Caller
    readable: frozenset[int]


def matter_facts(number: int) -> int:
    """Return the facts that the data files state of a matter."""
    one = data.MATTERS.get(number)
    names = [] if one is None else [
        name for name in ("administrative", "billing", "personal") if getattr(one, name)
    ]  # fmt: skip
    return bits(*names, *_NAMED.get(one.code if one else "", ()))


class Cases:
    """Draws cases from one seed; the same seed draws the same cases."""

    def __init__(self, seed: int, *, readers: int = 600) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - test data
        self._numbers = self._drawn_matters()
        self._matter_facts = [matter_facts(number) for number in range(256)]
        self._readers = [self._reader() for _ in range(readers)]
        self._labels = [_label(value) for value in range(1 << len(_LABELS))]

    def draw(self, count: int) -> Iterator[Case]:
        """Yield cases."""
        chance, random_bits = self._chance.random, self._chance.getrandbits
        readers, labels, numbers = self._readers, self._labels, self._numbers
        wide = len(_LABELS)
        for _ in range(count):
            reader = readers[int(chance() * len(readers))]
            label_facts, label = labels[random_bits(wide) & random_bits(wide)]
            number = numbers[int(chance() * len(numbers))]
            facts = reader.facts | label_facts | self._matter_facts[number]
            if number in reader.readable:
                facts |= _IN_MATRIX
            author = SOMEBODY
            if reader.caller.party and chance() < 0.3:  # noqa: PLR2004
                author = reader.caller.party
                facts |= _AUTHOR
            if chance() < 0.04:  # noqa: PLR2004 - of no patient
                directory = chance() < 0.5  # noqa: PLR2004
                more = _DIRECTORY if directory else 0
                facts = (facts | more) & ~_SELF
                yield Case(facts, reader.caller, Subject(None, directory, 0, label, number, author))
                continue
            told, own = self._relations()
            subject = Subject(PATIENT, False, own, label, number, author)  # noqa: FBT003
            yield Case(facts | told, reader.caller, subject)

    def _relations(self) -> tuple[int, int]:
        """Return relations as facts and as the bits the platform reads."""
        dense = self._chance.getrandbits(len(_RELATIONS))
        kept = dense & self._chance.getrandbits(len(_RELATIONS))
        kept &= self._chance.getrandbits(len(_RELATIONS)) if self._chance.random() < 0.5 else -1  # noqa: PLR2004
        facts = own = 0
        while kept:
            low = kept & -kept
            kept ^= low
            fact, bit = _RELATIONS[low.bit_length() - 1]
            facts, own = facts | fact, own | bit
        return facts, own

    def _reader(self) -> _Reader:
        chance = self._chance
        kind = chance.choice(OFTEN)
        purpose = chance.choice([*["TREAT"] * 8, "ETREAT", "HPAYMT", "HPAYMT", *PURPOSES])
        rights = frozenset(right for right in Right if chance.random() < 0.12)  # noqa: PLR2004
        duties = frozenset(duty for duty in Duty if chance.random() < 0.4)  # noqa: PLR2004
        readable = frozenset(number for number in range(256) if chance.random() < 0.6)  # noqa: PLR2004
        own = kind in (Kind.PATIENT, Kind.PROFESSIONAL) and chance.random() < 0.3  # noqa: PLR2004
        known = kind in (Kind.PATIENT, Kind.PROFESSIONAL)
        party = PATIENT if own else READER if known else 0
        caller = Caller(
            kind, party, "somebody", purpose=purpose, rights=rights,
            level=chance.randint(1, 3), matters=data.mask(readable), duties=duties,
        )  # fmt: skip
        facts = bits(f"reader {KINDS[kind]}", f"purpose {purpose}")
        facts |= _SELF if own else 0
        facts |= BIT["right_review"] if Right.REVIEW in rights else 0
        facts |= bits(*(f"duty_{duty.name.lower()}" for duty in duties))
        return _Reader(facts, caller, readable)

    def _drawn_matters(self) -> Sequence[int]:
        """Return numbers in which those that rules name are as frequent as all the others."""
        special = [number for number in data.MATTERS if matter_facts(number)]
        named = [data.BY_CODE[code].number for code in _NAMED] * 30
        return [0] * 5 + [*data.MATTERS] + special * 3 + named


_SELF, _AUTHOR = BIT["self"], BIT["author"]
_DIRECTORY, _IN_MATRIX = BIT["directory"], BIT["in_matrix"]


def _label(value: int) -> tuple[int, int]:
    chosen = [one for place, one in enumerate(_LABELS) if value >> place & 1]
    label = sum(one for _, one in chosen)
    return bits(*(name for name, _ in chosen)), int(label) or int(Label.NORMAL)
