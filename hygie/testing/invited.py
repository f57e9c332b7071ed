"""Somebody new for each walk, so that no walk depends on what another one decided."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeVar, cast

import msgspec

from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.testing.factories import allergy, condition, document, patient
from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import HELENE, choice

T = TypeVar("T")
_LABELS: Final = "urn:oid:1.2.250.1.213.1.1.4.13"
_DEPOSITED: Final = {
    "coding": [{"system": "urn:oid:1.2.250.1.213.1.1.4.12", "code": "DOCPAT10"}],
    "text": "Document déposé",
}
_FIRST_INS: Final = 2_900_475_121_000
_numbers = itertools.count(1)
GIVEN: Final = (
    "Ines",
    "Maud",
    "Rose",
    "Jeanne",
    "Alba",
    "Flore",
    "Sonia",
    "Lise",
    "Odile",
    "Wanda",
)
FAMILY: Final = ("Aubry", "Besson", "Carlier", "Delmas", "Faure", "Guérin", "Hamel", "Jolivet")


@dataclass(frozen=True, slots=True)
class Invited:
    """A person with an account: ``login``, also the id of their Patient, ``name`` and INS."""

    login: str
    name: str
    ins: str

    @property
    def reference(self) -> str:
        """Return the reference of their Patient."""
        return f"Patient/{self.login}"


async def invite(site: Site, *, answered: bool = False) -> Invited:
    """Tell a new record and open its account; ``answered`` is whether the team may read it.

    It holds an allergy, a problem, a letter, a result that waits to be announced and a document of
    the person's own; Dr Petit is the care team.
    """
    number = next(_numbers)
    given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
    social = _FIRST_INS + number
    person = Invited(
        f"invited-{number}", f"{given} {family.upper()}", f"{social}{97 - social % 97:02}"
    )
    told = _record(person, given, family) + (
        [choice(person.login, "care-team")] if answered else []
    )
    await on(site, _keep(site, told))
    await asyncio.to_thread(_open_account, person)
    return person


async def on(site: Site, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine where the engine runs."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, site.loop))


def repository(site: Site) -> Repository:
    """Return the repository of a site that runs."""
    return cast("Repository", site.platform.repository)


def _record(person: Invited, given: str, family: str) -> list[dict[str, Any]]:
    me, key = person.reference, person.login
    waiting = {"system": _LABELS, "code": "INVISIBLE_PATIENT"}
    day = "2026-06-18T10:00:00+02:00"
    own = document(me, "Mes notes", day=day)
    return [
        patient(family, given, id=key, birthDate="1990-04-12", ins=person.ins),
        allergy(me, "Arachide", id=f"{key}-peanut"),
        condition(me, "Asthme", id=f"{key}-asthma"),
        document(me, "Lettre de sortie", day=day) | {"id": f"{key}-letter"},
        document(me, "Biopsie", day=day) | {"id": f"{key}-biopsy", "meta": {"security": [waiting]}},
        own | {"id": f"{key}-notes", "type": _DEPOSITED, "author": [{"reference": me}]},
        choice(key, "opening"),
        {
            "resourceType": "CareTeam",
            "id": f"team-of-{key}",
            "status": "active",
            "subject": {"reference": me},
            "participant": [{"member": {"reference": f"Practitioner/{HELENE}"}}],
        },
    ]


async def _keep(site: Site, told: list[dict[str, Any]]) -> None:
    for one in told:
        body = msgspec.json.encode(one)
        await repository(site).update(SYSTEM, one["resourceType"], one["id"], body)


def _open_account(person: Invited) -> None:
    service = import_module("hygie.domains.sign_in.service")
    kinds = import_module("hygie.domains.sign_in.model").Kind
    account = service.NewAccount(
        person.login,
        person.name,
        kinds("patient"),
        person.reference,
        email=f"{person.login}@example.org",
    )
    service.open_accounts([account], password=PASSWORD)
