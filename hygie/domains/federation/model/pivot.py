"""The pivot identity of a citizen: six claims and nothing else.

Source: FranceConnect partner documentation, scope ``identite_pivot``. E-mail and used name are no
part of it: nobody is ever found, linked or refused by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search.fold import fold

FRANCE = "99100"
ABROAD = "99"
"""How the codes of countries begin (INSEE)."""
_BIRTH = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_PLACE = re.compile(r"(\d{2}|2[AB])\d{3}")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Pivot:
    """Who the provider says somebody is.

    Attributes:
        family: family name of birth.
        given: every given name, in order.
        birth_date: ``YYYY-MM-DD``; what is not known of it is presumed (``01``) or left out.
        sex: ``male`` or ``female``.
        birth_place: INSEE code of the commune, or of the country for who was born abroad.
    """

    family: str
    given: tuple[str, ...]
    birth_date: str
    sex: str
    birth_place: str

    @property
    def presumed(self) -> bool:
        """Tell whether the day may be presumed: the first of January, or an incomplete date."""
        return len(self.birth_date) < len("1959-05-12") or self.birth_date.endswith("-01-01")

    @property
    def born_abroad(self) -> bool:
        """Tell whether the place of birth is a whole country."""
        return self.birth_place.startswith(ABROAD)

    def as_dict(self) -> dict[str, Any]:
        """Return the traits for safe keeping while a human decides."""
        return asdict(self)


def pivot_of(claims: Mapping[str, object]) -> Pivot:
    """Return the pivot identity that claims state.

    >>> born = {"birthdate": "1959-05-12", "gender": "female", "birthplace": "41018"}
    >>> pivot_of({"family_name": "MARTIN", "given_name": "Nora Anne", "birthcountry": "99100",
    ...           **born}).given
    ('Nora', 'Anne')

    Raises:
        InvalidRequest: one of the six claims is missing or cannot be read.
    """
    family, given = _text(claims, "family_name"), _text(claims, "given_name").split()
    birth, sex = _text(claims, "birthdate"), _text(claims, "gender")
    country, place = _text(claims, "birthcountry"), _text(claims, "birthplace", empty=True)
    where = place.upper() if country == FRANCE else country
    readable = (
        fold(family)
        and any(fold(one) for one in given)
        and _BIRTH.fullmatch(birth)
        and sex in {"male", "female"}
        and _PLACE.fullmatch(where)
    )
    if not readable:
        raise InvalidRequest("The provider gave a pivot identity that cannot be read.")
    return Pivot(family, tuple(given), birth, sex, where)


def _text(claims: Mapping[str, object], name: str, *, empty: bool = False) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST or not (empty or value.strip()):
        raise InvalidRequest("The provider did not give the whole pivot identity.")
    return value.strip()
