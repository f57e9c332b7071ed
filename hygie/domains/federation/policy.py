"""From a pivot identity and the store's candidates to a verdict: strict traits only (RNIV).

One exact person whose identity is qualified is linked. Nobody, several, a near match or an
identity that RNIV forbids to trust goes to a human.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from hygie.domains.federation.model.pivot import Pivot
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.security.dated import Columns, DatedTable, load
from hygie.kernel.store.comparing import Candidate, Sought
from hygie.kernel.store.matricule import REALM_SYSTEMS

CORSICA_BEFORE_1976 = "20"
_WHOLE_DATE = len("1959-05-12")


class Trait(enum.StrEnum):
    """A strict trait; the words of the comparison page."""

    FAMILY = "family"
    GIVEN = "given"
    BIRTH_DATE = "birth-date"
    SEX = "sex"
    BIRTH_PLACE = "birth-place"


class Reason(enum.StrEnum):
    """Why a human decides."""

    NOBODY = "nobody"
    SEVERAL = "several"
    NEAR = "near"
    PRESUMED_DATE = "presumed-date"
    NOT_QUALIFIED = "not-qualified"
    UNTRUSTED = "untrusted"
    OTHER_REALM = "other-realm"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person to link, or the reason for asking a human; never both."""

    person: Candidate | None = None
    reason: Reason | None = None


def sought(pivot: Pivot) -> Sought:
    """Return what to look near: a presumed day may be written otherwise in the store.

    RNIV writes an unknown day and month as 31 December, FranceConnect as 1 January.
    """
    born = [pivot.birth_date]
    year = pivot.birth_date[:4]
    if pivot.presumed:
        born += [f"{year}-12-31", f"{year}-01-01", year]
    return Sought(pivot.family, pivot.given, tuple(dict.fromkeys(born)))


def judge(pivot: Pivot, found: Sequence[Candidate], *, realm: str, at: date) -> Verdict:
    """Return who the pivot identity is, or why a human must say."""
    exact = [one for one in found if not differences(pivot, one)]
    if not exact:
        return Verdict(reason=Reason.NEAR if found else Reason.NOBODY)
    if len(exact) > 1:
        return Verdict(reason=Reason.SEVERAL)
    (only,) = exact
    doubt = _doubt(pivot, only, realm=realm, at=at)
    return Verdict(reason=doubt) if doubt else Verdict(only)


def _doubt(pivot: Pivot, one: Candidate, *, realm: str, at: date) -> Reason | None:
    standings = {_standings().holding(at).get((code,), "forbidden") for code in one.statuses}
    if "forbidden" in standings:
        return Reason.UNTRUSTED
    if one.ins and one.ins_system not in REALM_SYSTEMS[realm]:
        return Reason.OTHER_REALM
    if not one.ins or not standings & {"qualified", "qualified-with-ins"}:
        return Reason.NOT_QUALIFIED
    if pivot.presumed and (len(pivot.birth_date) < _WHOLE_DATE or pivot.born_abroad):
        # Of a whole country, many share a name and a presumed day: equal traits prove nobody.
        return Reason.PRESUMED_DATE
    return None


def differences(pivot: Pivot, one: Candidate) -> list[Trait]:
    """Return the strict traits that differ, in their order."""
    same = {
        Trait.FAMILY: fold(pivot.family) == fold(one.family),
        Trait.GIVEN: one.complete and _names(pivot.given) == _names(one.given),
        Trait.BIRTH_DATE: pivot.birth_date == one.birth_date,
        Trait.SEX: pivot.sex == one.sex,
        Trait.BIRTH_PLACE: same_place(pivot.birth_place, one.birth_place),
    }
    return [trait for trait, equal in same.items() if not equal]


def same_place(one: str, other: str) -> bool:
    """Tell whether two INSEE codes name one place of birth; Corsica was 20 until 1976.

    >>> same_place("20004", "2A004"), same_place("2A004", "2B004"), same_place("41018", "41018")
    (True, False, True)
    """
    if not one or not other:
        return False
    old = {code for code in (one, other) if code.startswith(CORSICA_BEFORE_1976)}
    new = {code for code in (one, other) if code[:2] in {"2A", "2B"}}
    return one == other or (bool(old) and bool(new) and one[2:] == other[2:])


def _names(given: Sequence[str]) -> list[str]:
    """Return given names as RNIV compares them: a hyphen is as good as a space."""
    return [word for name in given for word in fold(name).split()]


@cache
def _standings() -> DatedTable[str]:
    return load(
        "hygie.domains.federation", "definitions/reliability.csv", key=("code",), make=_standing
    )


def _standing(columns: Columns) -> str:
    standing = columns["standing"]
    if standing not in {"qualified", "qualified-with-ins", "known", "forbidden"}:
        raise ValueError("a standing is qualified, qualified-with-ins, known or forbidden")
    return standing
