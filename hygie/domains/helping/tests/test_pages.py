"""The pages of helping, on the real repository and the real templates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import LUCIE, NORA, PAUL, TOM

if TYPE_CHECKING:
    from django.test import Client

MINE = "/patient/helping"
DAUGHTER = {"given": "Lucie", "family": "Martin", "birth": "1988-02-29"}


def _confirmed(site: Site, login: str, language: str = "fr") -> Client:
    """Return a client that gave its password a moment ago."""
    client = site.client(login, language)
    client.post("/account/confirm/", {"password": PASSWORD})
    return client


def _text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return str(answer.content.decode())


def _invited(site: Site, scope: str = "helper", days: int = 30) -> str:
    """Let Paul invite Lucie; return the code."""
    until = (timezone.localdate() + timedelta(days=days)).isoformat()
    answer = _confirmed(site, "paul").post(
        f"{MINE}/{PAUL}/invite/", {**DAUGHTER, "scope": scope, "until": until}
    )
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r'id="code">([A-Z0-9-]{14})<', answer.content.decode())
    assert found, answer.content.decode()
    return found[1]


def _accepted(site: Site, scope: str = "helper") -> Client:
    """Let Lucie accept an invitation of Paul."""
    lucie = site.client("lucie")
    shown = lucie.post(f"{MINE}/accept/", {**DAUGHTER, "code": _invited(site, scope)})
    kept = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert kept, shown.content.decode()
    answer = lucie.post(f"{MINE}/accept/", {"kept": kept[1], "answer": "accept"})
    assert answer["Location"].endswith("done=accepted"), answer["Location"]
    return lucie


@pytest.fixture(autouse=True)
def nobody_helps_paul(site: Site) -> Iterator[None]:
    """Leave the shared records as they were: Paul without helper, without invitation."""
    yield
    site.client("lucie").post(f"{MINE}/{PAUL}/leave/")
    paul = _confirmed(site, "paul")
    for number in re.findall(r"/invite/(\d+)/withdraw/", _text(paul, f"{MINE}/")):
        paul.post(f"{MINE}/{PAUL}/invite/{number}/withdraw/")


def test_an_invitation_opens_nothing_before_it_is_accepted(site: Site) -> None:
    _invited(site)
    assert site.client("lucie").get(f"/patient/record/{PAUL}/").status_code == 404


def test_whoever_accepts_acts_under_a_banner_and_sees_nothing_of_their_own(site: Site) -> None:
    lucie = _accepted(site)
    answer = lucie.get(f"/patient/record/{PAUL}/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{MINE}/{PAUL}/act/?next=")
    assert lucie.post(f"{MINE}/{PAUL}/act/").status_code == 302
    for path in (f"/patient/record/{PAUL}/", "/patient/", "/help/"):
        assert "Vous agissez pour Paul DURAND" in _text(lucie, path), path
    for path in (f"/patient/record/{LUCIE}/", f"/patient/record/{NORA}/", "/patient/helping/"):
        assert "Cette page n’est pas de son dossier" in _text(lucie, path, 403), path
    assert lucie.get("/oauth/consent?ticket=x").status_code == 403
    assert lucie.get("/oauth/devices").status_code == 403
    assert lucie.post(f"{MINE}/stop/").status_code == 302
    assert "Vous agissez pour" not in _text(lucie, "/patient/")


def test_every_act_is_traced_under_both_names(site: Site) -> None:
    _accepted(site)
    site.client(f"lucie for {PAUL}").get(f"/patient/record/{PAUL}/")
    lines = site.client("paul").get(f"/patient/consent/{PAUL}/accesses/download/?format=ndjson")
    events = [json.loads(one) for one in lines.content.splitlines()]
    of_lucie = [
        (event, user)
        for event in events
        for user in event["agent"]
        if user["requestor"] and user["who"].get("reference") == f"Patient/{LUCIE}"
    ]
    rules = {user["role"][0]["text"] for _event, user in of_lucie if "role" in user}
    assert f"helper for Patient/{PAUL}" in rules
    assert f"mandate-accepted for Patient/{PAUL}" in rules
    for event, user in of_lucie:
        assert user["role"][0]["coding"][0]["code"] == "DELEGATEE"
        whom = [one for one in event["agent"] if one["who"].get("reference") == f"Patient/{PAUL}"]
        assert [one["type"]["coding"][0]["code"] for one in whom] == ["DELEGATOR"]


def test_an_invitation_is_used_once_and_by_the_named_person_alone(site: Site) -> None:
    code = _invited(site)
    nora = site.client("nora")
    answer = nora.post(f"{MINE}/accept/", {**DAUGHTER, "code": code})
    assert answer.status_code == 422
    wrong = {**DAUGHTER, "birth": "1988-02-28", "code": code}
    assert site.client("lucie").post(f"{MINE}/accept/", wrong).status_code == 422
    lucie = site.client("lucie")
    shown = lucie.post(f"{MINE}/accept/", {**DAUGHTER, "code": code.lower()})
    kept = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert kept
    stolen = site.client("nora").post(f"{MINE}/accept/", {"kept": kept[1], "answer": "accept"})
    assert stolen["Location"] == f"{MINE}/accept/"
    told = {"kept": kept[1], "answer": "accept"}
    assert lucie.post(f"{MINE}/accept/", told)["Location"].endswith("accepted")
    assert lucie.post(f"{MINE}/accept/", told)["Location"].endswith("gone")
    assert lucie.post(f"{MINE}/accept/", {**DAUGHTER, "code": code}).status_code == 422


def test_five_wrong_birth_dates_lose_an_invitation(site: Site) -> None:
    code = _invited(site)
    wrong = {**DAUGHTER, "birth": "1988-02-28", "code": code}
    for login in ("lucie", "nora", "ada", "tom", "mandataire"):
        assert site.client(login).post(f"{MINE}/accept/", wrong).status_code == 422
    answer = site.client("lucie").post(f"{MINE}/accept/", {**DAUGHTER, "code": code})
    assert answer.status_code == 422
    assert "invitation perdue" in _text(site.client("paul"), f"{MINE}/")


def test_whoever_declines_opens_nothing_and_the_person_is_told(site: Site) -> None:
    lucie = site.client("lucie")
    shown = lucie.post(f"{MINE}/accept/", {**DAUGHTER, "code": _invited(site)})
    kept = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert kept
    lucie.post(f"{MINE}/accept/", {"kept": kept[1], "answer": "decline"})
    assert lucie.post(f"{MINE}/{PAUL}/act/").status_code == 404
    assert "ne souhaite pas vous aider" in _text(site.client("paul"), "/patient/")


def test_the_person_is_told_who_agreed_and_who_first_opened_the_record(site: Site) -> None:
    _accepted(site)
    site.client(f"lucie for {PAUL}").get(f"/patient/record/{PAUL}/")
    text = _text(site.client("paul"), "/patient/")
    assert "Lucie Martin a accepté de vous aider" in text
    assert "a ouvert votre dossier pour vous aider" in text


def test_a_help_ends_at_once_from_either_side(site: Site) -> None:
    lucie = _accepted(site)
    lucie.post(f"{MINE}/{PAUL}/act/")
    paul = _confirmed(site, "paul")
    end = re.search(
        rf'href="(/patient/consent/{PAUL}/choices/end-helper/[^"]+)"', _text(paul, f"{MINE}/")
    )
    assert end
    paul.post(end[1])
    assert "Cette aide est finie" in _text(lucie, f"/patient/record/{PAUL}/")
    assert _text(lucie, f"/patient/record/{PAUL}/", 404)
    lucie = _accepted(site)
    assert lucie.post(f"{MINE}/{PAUL}/leave/")["Location"].endswith("left")
    assert _text(lucie, f"/patient/record/{PAUL}/", 404)
    assert "a cessé de vous aider" in _text(site.client("paul"), "/patient/")


def test_a_helper_for_the_paperwork_reads_no_health(site: Site) -> None:
    _accepted(site, "helper-administrative")
    helper = site.client(f"lucie for {PAUL}")
    assert "aidant pour les démarches" in _text(helper, "/patient/")
    assert "Aucune allergie connue" not in helper.get(f"/patient/record/{PAUL}/").content.decode()
    assert helper.get(f"{MINE}/{PAUL}/invite/").status_code == 404


def test_a_helper_who_reads_does_not_learn_who_else_is_invited(site: Site) -> None:
    _accepted(site)
    _invited(site)
    helper = site.client(f"lucie for {PAUL}")
    assert helper.get(f"{MINE}/{PAUL}/").status_code == 404
    assert helper.get(f"{MINE}/{PAUL}/invite/").status_code == 404


def test_a_mandate_decides_in_the_name_of_the_person(site: Site) -> None:
    _accepted(site, "mandate")
    helper = site.client(f"lucie for {PAUL}")
    helper.post("/account/confirm/", {"password": PASSWORD})
    assert "représentant choisi" in _text(helper, "/patient/")
    assert _text(helper, f"/patient/consent/{PAUL}/choices/")
    assert 'value="mandate"' not in _text(helper, f"{MINE}/{PAUL}/invite/")


def test_an_account_without_a_record_helps_as_a_related_person(site: Site) -> None:
    caro = {"given": "Élise", "family": "Caro", "birth": "1979-06-02"}
    until = (timezone.localdate() + timedelta(days=9)).isoformat()
    asked = {**caro, "scope": "helper", "until": until}
    made = _confirmed(site, "paul").post(f"{MINE}/{PAUL}/invite/", asked).content.decode()
    code = re.search(r'id="code">([A-Z0-9-]{14})<', made)
    assert code
    elise = site.client("mandataire")
    shown = elise.post(f"{MINE}/accept/", {**caro, "given": "elise", "code": code[1]})
    kept = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert kept, shown.content.decode()
    assert elise.post(f"{MINE}/accept/", {"kept": kept[1], "answer": "accept"})[
        "Location"
    ].endswith("accepted")
    assert "Paul DURAND" in _text(elise, f"{MINE}/")
    elise.post(f"{MINE}/{PAUL}/act/")
    assert "Aucune allergie connue" in _text(elise, f"/patient/record/{PAUL}/")
    assert "Élise Caro" in _text(site.client("paul"), f"/patient/consent/{PAUL}/choices/")
    elise.post(f"{MINE}/stop/")
    assert elise.post(f"{MINE}/{PAUL}/leave/")["Location"].endswith("left")


def test_who_decides_for_a_child_invites_for_a_year_at_most(site: Site) -> None:
    today = timezone.localdate()
    caro = {"given": "Élise", "family": "Caro", "birth": "1979-06-02", "scope": "helper"}
    lucie = site.client(f"lucie for {TOM}")
    lucie.post("/account/confirm/", {"password": PASSWORD})
    path = f"{MINE}/{TOM}/invite/"
    late = {**caro, "until": (today + timedelta(days=400)).isoformat()}
    assert lucie.post(path, late).status_code == 422
    made = lucie.post(path, {**caro, "until": (today + timedelta(days=300)).isoformat()})
    code = re.search(r'id="code">([A-Z0-9-]{14})<', made.content.decode())
    assert code, made.content.decode()
    elise = site.client("mandataire")
    shown = elise.post(f"{MINE}/accept/", {**caro, "code": code[1]})
    kept = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert kept
    answer = elise.post(f"{MINE}/accept/", {"kept": kept[1], "answer": "accept"})
    assert answer["Location"].endswith("accepted")
    assert "Contraception" not in _text(
        site.client(f"mandataire for {TOM}"), f"/patient/record/{TOM}/timeline/"
    )
    elise.post(f"{MINE}/{TOM}/leave/")


def test_a_child_is_too_young_to_invite(site: Site) -> None:
    until = (timezone.localdate() + timedelta(days=9)).isoformat()
    asked = {**DAUGHTER, "scope": "helper", "until": until}
    tom = _confirmed(site, "tom")
    assert tom.post(f"{MINE}/{TOM}/invite/", asked).status_code == 403
    assert "vous pourrez choisir vous-même" in _text(tom, f"{MINE}/minor/")


def test_a_parent_acts_for_a_child_under_the_banner(site: Site) -> None:
    lucie = site.client("lucie")
    assert "Tom MARTIN" in _text(lucie, f"{MINE}/")
    lucie = site.client(f"lucie for {TOM}")
    text = _text(lucie, f"/patient/record/{TOM}/")
    assert "Vous agissez pour Tom MARTIN, parent" in text
    assert "Contraception" not in text
    assert lucie.post(f"{MINE}/{TOM}/leave/").status_code == 302


def test_nobody_acts_for_a_stranger(site: Site) -> None:
    assert site.client("paul").post(f"{MINE}/{NORA}/act/").status_code == 404
    assert site.client("paul").get(f"{MINE}/{NORA}/").status_code == 404
    assert _confirmed(site, "paul").get(f"{MINE}/{NORA}/invite/").status_code == 404


def test_the_choice_leads_only_into_the_portal(site: Site) -> None:
    lucie = site.client("lucie")
    answer = lucie.post(f"{MINE}/{NORA}/act/", {"next": "https://elsewhere.example/patient/"})
    assert answer["Location"] == "/patient/"


@pytest.mark.parametrize("path", [f"{MINE}/", f"{MINE}/accept/", f"{MINE}/{NORA}/act/"])
def test_the_pages_are_in_english_too(site: Site, path: str) -> None:
    text = _text(site.client("lucie", "en"), path)
    assert not re.search(r"(personne|Qui m|aide\b|invitation que)", text.split("<main")[1])
