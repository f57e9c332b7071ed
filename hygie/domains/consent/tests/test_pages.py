"""The pages of choices, on the real repository and the real templates."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
import pytest

from hygie.domains.consent.service.notices import tell_of_prolonged_memberships
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.web.authentication import PROOFS
from hygie.kernel.web.stepping_up import FRESH
from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import ADA, ADA_INS, HELENE, NORA, PAUL, TOM, ZOE

if TYPE_CHECKING:
    from django.test import Client

MINE = "/patient/consent"


def _run(site: Site, work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(30)


def _text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return str(answer.content.decode())


def _confirmed(site: Site, login: str) -> Client:
    """Return a client that gave its password a moment ago."""
    client = site.client(login)
    answer = client.post("/account/confirm/", {"password": PASSWORD})
    assert answer.status_code == 302
    return client


def test_the_page_names_who_sees_with_role_structure_and_rule(site: Site) -> None:
    text = _text(site.client("nora"), f"{MINE}/{NORA}/who/")
    for expected in (
        "Dr Hélène PETIT",
        "Médecin",
        "Cabinet de la Loire",
        "équipe de soins et le patient a donné son accord",
        "Lucie Martin",
        "choisi comme aidant",
        "Jade COLIN",
        "Secrétaire",
        "Le SAMU, Centre 15",
    ):
        assert expected in text, expected


def test_the_page_is_in_english_too(site: Site) -> None:
    text = _text(site.client("nora", "en"), f"{MINE}/{NORA}/who/")
    for expected in ("Who can see this record, and why", "Doctor", "the patient agreed", "Nurse"):
        assert expected in text, expected


@pytest.mark.parametrize("page", ["who/", "accesses/", "choices/", "choices/first/"])
def test_a_stranger_is_told_nothing(site: Site, page: str) -> None:
    assert _confirmed(site, "paul").get(f"{MINE}/{NORA}/{page}").status_code == 404


def test_an_item_of_another_record_is_not_found(site: Site) -> None:
    path = f"{MINE}/{ADA}/who/DocumentReference/cardiology/"
    assert site.client("ada").get(path).status_code == 404


def test_an_access_shows_at_once_with_its_rule(site: Site) -> None:
    site.client("dr.petit").get(f"/professional/record/{NORA}/")
    text = _text(site.client("nora"), f"{MINE}/{NORA}/accesses/")
    first = text.split('<ol class="h-results">')[1].split("</li>")[0]
    assert "Dr Hélène PETIT" in first
    assert "équipe de soins" in first


def test_a_helper_does_not_know_who_else_reads(site: Site) -> None:
    lucie = site.client(f"lucie for {NORA}")
    text = _text(lucie, f"{MINE}/{NORA}/accesses/")
    assert "Seuls la personne et ceux qui décident pour elle" in text
    assert "Dr Hélène PETIT" not in text
    refused = lucie.get(f"{MINE}/{NORA}/accesses/download/")
    assert refused.status_code == 403


def test_the_list_is_downloaded_as_a_table_and_as_audit_events(site: Site) -> None:
    client = site.client("nora")
    table = client.get(f"{MINE}/{NORA}/accesses/download/?format=csv&own=on")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.content.decode("utf-8-sig").startswith("at;who;name;role;structure")
    lines = client.get(f"{MINE}/{NORA}/accesses/download/?format=ndjson&own=on").content
    assert all(b'"resourceType":"AuditEvent"' in one for one in lines.splitlines())
    assert client.get(f"{MINE}/{NORA}/accesses/download/?format=xml").status_code == 400


@pytest.mark.parametrize("query", ["how=nothing", "since=yesterday"])
def test_a_filter_that_does_not_exist_is_refused(site: Site, query: str) -> None:
    assert site.client("nora").get(f"{MINE}/{NORA}/accesses/?{query}").status_code == 400


def test_a_sensitive_act_asks_for_the_password_again(site: Site) -> None:
    asked = site.client("nora").get(f"{MINE}/{NORA}/choices/close/")
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith("/account/confirm/?next=")
    assert site.client("nora").post(f"{MINE}/{NORA}/choices/close/").status_code == 302
    assert "fermé" not in _text(site.client("nora"), f"{MINE}/{NORA}/choices/")


def _signed_in(site: Site, login: str, *, ago: float) -> Client:
    """Return a client that signed in with its password so many seconds ago."""
    client = site.client()
    client.post("/sign-in/", {"login": login, "password": PASSWORD})
    session = client.session
    kept = session[PROOFS]
    session[PROOFS] = {**kept, "list": [{**one, "at": one["at"] - ago} for one in kept["list"]]}
    session.save()
    return client


@pytest.mark.parametrize("page", ["choices/first/", "choices/team-withdraw/", "choices/close/"])
def test_who_has_just_signed_in_is_not_asked_again_and_later_is(site: Site, page: str) -> None:
    path = f"{MINE}/{ADA}/{page}"
    assert _signed_in(site, "ada", ago=0).get(path).status_code == 200
    asked = _signed_in(site, "ada", ago=FRESH).get(path)
    assert asked.headers["Location"] == f"/account/confirm/?{urlencode({'next': path})}"


def test_answers_of_a_first_visit_count_for_nothing_without_the_password(site: Site) -> None:
    late = _signed_in(site, "ada", ago=FRESH)
    answers = {"care_team": "yes", "emergencies": "no"}
    refused = late.post(f"{MINE}/{ADA}/choices/first/", answers)
    assert refused.headers["Location"].startswith("/account/confirm/")
    shown = _text(late, f"{MINE}/{ADA}/choices/")
    assert "/choices/team-agree/" in shown
    assert "/choices/emergency-refuse/" in shown


def test_nothing_is_changed_before_it_is_confirmed(site: Site) -> None:
    client = site.client("paul")
    path = f"{MINE}/paul-durand/choices"
    assert "M’opposer" in _text(client, f"{path}/research-refuse/")
    assert "peuvent servir à la recherche" in _text(client, f"{path}/")
    assert client.post(f"{path}/research-refuse/").status_code == 302
    assert "ne servent pas à la recherche" in _text(client, f"{path}/")
    client.post(f"{path}/research-allow/")


def test_a_block_acts_on_the_next_request_and_is_undone(site: Site) -> None:
    client, doctor = site.client("paul"), site.client("dr.petit")
    record, path = "/professional/record/paul-durand/", f"{MINE}/paul-durand/choices"
    assert doctor.get(record).status_code == 200
    client.post(f"{path}/add/block/helene-petit/")
    assert doctor.get(record).status_code == 404
    text = _text(client, f"{MINE}/paul-durand/who/")
    assert "Vous l’avez bloqué" in text
    key = re.search(r"choices/unblock/([^/]+)/", _text(client, f"{path}/"))
    assert key
    client.post(f"{path}/unblock/{key[1]}/")
    assert doctor.get(record).status_code == 200


def test_a_closed_record_opens_to_nobody_and_reopens(site: Site) -> None:
    client, doctor = _confirmed(site, "paul"), site.client("dr.petit")
    path = f"{MINE}/paul-durand/choices"
    client.post(f"{path}/close/")
    assert doctor.get("/professional/record/paul-durand/").status_code == 404
    assert "Il sera détruit après" in _text(client, f"{path}/")
    client.post(f"{path}/reopen/")
    assert doctor.get("/professional/record/paul-durand/").status_code == 200


def test_an_access_outside_the_team_has_an_end(site: Site) -> None:
    client = _confirmed(site, "paul")
    path = f"{MINE}/paul-durand/choices"
    assert "Dr Zoé LANG" in _text(client, f"{path}/add/access/?q=lang")
    client.post(f"{path}/add/access/{ZOE}/")
    assert site.client("dr.lang").get("/professional/record/paul-durand/").status_code == 200
    assert client.post(f"{path}/add/access/{ZOE}/", {"until": "2020-01-01"}).status_code == 400
    key = re.search(r"choices/end-access/([^/]+)/", _text(client, f"{path}/"))
    assert key
    client.post(f"{path}/end-access/{key[1]}/")
    assert site.client("dr.lang").get("/professional/record/paul-durand/").status_code == 404


def test_a_helper_is_named_by_the_code_they_give(site: Site) -> None:
    made = site.client("lucie").post(f"{MINE}/help-somebody/").content.decode()
    code = re.search(r"\b[A-Z0-9]{5}-[A-Z0-9]{5}\b", made)
    assert code
    client, path = _confirmed(site, "paul"), f"{MINE}/paul-durand/choices/helper/"
    told = {"code": code[0], "scope": "helper"}
    asked = client.post(path, told)
    assert "Lucie Martin" in asked.content.decode()
    assert (
        site.client("lucie for paul-durand").get("/patient/record/paul-durand/").status_code == 404
    )
    client.post(path, {**told, "confirmed": "yes"})
    assert (
        site.client("lucie for paul-durand").get("/patient/record/paul-durand/").status_code == 200
    )
    key = re.search(r"choices/end-helper/([^/]+)/", _text(client, f"{MINE}/paul-durand/choices/"))
    assert key
    client.post(f"{MINE}/paul-durand/choices/end-helper/{key[1]}/")
    assert (
        site.client("lucie for paul-durand").get("/patient/record/paul-durand/").status_code == 404
    )


def test_a_wrong_code_names_nobody(site: Site) -> None:
    client = _confirmed(site, "paul")
    told = {"code": "AAAAA-AAAAA", "scope": "helper"}
    answer = client.post(f"{MINE}/paul-durand/choices/helper/", told)
    assert answer.status_code == 422
    assert "Ce code n’existe pas" in answer.content.decode()


def test_a_masked_document_is_hidden_from_the_nurse_and_shown_again(site: Site) -> None:
    client, nurse = site.client("nora"), site.client("marc.vidal")
    item = f"/professional/record/{NORA}/DocumentReference/order/"
    path = f"{MINE}/{NORA}/mask/DocumentReference/order/"
    assert nurse.get(item).status_code == 200
    client.post(path)
    assert nurse.get(item).status_code == 404
    text = _text(client, f"{MINE}/{NORA}/who/DocumentReference/order/")
    assert "Vous avez masqué ce document" in text
    client.post(path)
    assert nurse.get(item).status_code == 200


async def _masked_with_visit(repository: Repository) -> None:
    """Store a masked visit of Nora and a result of it."""
    about = {"subject": {"reference": f"Patient/{NORA}"}}
    label = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "MASQUE_PS"}
    visit = {
        "resourceType": "Encounter", "id": "masked-visit", "status": "finished",
        "class": {"code": "AMB"}, "meta": {"security": [label]}, **about,
    }  # fmt: skip
    result = {
        "resourceType": "Observation", "id": "of-masked-visit", "status": "final",
        "code": {"text": "Glycémie"}, "encounter": {"reference": "Encounter/masked-visit"}, **about,
    }  # fmt: skip
    for one in (visit, result):
        raw = msgspec.json.encode(one)
        await repository.update(SYSTEM, str(one["resourceType"]), str(one["id"]), raw)


def test_what_a_deleted_visit_left_masked_is_unmasked_on_its_page(site: Site) -> None:
    repository = site.platform.repository
    assert repository
    _run(site, _masked_with_visit(repository))
    client, nurse = site.client("nora"), site.client("marc.vidal")
    path = f"{MINE}/{NORA}/mask/Observation/of-masked-visit/"
    item = f"/professional/record/{NORA}/Observation/of-masked-visit/"
    assert path in _text(client, f"{MINE}/{NORA}/who/Observation/of-masked-visit/")
    answer = client.post(path, follow=True)
    assert "reste masqué avec la visite" in answer.content.decode()
    assert nurse.get(item).status_code == 404
    _run(site, repository.delete(SYSTEM, "Encounter", "masked-visit"))
    assert nurse.get(item).status_code == 404
    answer = client.post(path, follow=True)
    assert "Cet élément n’est plus masqué" in answer.content.decode()
    assert nurse.get(item).status_code == 200
    assert path not in _text(client, f"{MINE}/{NORA}/who/Observation/of-masked-visit/")
    _run(site, repository.delete(SYSTEM, "Observation", "of-masked-visit"))


def test_a_parent_sees_no_secret_visit(site: Site) -> None:
    secret = f"{MINE}/{TOM}/who/Encounter/secret-visit/"
    assert "caché aux parents" in _text(site.client("tom"), secret)
    lucie = site.client(f"lucie for {TOM}")
    assert lucie.get(secret).status_code == 404
    site.client("tom").get(f"/patient/record/{TOM}/Encounter/secret-visit/")
    told = lucie.get(f"{MINE}/{TOM}/accesses/?own=on")
    assert "secret-visit" not in told.content.decode()


def test_who_may_not_identify_is_told_so(site: Site) -> None:
    text = _text(site.client("jade.colin"), "/professional/emergency/")
    assert "Votre compte ne permet pas" in text


def test_an_emergency_asks_who_is_there(site: Site) -> None:
    late = _signed_in(site, "dr.lang", ago=FRESH + 1)
    answer = late.post("/professional/emergency/", {"ins": ADA_INS})
    assert answer.headers["location"].startswith("/account/confirm/")


def test_a_declaration_wants_a_fresh_identification(site: Site) -> None:
    answer = site.client("dr.lang").post("/professional/emergency/declare/", {"token": "forged"})
    assert answer.status_code == 403


def test_a_parent_decides_for_a_child_who_is_told(site: Site) -> None:
    parent, child = site.client(f"lucie for {TOM}"), site.client("tom")
    path = f"{MINE}/{TOM}/choices"
    assert "Vous décidez pour Tom MARTIN" in _text(parent, f"{path}/")
    parent.post(f"{path}/research-refuse/")
    assert "ne servent pas à la recherche" in _text(child, f"{path}/")
    assert "Lucie Martin a changé un choix" in _text(child, "/patient/")


async def _prolong(repository: Repository) -> None:
    """Let Hélène Petit stay in a team of Paul for longer, and the job tell of it."""
    today, me = datetime.now(UTC), f"Practitioner/{HELENE}"
    doctor = Caller(Kind.PROFESSIONAL, await repository.party_number(me), me)
    for who, days in ((SYSTEM, 5), (doctor, 10)):
        period = {"start": _day(today, -10), "end": _day(today, days)}
        team = {
            "resourceType": "CareTeam", "id": "prolonged", "status": "active",
            "subject": {"reference": f"Patient/{PAUL}"},
            "participant": [{"member": {"reference": me}, "period": period}],
        }  # fmt: skip
        await repository.update(who, "CareTeam", "prolonged", msgspec.json.encode(team))
    await tell_of_prolonged_memberships(repository, at=today + timedelta(minutes=1))
    await repository.delete(SYSTEM, "CareTeam", "prolonged")


def _day(today: datetime, days: int) -> str:
    return (today + timedelta(days=days)).date().isoformat()


def test_the_home_tells_who_prolonged_their_own_membership(site: Site) -> None:
    repository = site.platform.repository
    assert repository
    _run(site, _prolong(repository))
    text = _text(site.client("paul"), "/patient/")
    assert "Dr Hélène PETIT a prolongé sa place dans votre équipe de soins" in text
    text = _text(site.client("paul", "en"), "/patient/")
    assert "Dr Hélène PETIT prolonged their own place in your care team" in text


def test_a_helper_decides_nothing(site: Site) -> None:
    lucie = site.client(f"lucie for {NORA}")
    answer = lucie.post(f"{MINE}/{NORA}/choices/research-refuse/")
    assert answer.status_code in {403, 404}
    text = _text(site.client("nora"), f"{MINE}/{NORA}/choices/")
    assert "peuvent servir à la recherche" in text


def test_a_refused_access_is_told(site: Site) -> None:
    site.client("marc.vidal").get(f"/professional/record/{NORA}/")
    site.client("dr.lang").get(f"/professional/record/{NORA}/")
    text = _text(site.client("nora"), f"{MINE}/{NORA}/accesses/?refusals=on")
    assert "Dr Zoé LANG" in text
    assert "Marc VIDAL" not in text


def test_an_identification_serves_only_who_made_it(site: Site) -> None:
    doctor = _signed_in(site, "dr.lang", ago=0)
    found = doctor.post("/professional/emergency/", {"ins": ADA_INS})
    token = re.search(r'name="token" value="([^"]+)"', found.content.decode())
    assert token
    told = {
        "token": token[1],
        "code": "other",
        "reason": "Motif assez long",
        "place": "Ici",
        "kind": "break-glass",
    }
    answer = site.client("dr.petit").post("/professional/emergency/declare/", told)
    assert answer.status_code == 403
