"""The rights over one's data, walked with the keyboard in both languages."""

from __future__ import annotations

import io
from zipfile import ZipFile

import pytest

from hygie.domains.rights.jobs import erase_what_was_asked, prepare_exports
from hygie.testing.invited import invite, on
from hygie.testing.stories import CABINET
from hygie.testing.walking import Ground, Window

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", ["fr", "en"])
WISH = "Qu’est-ce qui est faux, et que faudrait-il écrire ?"


@both
async def test_a_copy_is_asked_for_prepared_and_kept(ground: Ground, language: str) -> None:
    site = ground.portal.site
    person = await invite(site, answered=True)
    async with ground.walk("copy", language) as walk, walk.window(person.login) as window:
        await window.open("/patient/rights/")
        for _ in range(3):
            await window.press("Demander une copie")
        await window.sees("Deux copies sont déjà en préparation. Attendez-les.")
        await window.follow("Voir ce qui peut être effacé")
        await window.confirm()
        await on(site, prepare_exports(site.platform))
        await window.open(f"/patient/rights/{person.login}/")
        archive = ZipFile(io.BytesIO(await window.save_first("Télécharger")))
        assert "dossier.pdf" in archive.namelist()


@both
async def test_the_use_of_a_record_is_limited_and_research_refused(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    record = f"/professional/record/{person.login}/"
    async with (
        ground.walk("limits", language) as walk,
        walk.window(person.login) as window,
        walk.window("dr.petit") as doctor,
    ):
        await window.open("/patient/rights/")
        await window.press("Limiter l’usage du dossier")
        await doctor.open(record)
        await doctor.misses("Arachide")
        await window.press("Lever la limitation")
        await doctor.open(record)
        await doctor.reads("Arachide")
        await window.press("Refuser la recherche")
        await window.sees("Extractions faites avant votre refus :")
        await window.press("Ne plus refuser la recherche")
        await window.misses(window.say("Extractions faites avant votre refus :"))


async def _ask(window: Window, kind: str, title: str, wish: str) -> None:
    await window.follow("Choisir ce qui est faux")
    await window.select("Sorte d’information", kind)
    await window.press("Montrer")
    await window.follow(title, named=True)
    await window.press("Envoyer la demande")
    await window.sees("Écrivez ce qui est faux, en 2 000 lettres au plus")
    await window.write(WISH, wish)
    await window.press("Envoyer la demande")
    await window.reads(wish)


@both
async def test_what_is_wrong_is_corrected_or_refused_with_a_reason(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with (
        ground.walk("rectification", language) as walk,
        walk.window(person.login) as window,
        walk.window("dr.petit") as doctor,
    ):
        await window.open("/patient/rights/")
        await _ask(window, "Condition", "Asthme", "C’était une bronchite")
        await _ask(window, "AllergyIntolerance", "Arachide", "Je n’ai pas d’allergie")
        await doctor.open("/professional/rights/")
        await doctor.follow_first_of(f"{person.name} : Asthme")
        await doctor.press("Corriger")
        await doctor.sees("Dites ce que vous corrigez")
        await doctor.write("Nouvelle date", "hier")
        await doctor.press("Corriger")
        await doctor.sees("Écrivez une date comme 2024, 2024-05 ou 2024-05-03")
        await doctor.write("Nouvelle date", "2019-03-04")
        await doctor.write("Nouveau libellé", "Bronchite")
        await doctor.write("Remarque, lue par la personne", "Corrigé ce jour")
        await doctor.press("Corriger")
        await doctor.follow_first_of(f"{person.name} : Arachide")
        await doctor.press("Refuser")
        await doctor.sees("Écrivez la raison du refus")
        await doctor.write("Raison, lue par la personne", "Le test est positif")
        await doctor.press("Refuser")
        await window.open(f"/patient/rights/{person.login}/")
        await window.reads("Corrigé ce jour")
        await window.reads("Le test est positif")


@both
async def test_what_may_be_erased_is_erased_after_the_password(
    ground: Ground, language: str
) -> None:
    site = ground.portal.site
    person = await invite(site, answered=True)
    async with ground.walk("erasure", language) as walk, walk.window(person.login) as window:
        await window.open(f"/patient/rights/{person.login}/")
        await window.follow("Voir ce qui peut être effacé")
        await window.confirm()
        await window.press("Effacer")
        await window.sees("Cochez la case pour confirmer")
        await window.tick("J’ai compris : ce sera effacé pour toujours")
        await window.press("Effacer")
        await window.follow("Voir ce qui peut être effacé")
        await window.tick("J’ai compris : ce sera effacé pour toujours")
        await window.press("Effacer")
        await window.sees("Une demande attend déjà sa réponse.")
        await on(site, erase_what_was_asked(site.platform))
        await window.open(f"/patient/record/{person.login}/documents/")
        await window.reads("Lettre de sortie")
        await window.misses("Mes notes")


@both
async def test_a_structure_keeps_its_register_texts_and_papers(
    ground: Ground, language: str
) -> None:
    async with ground.walk("register", language) as walk, walk.window("operateur") as window:
        await window.open("/establishment/")
        await window.follow("Registre et droits")
        await window.follow("Connexions vers d’autres machines")
        await window.open("/establishment/rights/")
        await window.follow("Note d’information")
        await window.open(f"/establishment/rights/{CABINET}/")
        await window.write_as("dpo", "Mme Roy, dpo@example.org")
        await window.press("Enregistrer les textes")
        for link in ("Télécharger le registre", "Télécharger le projet d’analyse d’impact"):
            assert "Mme Roy" in (await window.save(link)).decode()
