"""Who can see and who saw, walked with the keyboard in both languages."""

from __future__ import annotations

import pytest

from hygie.testing.invited import Invited, invite
from hygie.testing.walking import Ground, Window

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", ["fr", "en"])
WHY = "Rien à voir avec mes soins."


async def _filter(window: Window, person: Invited) -> None:
    """Filter the accesses by day, by kind and to the emergencies, then show them all again."""
    await window.select("Montrer", "search")
    await window.press("Filtrer")
    await window.reads("Dr Hélène PETIT")
    await window.date("Du", "2026-01-01")
    await window.date("Au", "2026-01-02")
    await window.tick("Urgences seulement")
    await window.press("Filtrer")
    await window.sees("Aucun accès avec ces filtres.")
    await window.follow("Enlever les filtres")
    table = (await window.save("tableau (CSV)")).decode("utf-8-sig")
    assert "Dr Hélène PETIT" in table
    lines = (await window.save("données (FHIR AuditEvent)")).decode()
    assert lines.count('"resourceType":"AuditEvent"') >= 1
    assert person.login in lines


@both
async def test_who_can_see_and_who_saw_the_record_then_an_access_is_reported(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    mine = f"/patient/consent/{person.login}"
    async with (
        ground.walk("who saw", language) as walk,
        walk.window(person.login) as window,
        walk.window("dr.petit") as doctor,
    ):
        await window.open(f"{mine}/accesses/")
        await window.sees("Personne d’autre que vous n’a ouvert ce dossier.")
        await doctor.open(f"/professional/record/{person.login}/")
        await doctor.reads("Arachide")
        await window.follow("Actualiser la liste")
        await window.reads("Dr Hélène PETIT")
        await _filter(window, person)
        await window.follow_first("Signaler")
        await window.press("Signaler")
        await window.write("Pourquoi cet accès vous semble-t-il anormal\N{NO-BREAK SPACE}?", WHY)
        await window.press("Signaler")
        await window.sees(
            "Vous avez signalé cet accès. Une personne chargée de ces relectures l’examine en "
            "premier et peut demander une explication à ce professionnel. Vous recevrez la réponse."
        )
        await window.open("/patient/consent/")
        await window.reads("Dr Hélène PETIT")


@both
async def test_a_document_is_masked_from_professionals_and_shown_again(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    letter = f"/professional/record/{person.login}/DocumentReference/{person.login}-letter/"
    async with (
        ground.walk("masked document", language) as walk,
        walk.window(person.login) as window,
        walk.window("dr.petit") as doctor,
    ):
        await doctor.open(letter)
        await doctor.reads("Lettre de sortie")
        await window.open(f"/patient/record/{person.login}/documents/")
        await window.follow("Lettre de sortie", named=True)
        await window.follow("Qui peut voir cet élément")
        await window.follow("Qui a vu cet élément")
        await window.sees("Qui a vu tout le dossier")
        await window.page.go_back()
        await window.follow("Masquer ce document aux professionnels")
        await window.press("Masquer")
        await window.sees("Ce document est masqué.")
        await doctor.open(letter)
        await doctor.misses("Lettre de sortie")
        who = f"/patient/consent/{person.login}/who/DocumentReference/{person.login}-letter/"
        await window.open(who)
        await window.follow("Ne plus masquer cet élément")
        await window.press("Ne plus masquer")
        await window.sees("Cet élément n’est plus masqué.")
        await doctor.open(letter)
        await doctor.reads("Lettre de sortie")


@both
async def test_a_result_is_announced_and_only_then_seen(ground: Ground, language: str) -> None:
    person = await invite(ground.portal.site, answered=True)
    shown = f"/patient/record/{person.login}/documents/"
    async with (
        ground.walk("announced result", language) as walk,
        walk.window(person.login) as window,
        walk.window("dr.petit") as doctor,
    ):
        await window.open(shown)
        await window.misses("Biopsie")
        await doctor.open(f"/professional/record/{person.login}/documents/")
        await doctor.follow("Biopsie", named=True)
        await doctor.follow("Je l’ai annoncé")
        await doctor.press("Oui, le montrer à la personne")
        await window.open(shown)
        await window.reads("Biopsie")
