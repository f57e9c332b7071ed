"""Make one-time codes, and use each of them once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from hygie.domains.sign_in.model.codes import (
    DIGITS,
    CodeKind,
    Shape,
    fingerprint,
    heard,
    make,
    shape_of,
    spoken,
)
from hygie.domains.sign_in.model.telling import Channel, Told
from hygie.domains.sign_in.orm import Code, Recovery, User
from hygie.domains.sign_in.service.keys import code_key
from hygie.domains.sign_in.service.sending import sender_of
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.errors import NotSupported
from hygie.kernel.web.bridge import platform

ON_A_LIST = 20
"""Codes printed on one list."""
ANYBODY = 0
"""Sheets are found by their code alone: the person types no login."""


def print_list(account: User) -> list[str]:
    """Return a new list of paper codes; those of older lists are void."""
    with transaction.atomic():
        _void(account, CodeKind.PAPER)
        codes = [_keep(account, CodeKind.PAPER, number=place) for place in range(1, ON_A_LIST + 1)]
        tell(account, Told.CODES_PRINTED)
    return [spoken(code) for code in codes]


def send_by_sms(account: User, to: str = "") -> None:
    """Send a code to the proven telephone of an account, or to one that is being proven.

    What goes to the latter proves that telephone, and never the person.

    Raises:
        NotSupported: the operator opened no way to send messages.
        Unavailable: the gateway did not take it.
    """
    sender = sender_of(Channel.SMS, platform().settings)
    if sender is None:
        raise NotSupported("No gateway of messages is set. Use a printed list of codes.")
    with transaction.atomic():
        _void(account, CodeKind.SMS)
        code = _keep(account, CodeKind.SMS, bound=to)
    sender.send(to or account.phone, _("Hygie : votre code est %s.") % spoken(code))


def print_sheet(account: User, birth: date, *, by: User) -> str:
    """Return the code of a new activation sheet, ready to be read aloud; older ones are void."""
    with transaction.atomic():
        _void(account, CodeKind.ACTIVATION)
        proof = of_birth(account.pk, birth)
        code = _keep(account, CodeKind.ACTIVATION, birth=proof, made_by=by)
        tell(account, Told.SHEET_PRINTED, by=by)
    return spoken(code)


def print_recovery_sheet(recovery: Recovery, *, by: User) -> str:
    """Return the code of the sheet of an approved recovery, which opens after its delay."""
    account = recovery.account
    _void(account, CodeKind.RECOVERY)
    proof = bytes(recovery.birth)
    return spoken(_keep(account, CodeKind.RECOVERY, birth=proof, made_by=by, opens=recovery.opens))


def digits(count: int) -> str:
    """Return random digits, for a login that is easily dictated."""
    return make(Shape(count, DIGITS, timedelta(0), 0))


def use(account: User, kind: CodeKind, typed: str, *, bound: str = "") -> bool:
    """Use a code of an account, once; a wrong one counts against those that are valid.

    ``bound`` is the telephone that the code is to prove.
    """
    text = heard(typed) + bound
    wanted = fingerprint(code_key(), account=account.pk, kind=kind, text=text)
    with transaction.atomic():
        live = _live(account, kind)
        # The update is the test: of two requests with one code, one changes a row.
        if live.filter(hash=wanted).update(used=timezone.now()):
            return True
    most = shape_of(kind, at=timezone.localdate()).tries
    if kind is CodeKind.SMS:
        live.update(tries=F("tries") + 1)
        live.filter(tries__gte=most).update(used=timezone.now())
    return False


def use_sheet(typed: str, birth: date) -> Code | None:
    """Use a sheet, once, by its code and the birth date of its person.

    Too many wrong dates make it void.
    """
    for kind in (CodeKind.ACTIVATION, CodeKind.RECOVERY):
        wanted = fingerprint(code_key(), account=ANYBODY, kind=kind, text=heard(typed))
        with transaction.atomic():
            sheet = _open_sheet(wanted)
            if sheet is None:
                continue
            if bytes(sheet.birth) == of_birth(sheet.account_id, birth):
                sheet.used = timezone.now()
                sheet.save(update_fields=["used"])
                return sheet
            sheet.tries += 1
            if sheet.tries >= shape_of(kind, at=timezone.localdate()).tries:
                sheet.used = timezone.now()
            sheet.save(update_fields=["tries", "used"])
    return None


def left(account: User) -> int:
    """Return how many paper codes are left."""
    return _live(account, CodeKind.PAPER).count()


def _open_sheet(wanted: bytes) -> Code | None:
    now = timezone.now()
    found = Code.objects.select_for_update().filter(hash=wanted, used=None, expires__gt=now)
    return found.filter(opens__lte=now, account__is_active=True).first()


def _live(account: User, kind: CodeKind) -> QuerySet[Code]:
    return Code.objects.filter(
        account=account, kind=kind.value, used=None, expires__gt=timezone.now()
    )


def _keep(
    account: User,
    kind: CodeKind,
    *,
    opens: datetime | None = None,
    bound: str = "",
    **kept: Any,
) -> str:
    """Make a code and store its fingerprint; ``kept`` are other columns of its row.

    ``bound`` is the telephone that the code is to prove.
    """
    shape = shape_of(kind, at=timezone.localdate())
    code, start = make(shape), opens or timezone.now()
    owner = ANYBODY if kept.get("birth") else account.pk
    Code.objects.create(
        account=account,
        kind=kind.value,
        hash=fingerprint(code_key(), account=owner, kind=kind, text=code + bound),
        made=timezone.now(),
        opens=start,
        expires=start + shape.lasts,
        **kept,
    )
    return code


def of_birth(account: int, birth: date) -> bytes:
    """Return the fingerprint of a birth date: an account does not store the date itself."""
    return fingerprint(code_key(), account=account, kind="birth", text=birth.isoformat())


def _void(account: User, kind: CodeKind) -> None:
    _live(account, kind).update(used=timezone.now())
