"""Parents and protected people: by what document somebody acts for whom, and for how long.

The table ``definitions/measures.csv``: what each measure of the civil code opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

from hygie.domains.helping.model.limits import birthday
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.dated import Columns, DatedTable, load

MAJORITY = 18
"""Years; the rules hold the same in the relation ``minor`` (code civil, article 414)."""


class Stage(StrEnum):
    """Where the recording of a measure stands."""

    ENTERED = "entered"
    """One person saw the document; a second one must."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    ENDED = "ended"


STAGES: dict[Stage, frozenset[Stage]] = {
    Stage.ENTERED: frozenset({Stage.CONFIRMED, Stage.REFUSED}),
    Stage.CONFIRMED: frozenset({Stage.ENDED}),
    Stage.REFUSED: frozenset(),
    Stage.ENDED: frozenset(),
}
"""What may follow what."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of measure.

    Attributes:
        label_fr: its name; ``label_en`` in English.
        acts_as: a code of the code system ``representative``: parent, guardian or helper.
        judged: a decision opens it, with a reference and an end.
        longest_years: how long one decision lasts at most; None where the law gives no length.
        minors: it is about a minor and ends at majority at the latest.
    """

    label_fr: str
    label_en: str
    acts_as: str
    judged: bool
    longest_years: int | None
    minors: bool

    def label(self, language: str) -> str:
        """Return its name in ``fr`` or ``en``."""
        return self.label_fr if language == "fr" else self.label_en


@cache
def measures() -> DatedTable[Measure]:
    """Return the table."""
    return load("hygie.domains.helping", "definitions/measures.csv", key=("measure",), make=_make)


def check_end(measure: str, judged: date | None, ends: date | None, *, at: date) -> None:
    """Check the dates of a measure that is entered.

    Raises:
        InvalidRequest: a judged measure lacks a date, is over, or lasts longer than the law allows.
    """
    held = measures().value(measure, at=at)
    if not held.judged:
        return
    if judged is None or ends is None:
        raise InvalidRequest("Write the date of the decision and the day it ends.")
    if judged > at or ends <= at or ends <= judged:
        raise InvalidRequest("The decision is in the past and its end is to come.")
    if held.longest_years is not None and ends > birthday(judged, held.longest_years):
        raise InvalidRequest(
            f"One such decision lasts {held.longest_years} years at most; check its end."
        )


def check_age(measure: str, born: date | None, ends: date | None, *, at: date) -> None:
    """Check that a measure about a minor names one, and does not outlive the majority.

    Raises:
        InvalidRequest: the person is of age, of an age that nobody knows, or would still be
            represented afterwards.
    """
    if not measures().value(measure, at=at).minors:
        return
    of_age = None if born is None else birthday(born, MAJORITY)
    if of_age is None or of_age <= at:
        raise InvalidRequest("This measure is for a minor, whose date of birth is known.")
    if ends is not None and ends >= of_age:
        raise InvalidRequest("This measure ends the day before the person comes of age.")


def _make(columns: Columns) -> Measure:
    if columns["acts_as"] not in ("parent", "guardian", "helper"):
        raise ValueError(f"{columns['acts_as']!r} is no quality of who acts for somebody")
    years = columns["longest_years"]
    return Measure(
        label_fr=columns["label_fr"],
        label_en=columns["label_en"],
        acts_as=columns["acts_as"],
        judged=columns["judged"] == "yes",
        longest_years=int(years) if years else None,
        minors=columns["minors"] == "yes",
    )
