"""Spare, paper and sent codes, sheets and the recovery at the desk."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.sign_in.model.codes import CodeKind, heard, spoken
from hygie.domains.sign_in.model.telling import Channel, Told
from hygie.domains.sign_in.tests.conftest import Make, codes_of, is_in
from hygie.kernel.errors import Conflict, Forbidden
from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

SignIn = Callable[..., Any]
BIRTH = date(1958, 5, 3)
NEW = "quatre moulins pres du canal"


def _sheet(code: str, *, birth: str = "03/05/1958", password: str = NEW) -> dict[str, str]:
    return {"code": code, "birth": birth, "password1": password, "password2": password}


def _words(page: Any) -> str:
    return str(page.content.decode())


def test_a_code_is_heard_as_it_was_spoken() -> None:
    assert heard(spoken("7KQ2M8XA0123").lower().replace("0", "o").replace("1", "l")) == (
        "7KQ2M8XA0123"
    )


def test_a_printed_list_opens_beside_the_password_and_each_code_once(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    made = account()
    sign_in(made)
    listed = codes_of(client.post("/account/security/paper-codes/"))
    assert len(listed) == 20
    for place, expected in ((0, True), (0, False), (1, True)):
        other = site.client()
        sign_in(made, by=other)
        assert not is_in(other)
        other.post("/sign-in/code/", {"code": listed[place].lower()})
        assert is_in(other) == expected


def test_a_new_list_makes_the_former_one_void(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.service import codes

    made = account()
    former = codes.print_list(made)[0]
    codes.print_list(made)
    assert not codes.use(made, CodeKind.PAPER, former)


def test_no_code_is_stored_as_it_is_read(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.orm import Code
    from hygie.domains.sign_in.service import codes

    made = account()
    listed = [heard(code) for code in codes.print_list(made)]
    stored = [bytes(one.hash) for one in Code.objects.filter(account=made)]
    assert len(set(stored)) == 20
    assert not [code for code in listed if any(code.encode() in one for one in stored)]


def test_a_telephone_is_proven_by_a_code_then_receives_them_at_sign_in(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    made = account()
    sign_in(made)
    client.post("/account/security/phone/", {"phone": "+33612345678"})
    client.post("/account/security/phone/code/", {"code": "00000000"})
    made.refresh_from_db()
    assert not made.phone
    client.post("/account/security/phone/code/", {"code": _sent(site)})
    made.refresh_from_db()
    assert made.phone == "+33612345678"
    other = site.client()
    sign_in(made, by=other)
    answer = other.post("/sign-in/code/send/")
    assert answer.headers["Location"] == "/sign-in/code/?sent=yes"
    other.post("/sign-in/code/", {"code": _sent(site)})
    assert is_in(other)


def test_a_sent_code_is_void_after_five_wrong_ones(
    client: Client, account: Make, site: Site
) -> None:
    from hygie.domains.sign_in.service import codes

    made = account(phone="+33612345678")
    codes.send_by_sms(made)
    for _ in range(5):
        assert not codes.use(made, CodeKind.SMS, "00000000")
    assert not codes.use(made, CodeKind.SMS, _sent(site))


def test_a_code_sent_to_a_telephone_that_is_being_proven_signs_nobody_in(
    client: Client, account: Make, site: Site
) -> None:
    from hygie.domains.sign_in.service import codes

    made = account(phone="+33612345678")
    codes.send_by_sms(made, to="+33798765432")
    code = _sent(site)
    assert not codes.use(made, CodeKind.SMS, code)
    assert not codes.use(made, CodeKind.SMS, code, bound="+33612345678")
    assert codes.use(made, CodeKind.SMS, code, bound="+33798765432")


def _sent(site: Site) -> str:
    texts = sorted((site.platform.settings.data / "messages").glob("*.json"))
    sms = [told for path in texts if (told := json.loads(path.read_text()))["channel"] == "sms"]
    found = re.search(r"\d{4}-\d{4}", sms[-1]["text"])
    assert found
    return found[0]


def test_a_sheet_opens_an_account_once_with_its_birth_date(
    site: Site, client: Client, account: Make
) -> None:
    from hygie.domains.sign_in.service import codes

    made, desk = account(password="!"), account("administrator")
    code = codes.print_sheet(made, BIRTH, by=desk)
    for wrong in (_sheet(code, birth="04/05/1958"), _sheet("0000-0000-0000-0000")):
        client.post("/sign-in/activate/", wrong)
        assert not is_in(client)
    answer = client.post("/sign-in/activate/", _sheet(code))
    assert answer.headers["Location"] == "/home/"
    assert is_in(client)
    made.refresh_from_db()
    assert made.check_password(NEW)
    again = site.client()
    again.post("/sign-in/activate/", _sheet(code))
    assert not is_in(again)
    printed = made.events.get(what=Told.SHEET_PRINTED)
    assert printed.by == desk


def test_a_weak_password_does_not_use_the_sheet_up(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.service import codes

    made = account(password="!")
    code = codes.print_sheet(made, BIRTH, by=account("administrator"))
    client.post("/sign-in/activate/", _sheet(code, password="motdepasse2026"))
    assert not is_in(client)
    client.post("/sign-in/activate/", _sheet(code))
    assert is_in(client)


def test_five_wrong_birth_dates_make_a_sheet_void(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.service import codes

    code = codes.print_sheet(account(password="!"), BIRTH, by=account("administrator"))
    for _ in range(5):
        assert codes.use_sheet(code, date(1958, 5, 4)) is None
    assert codes.use_sheet(code, BIRTH) is None


def test_a_sheet_gives_level_one(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.service import codes
    from hygie.kernel.web.authentication import PROOFS

    code = codes.print_sheet(account(password="!"), BIRTH, by=account("administrator"))
    client.post("/sign-in/activate/", _sheet(code))
    assert [one["method"] for one in client.session[PROOFS]["list"]] == ["activation-sheet"]


def test_a_recovery_takes_two_people_who_are_not_the_person(client: Client, account: Make) -> None:
    from hygie.domains.sign_in.service import desk

    lost, asking, other = account(), account("administrator"), account("administrator")
    with pytest.raises(Forbidden):
        desk.ask(asking, by=asking, paper="passport", birth=BIRTH)
    made = desk.ask(lost, by=asking, paper="passport", birth=BIRTH)
    with pytest.raises(Conflict):
        desk.ask(lost, by=other, paper="passport", birth=BIRTH)
    with pytest.raises(Forbidden):
        desk.approve(made.pk, by=asking)
    desk.approve(made.pk, by=other)
    with pytest.raises(Conflict):
        desk.approve(made.pk, by=other)


def test_the_database_itself_refuses_one_person_for_two(client: Client, account: Make) -> None:
    from django.db import IntegrityError, transaction

    from hygie.domains.sign_in.orm import Recovery
    from hygie.domains.sign_in.service import desk

    lost, alone = account(), account("administrator")
    made = desk.ask(lost, by=alone, paper="passport", birth=BIRTH)
    with pytest.raises(IntegrityError), transaction.atomic():
        Recovery.objects.filter(pk=made.pk).update(approved_by=alone)


def test_a_recovered_account_has_new_words_no_factor_no_session_and_level_one(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    from hygie.domains.sign_in.service import codes, desk

    lost, asking, other = account(), account("administrator"), account("administrator")
    thief = site.client()
    sign_in(lost, by=thief)
    codes.print_list(lost)
    made = desk.ask(lost, by=asking, paper="passport", birth=BIRTH)
    _, code = desk.approve(made.pk, by=other)
    client.post("/sign-in/activate/", _sheet(code))
    assert is_in(client)
    lost.refresh_from_db()
    assert lost.check_password(NEW)
    assert not lost.has_strong_factor()
    assert thief.get("/account/security/").status_code == 302
    assert desk.open_of(lost) is None


def test_the_sheet_of_a_recovery_opens_after_the_delay(client: Client, account: Make) -> None:
    from django.utils import timezone

    from hygie.domains.sign_in.orm import Code
    from hygie.domains.sign_in.service import codes, desk

    made = desk.ask(account(), by=account("administrator"), paper="passport", birth=BIRTH)
    _, code = desk.approve(made.pk, by=account("administrator"))
    sheet = Code.objects.filter(account=made.account, kind=CodeKind.RECOVERY)
    sheet.update(opens=timezone.now() + timedelta(hours=23))
    assert codes.use_sheet(code, BIRTH) is None
    sheet.update(opens=timezone.now())
    assert codes.use_sheet(code, BIRTH) is not None


def test_every_channel_tells_of_a_recovery_and_the_person_stops_it(
    site: Site, client: Client, account: Make, sign_in: SignIn
) -> None:
    from django.utils import timezone

    from hygie.domains.sign_in.service import codes, desk

    lost = account(phone="+33612345678", phone_proved=timezone.now())
    made = desk.ask(lost, by=account("administrator"), paper="passport", birth=BIRTH)
    told = set(lost.messages.values_list("channel", flat=True))
    assert told == {Channel.EMAIL, Channel.SMS}
    _, code = desk.approve(made.pk, by=account("administrator"))
    client.force_login(lost)
    assert "Ce n’est pas moi" in _words(client.get("/account/security/"))
    client.post("/account/security/stop/")
    assert codes.use_sheet(code, BIRTH) is None


def test_who_has_neither_address_nor_telephone_gets_a_letter(
    site: Site, client: Client, account: Make
) -> None:
    from hygie.domains.sign_in.service import codes

    made = account(email="")
    codes.print_list(made)
    letter = made.messages.get()
    assert letter.channel == Channel.LETTER
    clerk = site.client("operateur")
    assert made.display_name in _words(clerk.get("/establishment/accounts/letters/"))
    clerk.post("/establishment/accounts/letters/printed/", {"letter": [letter.pk]})
    letter.refresh_from_db()
    assert letter.sent


def test_what_happened_to_an_account_cannot_be_changed(client: Client, account: Make) -> None:
    from django.db import InternalError, transaction
    from django.db.utils import ProgrammingError

    from hygie.domains.sign_in.service import codes

    made = account()
    codes.print_list(made)
    rows = made.events.all()
    acts: tuple[Callable[[], Any], ...] = (
        lambda: rows.update(what="nothing"),
        lambda: rows._raw_delete(rows.db),
    )
    for act in acts:
        with pytest.raises((InternalError, ProgrammingError)), transaction.atomic():
            act()


def test_kept_codes_give_a_new_password_without_the_former_one(
    client: Client, account: Make
) -> None:
    import time

    from allauth.mfa.models import Authenticator

    from hygie.domains.sign_in.model.steps import SECONDS, code_at, new_secret
    from hygie.domains.sign_in.service import factors
    from hygie.domains.sign_in.service.keys import seal

    made, secret = account(), new_secret()
    Authenticator.objects.create(user=made, type="totp", data={"secret": seal(secret)})
    spare = factors.new_recovery_codes(made)[0]
    sent = {"login": made.username, "recovery": spare, "password1": NEW, "password2": NEW}
    client.post("/sign-in/recover/", {**sent, "code": "000000"})
    assert not is_in(client)
    client.post("/sign-in/recover/", {**sent, "code": code_at(secret, int(time.time()) // SECONDS)})
    assert is_in(client)
    made.refresh_from_db()
    assert made.check_password(NEW)
    assert not made.check_password(PASSWORD)


def test_a_notice_of_another_domain_becomes_one_sentence_a_day_without_its_subject(
    site: Site, client: Client
) -> None:
    from hygie.domains.sign_in import jobs
    from hygie.domains.sign_in.orm import Message
    from hygie.kernel.outbox import queue
    from hygie.kernel.outbox.job import Event
    from hygie.testing.stories import LUCIE

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, site.loop).result(30)

    async def put() -> None:
        repository = site.platform.repository
        assert repository
        party = await repository.party_number(f"Patient/{LUCIE}")
        payload = json.dumps({"what": "new-document", "party": party}).encode()
        async with repository.database.connection() as connection, connection.transaction():
            await queue.put(connection, [Event("notice", payload)])

    for _ in range(2):
        run(put())
        run(jobs.deliver(site.platform))
    (told,) = Message.objects.filter(account__username="lucie", text__contains="vous attend")
    assert "document" not in told.text
    assert told.channel == Channel.EMAIL


def test_a_practice_prints_a_sheet_for_its_patient(site: Site, client: Client) -> None:
    from hygie.domains.sign_in.orm import User
    from hygie.testing.stories import NORA

    former = User.objects.get(username="nora")
    User.objects.filter(pk=former.pk).update(password="!", last_login=None)
    try:
        client.post("/sign-in/", {"login": "dr.petit", "password": PASSWORD})
        assert "Nora" in _words(client.get(f"/professional/accounts/{NORA}/"))
        sheet = _words(client.post(f"/professional/accounts/{NORA}/"))
        assert re.search(r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", sheet)
        assert former.events.filter(what=Told.SHEET_PRINTED, by__username="dr.petit").exists()
    finally:
        User.objects.filter(pk=former.pk).update(password=former.password)
        former.codes.all().delete()


def test_who_may_not_read_a_record_prints_no_sheet_for_it(site: Site, client: Client) -> None:
    from hygie.testing.stories import NORA

    client.post("/sign-in/", {"login": "dr.lang", "password": PASSWORD})
    assert client.get(f"/professional/accounts/{NORA}/").status_code == 404


def test_the_operator_lets_an_account_enrol_anew(
    client: Client, account: Make, sign_in: SignIn
) -> None:
    from hygie.domains.sign_in.service import codes, forget_factors

    made = account()
    sign_in(made)
    client.get("/account/security/")
    codes.print_list(made)
    assert forget_factors(made.username.upper())
    assert not made.has_strong_factor()
    assert client.get("/account/security/").status_code == 302
    assert made.events.filter(what=Told.RECOVERED).exists()
    assert not forget_factors("nobody-at-all")
