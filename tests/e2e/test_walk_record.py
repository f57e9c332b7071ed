"""From the start page to the source of a fact, walked with the keyboard in both languages."""

from __future__ import annotations

import pytest

from hygie.testing.invited import invite
from hygie.testing.portal import PASSWORD
from hygie.testing.walking import Ground, every_view, steps_of

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", ["fr", "en"])


@both
async def test_a_person_signs_in_reads_the_record_and_signs_out(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with ground.walk("own record", language) as walk, walk.window() as window:
        await window.open("/")
        await window.press("English" if language == "fr" else "Français")
        await window.press("English" if language == "en" else "Français")
        for link in ("Aide", "Ce qu’est Hygie", "Accessibilité : partiellement conforme"):
            await window.follow(link)
        await window.open("/account/inactive/")
        await window.follow("Se connecter")
        await window.press("Se connecter")
        await window.write("Identifiant ou adresse e-mail", person.login)
        await window.write("Mot de passe", PASSWORD)
        await window.press("Se connecter")
        await window.follow("Mon résumé")
        await window.reads("Arachide")
        await window.follow("Mon histoire")
        await window.select("Montrer", "problem")
        await window.press("Filtrer")
        await window.follow("Asthme", named=True)
        await window.follow("Voir la fiche technique (FHIR)")
        await window.follow("Mes documents")
        letter = await window.save("Enregistrer", of="Lettre de sortie")
        assert letter.startswith(b"%PDF-")
        await window.open("/patient/record/")
        await window.open("/patient/")
        await window.follow("Changer mon mot de passe")
        await window.press("Changer")
        await window.open("/sign-out/")
        await window.press("Se déconnecter")


@both
async def test_a_professional_goes_from_the_search_to_the_source(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with ground.walk("patient's record", language) as walk, walk.window("dr.petit") as window:
        await window.open("/professional/record/")
        await window.open("/professional/")
        await window.write("Chercher un de mes patients", "zzzz")
        await window.press("Chercher")
        await window.write("Chercher un de mes patients", person.ins)
        await window.press("Chercher")
        await window.follow(person.name, named=True)
        await window.reads("Arachide")
        await window.follow("Chronologie")
        await window.select("Montrer", "problem")
        await window.press("Filtrer")
        await window.follow("Asthme", named=True)
        await window.follow("Voir la source FHIR")
        await window.reads('"resourceType": "Condition"')
        await window.follow("Documents")
        assert (await window.save("Enregistrer", of="Lettre de sortie")).startswith(b"%PDF-")


def test_some_walk_opens_every_page(ground: Ground) -> None:
    opened = {one.removeprefix("POST ").split(" ")[0] for one in steps_of()}
    assert every_view() == opened
