"""Break-glass and Centre 15, to the review of the access, walked in both languages."""

from __future__ import annotations

import asyncio

import pytest

from hygie.testing.invited import Invited, invite
from hygie.testing.walking import Ground, Window

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", ["fr", "en"])
REASON = "Trouvée inanimée : allergies ?"
BANNER = "Accès en urgence ouvert : il reste %(time)s."
OPEN = "Ouvrir le dossier pour %(hours)s heures"
A_WHOLE_SECOND = 1.1
"""A period ends on a whole second: one that lasted less than one is still in it."""


async def _identify(window: Window, person: Invited) -> None:
    await window.open("/professional/")
    await window.follow("Accès en urgence")
    if await window.is_asked_who():
        await window.confirm()
    await window.write("INS", person.ins)
    await window.press("Chercher")
    await window.reads(person.name)


async def _declare(window: Window) -> None:
    await window.choose("La personne est inconsciente")
    await window.write("Motif, en une phrase", REASON)
    await window.write("Où cela se passe-t-il ?", "Urgences de Blois")
    await window.press(OPEN, hours=4)


async def _end(window: Window) -> None:
    await asyncio.sleep(A_WHOLE_SECOND)
    await window.press("Terminer maintenant")
    await window.sees("L’accès en urgence est terminé")


@both
async def test_an_emergency_is_declared_announced_on_every_page_ended_and_told(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    record = f"/professional/record/{person.login}/"
    async with (
        ground.walk("emergency", language) as walk,
        walk.window("dr.lang") as doctor,
        walk.window(person.login) as window,
    ):
        await doctor.open(record)
        await doctor.misses("Arachide")
        await doctor.open("/professional/emergency/")
        await doctor.confirm()
        await doctor.press("Chercher")
        await doctor.sees("Écrivez l’INS, ou tous les traits d’identité.")
        await doctor.write("INS", "299999999999964")
        await doctor.press("Chercher")
        await _identify(doctor, person)
        await doctor.press(OPEN, hours=4)
        await doctor.sees("Écrivez pourquoi les soins ne peuvent pas attendre.")
        await _declare(doctor)
        await doctor.reads("Arachide")
        banner = doctor.say(BANNER, time="…").partition("…")[0].strip()
        for address in ("/professional/patients/", f"{record}timeline/"):
            await doctor.open(address)
            await doctor.reads(banner)
        await doctor.follow("Ouvrir le dossier")
        await _end(doctor)
        await doctor.misses(banner)
        await doctor.open(record)
        await doctor.misses("Arachide")
        await window.open("/patient/")
        await window.reads("Dr Zoé LANG")
        await window.follow_first("Voir les accès")
        await window.reads(REASON)


@both
async def test_centre_15_opens_a_record_and_a_refusal_opens_nothing(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with (
        ground.walk("centre 15", language) as walk,
        walk.window("dr.roche") as doctor,
        walk.window(person.login) as window,
    ):
        await _identify(doctor, person)
        await doctor.choose("Régulation d’un appel au 15")
        await _declare(doctor)
        await doctor.reads("Arachide")
        await _end(doctor)
        await window.open(f"/patient/consent/{person.login}/choices/")
        await window.follow("Refuser", of=window.say("l’accès du Centre 15"))
        await window.confirm()
        await window.press("Refuser l’accès du Centre 15")
        await _identify(doctor, person)
        await doctor.choose("Régulation d’un appel au 15")
        await _declare(doctor)
        await doctor.sees("Ce dossier ne s’ouvre pas en urgence")
        await doctor.misses("Arachide")
        await doctor.open("/professional/")
        await doctor.misses(doctor.say("Terminer maintenant"))
        await window.follow("Permettre", of=window.say("l’accès du Centre 15"))
        await window.press("Permettre l’accès du Centre 15")
        await doctor.open(f"/professional/record/{person.login}/")
        await doctor.reads("Arachide")
        await _end(doctor)
        await window.open(f"/patient/consent/{person.login}/accesses/")
        await window.sees("Centre 15")
