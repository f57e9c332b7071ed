"""From a reported access to its decision, walked with the keyboard in both languages."""

from __future__ import annotations

import pytest

from hygie.testing.invited import Invited, invite
from hygie.testing.walking import Ground, Walk, Window

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("language", ["fr", "en"])
LABEL = "Pourquoi cet accès vous semble-t-il anormal\N{NO-BREAK SPACE}?"


async def _report(walk: Walk, window: Window, person: Invited) -> None:
    """Let the doctor open the record, and the person report it."""
    async with walk.window("dr.petit") as doctor:
        await doctor.open(f"/professional/record/{person.login}/")
    await window.open(f"/patient/consent/{person.login}/accesses/")
    await window.follow_first("Signaler")
    await window.write(LABEL, f"Je ne connais pas ce médecin, {person.login}.")
    await window.press("Signaler")


async def _take(window: Window, person: Invited) -> None:
    await window.open("/establishment/reviews/")
    initials = f"{person.name[0]}.{person.name.split()[1][0]}."
    await window.follow_first_of(f"Dr Hélène Petit → {initials}")
    await window.reads(person.login)
    await window.press("Prendre cette relecture")


@both
async def test_a_reported_access_is_asked_about_answered_justified_and_closed(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with (
        ground.walk("justified access", language) as walk,
        walk.window(person.login) as window,
        walk.window("relectrice") as reviewer,
        walk.window("dr.petit") as doctor,
    ):
        await _report(walk, window, person)
        await reviewer.open("/home/")
        await _take(reviewer, person)
        await reviewer.press("Envoyer la question")
        await reviewer.write("Question au professionnel", "Pourquoi ce dossier ?")
        await reviewer.press("Envoyer la question")
        await doctor.open("/professional/oversight/")
        await doctor.press("Répondre")
        await doctor.write("Votre réponse", "Je suis son médecin.")
        await doctor.press("Répondre")
        await doctor.sees("Aucune question")
        await reviewer.open(reviewer.page.url)
        await reviewer.reads("Je suis son médecin.")
        await reviewer.write("Motif de la décision", "Soignée par ce médecin.")
        await reviewer.press("Cet accès est justifié")
        await reviewer.press("Clore")
        await window.open(window.page.url)
        await window.reads("Soignée par ce médecin.")


@both
async def test_a_record_is_protected_a_review_given_back_and_an_access_found_abnormal(
    ground: Ground, language: str
) -> None:
    person = await invite(ground.portal.site, answered=True)
    async with (
        ground.walk("abnormal access", language) as walk,
        walk.window(person.login) as window,
        walk.window("relectrice") as reviewer,
    ):
        await _report(walk, window, person)
        await _take(reviewer, person)
        await reviewer.press("Protéger")
        await reviewer.write("Raison de la protection", "Collègue de l’hôpital.")
        await reviewer.press("Protéger")
        await reviewer.press("Rendre cette relecture à la liste")
        await reviewer.press("Prendre cette relecture")
        await reviewer.press("Cet accès est anormal")
        await reviewer.write("Motif de la décision", "Aucun lien de soin.")
        await reviewer.press("Cet accès est anormal")
        await window.open(window.page.url)
        await window.reads("Aucun lien de soin.")
