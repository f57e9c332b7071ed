"""What the token of a professional says: who, which professions, where (Pro Santé Connect).

The keys nested in ``SubjectRefPro`` are to confirm with the contract; they stand here and nowhere
else. A national number is compared whole and never taken apart (CI-SIS, identifiers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hygie.kernel.errors import Forbidden
from hygie.kernel.security.dated import DatedTable, load

_LONGEST = 200
_MOST = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A structure where somebody practises, by the numbers the token gives; any may be empty."""

    finess: str = ""
    siret: str = ""
    structure: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One profession (TRE_G15) in one place, or in none; the unit that a person chooses."""

    profession: str
    specialty: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Professional:
    """A professional as the token names them; no exercise at all means struck off."""

    national_id: str
    rpps: str
    family: str
    given: str
    exercises: tuple[Exercise, ...]
    regulates: bool


def professional_of(claims: Mapping[str, Any]) -> Professional:
    """Return what the claims say.

    Absent professional data is not the same as an empty list of exercises: the first is a fault of
    the provider and changes nothing, the second ends every role.

    Raises:
        Forbidden: the claims name nobody, or carry no professional data.
    """
    national_id = _text(claims.get("SubjectNameID"))
    reference = claims.get("SubjectRefPro")
    listed = reference.get("exercices") if isinstance(reference, Mapping) else None
    if not national_id or not isinstance(listed, list):
        raise Forbidden("The identity provider did not give your professional data.")
    return Professional(
        national_id=national_id,
        rpps=_rpps(claims.get("otherIds")),
        family=_text(claims.get("family_name")),
        given=_text(claims.get("given_name")),
        exercises=tuple(dict.fromkeys(_exercises(listed[:_MOST]))),
        regulates=_text(claims.get("AccesRegulationMedicale")).lower() == "true",
    )


def _rpps(others: object) -> str:
    for one in others if isinstance(others, list) else ():
        if isinstance(one, Mapping) and one.get("origine") == "RPPS":
            return _text(one.get("identifiant"))
    return ""


def _exercises(listed: Sequence[object]) -> list[Exercise]:
    found = []
    for one in listed:
        if not isinstance(one, Mapping) or not _text(one.get("codeProfession")):
            continue
        profession = _text(one.get("codeProfession"))
        specialty = _text(one.get("codeSavoirFaire"))
        activities = one.get("activities")
        places = [_place(each) for each in activities] if isinstance(activities, list) else []
        found += [Exercise(profession, specialty, place) for place in places or [None]]
    return found


def _place(activity: object) -> Place | None:
    if not isinstance(activity, Mapping):
        return None
    place = Place(
        finess=_text(activity.get("numeroFinessSite")),
        siret=_text(activity.get("numeroSiretSite")),
        structure=_text(activity.get("identifiantTechniqueDeLaStructure")),
        name=_text(activity.get("raisonSocialeSite")),
    )
    return place if place.finess or place.siret or place.structure else None


def _text(value: object) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""


def profession_label(code: str, language: str) -> str:
    """Return the name of a profession of TRE_G15 in ``fr`` or ``en``, its code where unknown.

    >>> profession_label("10", "fr"), profession_label("999", "en")
    ('Médecin', '999')
    """
    return _labels().latest().get((code,), {}).get(language, code)


@cache
def _labels() -> DatedTable[dict[str, str]]:
    return load(
        "hygie.domains.federation",
        "definitions/professions.csv",
        key=("code",),
        make=lambda columns: {"fr": columns["label_fr"], "en": columns["label_en"]},
    )
