"""The synthetic people whom the simulators know; outside demonstration nobody is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

FRANCE = "99100"


class Citizen(msgspec.Struct, frozen=True, kw_only=True):
    """A person of FranceConnect and of the e-carte Vitale: the six pivot traits and a used name.

    ``key`` names the person here and is what ``sub`` derives from; ``note_fr`` and ``note_en`` say
    what trying this person shows.
    """

    key: str
    family: str
    given: str
    birth_date: str
    gender: str
    birth_place: str
    birth_country: str = FRANCE
    used: str = ""
    ins: str = ""
    note_fr: str = ""
    note_en: str = ""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """A place of practice, as ``SubjectRefPro`` nests it."""

    finess: str = ""
    siret: str = ""
    structure: str = ""
    name: str = ""
    sector: str = ""


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """A profession that is practised (TRE_G15), its specialty (TRE_R38) and its places."""

    profession: str
    specialty: str = ""
    activities: tuple[Activity, ...] = ()


class Professional(msgspec.Struct, frozen=True, kw_only=True):
    """A person of Pro Santé Connect. No ``exercises`` left means struck off the register."""

    key: str
    family: str
    given: str
    national_id: str
    rpps: str
    exercises: tuple[Exercise, ...] = ()
    regulates: bool = False
    note_fr: str = ""
    note_en: str = ""


class Population(msgspec.Struct, frozen=True):
    """Everybody whom the simulators list."""

    citizens: tuple[Citizen, ...] = ()
    professionals: tuple[Professional, ...] = ()


def read_people(file: Path) -> Population:
    """Return who was written, nobody where nothing was yet."""
    if not file.exists():
        return Population()
    return msgspec.json.decode(file.read_bytes(), type=Population)


def write_people(
    file: Path, citizens: Sequence[Citizen], professionals: Sequence[Professional]
) -> None:
    """Write who the simulators list, all at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(Population(tuple(citizens), tuple(professionals))))
    fresh.rename(file)
