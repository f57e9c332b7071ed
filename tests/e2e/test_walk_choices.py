"""What a person decides about their record, walked with the keyboard in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hygie.testing.invited import invite
from hygie.testing.walking import Ground, Window

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", ["fr", "en"])
SOON = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
PAST = "2020-01-01"
DOCTOR = {"fr": "Médecin", "en": "Doctor"}
"""As the table of professions says it, which no catalogue translates."""
SWITCHES = (
    (
        "Retirer mon accord",
        "Retirer mon accord",
        "Votre équipe de soins ne peut plus lire votre dossier.",
    ),
    ("Donner mon accord", "Donner mon accord", "Votre équipe de soins peut lire votre dossier."),
    ("M’y opposer", "M’opposer", "Vos données ne servent plus à la recherche."),
    ("Le permettre", "Permettre", "Vos données, sans votre nom, peuvent servir à la recherche."),
    ("Fermer le dossier", "Fermer le dossier", "Le dossier est fermé."),
    ("Rouvrir le dossier", "Rouvrir le dossier", "Le dossier est rouvert."),
)
"""The link on the page of choices, the button that confirms, what is said afterwards."""
EMERGENCIES = (
    ("l’accès en urgence", "Refuser l’accès en urgence", "L’accès en urgence est refusé."),
    ("l’accès en urgence", "Permettre l’accès en urgence", "L’accès en urgence est possible."),
    ("l’accès du Centre 15", "Refuser l’accès du Centre 15", "L’accès du Centre 15 est refusé."),
    (
        "l’accès du Centre 15",
        "Permettre l’accès du Centre 15",
        "L’accès du Centre 15 est possible.",
    ),
)


@both
async def test_the_first_visit_asks_two_questions(ground: Ground, language: str) -> None:
    person = await invite(ground.portal.site)
    async with ground.walk("first visit", language) as walk, walk.window(person.login) as window:
        await window.open("/patient/")
        await window.follow("Répondre")
        await window.confirm()
        await window.reads(f"Dr Hélène PETIT, {DOCTOR[language]}")
        await window.press("Enregistrer mes choix")
        await window.sees("Choisissez oui ou non.")
        for group in (
            "1. Votre équipe de soins peut-elle lire votre dossier ?",
            "2. En urgence, un médecin ou le SAMU (15) peut-il l’ouvrir ?",
        ):
            await window.choose("Oui", group=group)
        await window.press("Enregistrer mes choix")
        await window.sees("Vos choix sont enregistrés. Vous pouvez les changer ici à tout moment.")
        await window.follow("Voir qui peut voir ce dossier")
        await window.reads("Dr Hélène PETIT")


@both
async def test_a_record_is_refused_then_accepted(ground: Ground, language: str) -> None:
    person = await invite(ground.portal.site)
    async with ground.walk("refused record", language) as walk, walk.window(person.login) as window:
        await window.open(f"/patient/consent/{person.login}/choices/")
        await window.follow("Répondre maintenant")
        await window.confirm()
        await window.follow("Je ne veux pas de ce dossier")
        await window.press("Refuser le dossier")
        await window.sees("Vous avez refusé ce dossier.")
        await window.follow("Accepter le dossier")
        await window.press("Accepter le dossier")
        await window.sees("Le dossier est ouvert.")


@both
async def test_every_switch_is_moved_and_moved_back(ground: Ground, language: str) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with ground.walk("switches", language) as walk, walk.window(person.login) as window:
        await window.open(f"/patient/consent/{person.login}/choices/")
        for place, (link, button, said) in enumerate(SWITCHES):
            await window.follow(link)
            if place == 0:
                await window.confirm()
            await window.press(button)
            await window.sees(said)
        for of, button, said in EMERGENCIES:
            await window.follow(button.partition(" ")[0], of=window.say(of))
            await window.press(button)
            await window.sees(said)


async def _add(window: Window, link: str, *, end: str, button: str, said: str) -> None:
    await window.follow(link)
    await window.write("Chercher dans l’annuaire des professionnels", "zzzz")
    await window.press("Chercher")
    await window.write("Chercher dans l’annuaire des professionnels", "lang")
    await window.press("Chercher")
    await window.follow("Dr Zoé LANG", named=True)
    if await window.is_asked_who():
        await window.confirm()
    if end:
        await window.date(end, SOON)
    await window.press(button)
    await window.sees(said)


@both
async def test_a_professional_is_added_given_access_blocked_and_each_is_undone(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    zoe = "Dr Zoé LANG"
    async with ground.walk("professionals", language) as walk, walk.window(person.login) as window:
        await window.open(f"/patient/consent/{person.login}/choices/")
        await _add(
            window,
            "Ajouter un professionnel",
            end="Jusqu’au (facultatif)",
            button="Ajouter",
            said="Cette personne fait partie de votre équipe de soins.",
        )
        await window.follow("Retirer", of=zoe)
        await window.press("Retirer")
        await window.sees("Cette personne ne fait plus partie de votre équipe de soins.")
        await _add(
            window,
            "Donner accès à un professionnel",
            end="Jusqu’au (un jour si vous ne dites rien)",
            button="Donner accès",
            said="Cette personne a accès à votre dossier.",
        )
        await window.follow("Mettre fin à cet accès", of=zoe)
        await window.press("Mettre fin à cet accès")
        await window.sees("L’accès est terminé.")
        await _add(
            window,
            "Bloquer un professionnel",
            end="",
            button="Bloquer",
            said="Cette personne est bloquée : elle ne lit plus rien.",
        )
        await window.follow("Débloquer", of=zoe)
        await window.press("Débloquer")
        await window.sees("Cette personne n’est plus bloquée.")


@both
async def test_a_helper_is_named_by_a_code_until_a_day_and_ended(
    ground: Ground, language: str
) -> None:
    person, helper = [await invite(ground.portal.site, answered=True) for _ in range(2)]
    async with (
        ground.walk("helper", language) as walk,
        walk.window(person.login) as window,
        walk.window(helper.login) as other,
    ):
        await other.open(f"/patient/consent/{helper.login}/choices/")
        await other.follow("Aider quelqu’un")
        await other.press("Faire un code")
        code = await other.page.locator(".h-number").inner_text()
        await window.open(f"/patient/consent/{person.login}/choices/")
        await window.follow("Nommer un aidant ou un représentant")
        await window.confirm()
        await window.write("Code de la personne", "ABCDE-FGHJK")
        await window.date("Jusqu’au (facultatif)", PAST)
        await window.press("Continuer")
        await window.sees("Ce code n’existe pas ou n’est plus valable. Demandez-en un autre.")
        await window.sees("Choisissez ce que cette personne peut faire.")
        await window.write("Code de la personne", code)
        await window.choose("Lire tout mon dossier")
        await window.date("Jusqu’au (facultatif)", SOON)
        await window.press("Continuer")
        await window.reads(helper.name)
        await window.press("Oui, nommer cette personne")
        await window.sees("Cette personne agit en votre nom.")
        await other.open("/patient/record/")
        await other.follow(person.name, named=True)
        await other.reads(person.name)
        await window.follow("Mettre fin à cette aide", of=helper.name)
        await window.press("Mettre fin à cette aide")
        await window.sees("Cette personne n’agit plus en votre nom.")
