"""From what somebody typed to the parameters of a FHIR search on roles or listings."""

from __future__ import annotations

from dataclasses import dataclass

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.model.nomenclature import professions, specialties, understood
from hygie.domains.annuaire.model.places import communes, named_by
from hygie.kernel.errors import InvalidRequest

LONGEST = 100
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for; every part may be empty.

    Attributes:
        text: a name, an RPPS or a FINESS number.
        profession: code of TRE_G15.
        specialty: plain words.
        place: a commune, a postal code or an INSEE code.
        after: where the page before ended, as that page said.
    """

    text: str = ""
    profession: str = ""
    specialty: str = ""
    place: str = ""
    after: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is asked: the directory is never listed whole."""
        return not (self.text or self.profession or self.specialty or self.place)


@dataclass(frozen=True, slots=True)
class Understood:
    """How the words were read.

    Attributes:
        specialties: codes of the know-how they name.
        communes: INSEE codes of the communes they name.
        unknown: which of ``specialty`` and ``place`` name nothing.
    """

    specialties: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def specialty_names(self) -> list[str]:
        """Return the names of the know-how."""
        return [specialties()[code].label for code in self.specialties]

    @property
    def commune_names(self) -> list[str]:
        """Return the names of the communes."""
        return sorted({communes()[code].name for code in self.communes})


NOTHING_READ = Understood()
"""How no words are read."""


def read(asked: Asked) -> Understood:
    """Return how the words of a question are read.

    Raises:
        InvalidRequest: a word is too long, or the profession is no code of TRE_G15.
    """
    if any(len(text) > LONGEST for text in (asked.text, asked.specialty, asked.place)):
        raise InvalidRequest(f"Each field takes {LONGEST} characters at most.")
    if asked.profession and asked.profession not in professions("fr"):
        raise InvalidRequest("Choose the profession in the list.")
    skills, places = understood(asked.specialty), named_by(asked.place)
    unknown = [
        name
        for name, text, found in (
            ("specialty", asked.specialty, skills),
            ("place", asked.place, places),
        )
        if text.strip() and not found
    ]
    return Understood(tuple(skills), tuple(places), tuple(unknown))


def role_filters(asked: Asked, words: Understood) -> Pairs:
    """Return the parameters that narrow a search on PractitionerRole."""
    found = [("role", f"{systems.PROFESSIONS}|{asked.profession}")] if asked.profession else []
    return found + _shared(words)


def listing_filters(asked: Asked, words: Understood) -> Pairs:
    """Return the parameters that narrow a search on the public listings."""
    found = [("_tag", f"{systems.LISTING_TAG}|{systems.LISTED}")]
    if asked.profession:
        found.append(("service-type", f"{systems.PROFESSIONS}|{asked.profession}"))
    return found + _shared(words)


def _shared(words: Understood) -> Pairs:
    pairs = (
        ("specialty", systems.SPECIALTIES, words.specialties),
        ("_tag", systems.COMMUNES, words.communes),
    )
    return [
        (name, ",".join(f"{system}|{code}" for code in codes))
        for name, system, codes in pairs
        if codes
    ]
