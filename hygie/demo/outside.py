"""The outside world of a demonstration: simulated identity providers and whom they know.

The named people of the demonstration sign in through the simulators as themselves; a few others
show what happens to somebody who is doubtful or unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from hygie.demo.directory import Directory
from hygie.demo.fhir.directory import FINESS, RPPS, SPECIALTIES
from hygie.demo.named import named_patients, people, reference
from hygie.demo.traits import Person
from hygie.kernel.config import LOOPBACK, Settings
from hygie.testing.simulators import PREFIX, Simulators, described, prepare
from hygie.testing.simulators.people import (
    FRANCE,
    Activity,
    Citizen,
    Exercise,
    Professional,
    read_people,
    write_people,
)
from hygie.testing.simulators.vitale import described_vitale

ADULT = 18
ABROAD = "99"
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared, never bound here
SECOND = Activity(finess="560099997", name="Cabinet de cardiologie du port", sector="SA07")
Json = dict[str, Any]


def with_simulators(settings: Settings) -> Settings:
    """Return the settings of a demonstration, with the simulators where no provider is named."""
    if settings.demo is None or settings.providers is not None:
        return settings
    folder = folder_of(settings)
    prepare(folder)
    file = folder / "providers.toml"
    _write(file, described(folder, base_of(settings), mounted=True), settings.port)
    if settings.cards is not None:
        return replace(settings, providers=file)
    cards = folder / "cards.toml"
    _write(cards, described_vitale(folder, simulator=PREFIX), settings.port)
    return replace(settings, providers=file, cards=cards)


def _write(file: Path, text: str, port: int) -> None:
    if not file.exists() or file.read_text("utf-8") != text:
        fresh = file.with_suffix(f".{port}")
        fresh.write_text(text, "utf-8")
        fresh.rename(file)


def simulators(settings: Settings) -> Simulators | None:
    """Return the simulators of a demonstration, None where real providers are named."""
    folder = folder_of(settings)
    if settings.demo is None or settings.providers != folder / "providers.toml":
        return None
    return Simulators(folder, base_of(settings))


def folder_of(settings: Settings) -> Path:
    """Return where the simulators keep their things."""
    return settings.data / "simulators"


def base_of(settings: Settings) -> str:
    """Return the address by which this machine reaches itself."""
    if settings.tls_certificate is not None:
        return settings.base_url
    local = settings.host in LOOPBACK | EVERYWHERE
    return f"http://{'127.0.0.1' if local else settings.host}:{settings.port}"


def write_outside_people(settings: Settings) -> None:
    """Write whom the simulators list, once the day of the demonstration is known."""
    file = folder_of(settings) / "people.json"
    marker = settings.data / "demonstration.json"
    if settings.demo is None or read_people(file).citizens or not marker.exists():
        return
    today = date.fromisoformat(json.loads(marker.read_text("utf-8"))["today"])
    write_people(file, list(citizens(today)), list(professionals(today)))


def citizens(today: date) -> Iterator[Citizen]:
    """Yield the named adults, somebody whose identity is near another's, and an unknown one."""
    for story, person in zip(people().patients, named_patients(today), strict=True):
        if person.age(today) >= ADULT:
            yield _citizen(story.slug, person)
    first = named_patients(today)[0]
    yield msgspec.structs.replace(
        _citizen("near", first),
        family=f"{first.family}e",
        ins="",
        note_fr="Identité proche d’une autre : une personne doit vérifier.",
        note_en="An identity near another one: somebody must check.",
    )
    yield Citizen(
        key="unknown",
        family="Odyssée",
        given="Ulysse",
        birth_date="1980-02-02",
        gender="male",
        birth_place="",
        birth_country="99126",
        note_fr="Inconnu ici : une personne doit vérifier.",
        note_en="Unknown here: somebody must check.",
    )


def _citizen(key: str, person: Person) -> Citizen:
    abroad = person.born_at.code.startswith(ABROAD)
    return Citizen(
        key=key,
        family=person.family,
        given=" ".join(person.given),
        birth_date=person.birth.isoformat(),
        gender=person.sex,
        birth_place="" if abroad else person.born_at.code,
        birth_country=person.born_at.code if abroad else FRANCE,
        used=person.used or "",
        ins=person.nir,
        note_fr="A un dossier dans la démonstration.",
        note_en="Has a record in the demonstration.",
    )


def professionals(today: date) -> Iterator[Professional]:
    """Yield the named professionals of the register, and one whom nobody here knows."""
    stored = [json.loads(one) for one in Directory(1, 1, today=today).chart.resources]
    by_reference = {f"{one['resourceType']}/{one['id']}": one for one in stored}
    for named in people().professionals:
        who = by_reference[reference("Practitioner", named.slug)]
        yield _professional(named.slug, who, by_reference)
    yield Professional(
        key="unknown",
        family="Inconnue",
        given="Lise",
        national_id="899700000018",
        rpps="99700000018",
        exercises=(Exercise(profession="60"),),
        note_fr="Inconnue ici : elle doit demander un accès.",
        note_en="Unknown here: she must ask for access.",
    )


def _professional(slug: str, who: Json, stored: dict[str, Json]) -> Professional:
    mine = f"Practitioner/{who['id']}"
    roles = [
        one
        for one in stored.values()
        if one["resourceType"] == "PractitionerRole" and one["practitioner"]["reference"] == mine
    ]
    exercises = [_exercise(one, stored[one["organization"]["reference"]]) for one in roles]
    two = slug == "sophie"
    if two:
        exercises.append(msgspec.structs.replace(exercises[0], activities=(SECOND,)))
    rpps = _identifier(who, RPPS)
    name = who["name"][0]
    return Professional(
        key=slug,
        family=name["family"],
        given=" ".join(name["given"]),
        national_id=f"8{rpps}",
        rpps=rpps,
        exercises=tuple(exercises),
        note_fr=f"Numéro national 8{rpps}" + (", deux exercices" if two else ""),
        note_en=f"National number 8{rpps}" + (", two exercises" if two else ""),
    )


def _exercise(role: Json, place: Json) -> Exercise:
    specialties = [
        coding["code"]
        for one in role.get("specialty", [])
        for coding in one["coding"]
        if coding["system"] == SPECIALTIES
    ]
    activity = Activity(finess=_identifier(place, FINESS), name=place["name"])
    return Exercise(
        profession=role["code"][0]["coding"][0]["code"],
        specialty=next(iter(specialties), ""),
        activities=(activity,),
    )


def _identifier(one: Json, system: str) -> str:
    found = (each["value"] for each in one.get("identifier", []) if each["system"] == system)
    return next(found, "")
