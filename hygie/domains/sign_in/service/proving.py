"""Check what somebody brings as a second proof, and keep what was proven in the session."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from hygie.domains.sign_in.model.codes import CodeKind, heard
from hygie.domains.sign_in.model.steps import accepted_step
from hygie.domains.sign_in.service.codes import use
from hygie.domains.sign_in.service.keys import unseal
from hygie.domains.sign_in.service.limiting import address_of, take
from hygie.kernel.web.authentication import Proof, add_proof

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.domains.sign_in.orm import User

WORDS = {"recovery_codes": "recovery-code", "webauthn": "passkey"}
"""Words of the sign-in library that differ from those of ``definitions/levels.csv``."""


@dataclass(frozen=True, slots=True)
class Given:
    """A second proof that holds: a word of ``definitions/levels.csv``."""

    method: str


def check(request: HttpRequest, account: User, typed: str) -> Given | None:
    """Return what a typed code proves, None where it proves nothing or too many were tried.

    Tries are counted before anything is compared; a right one takes its own count back.
    """
    counted = count(request, account)
    given = proven_by(account, typed) if counted else None
    if given is not None:
        for usage in counted:
            usage.rollback()
    return given


def count(request: HttpRequest, account: User) -> list[Any]:
    """Count one try of a code, outside of any transaction; an empty list where none is left."""
    near = take(request, "code", "address-account", key=f"{address_of(request)}:{account.pk}")
    everywhere = take(request, "code", "account", key=str(account.pk)) if near else None
    return [] if near is None or everywhere is None else [near, everywhere]


def record(request: HttpRequest, account: User, given: Given) -> None:
    """Tell the sign-in library, and by its signal the session, what was proven."""
    record_authentication(request, account, given.method)


def keep(sender: object, request: HttpRequest, method: str, user: User, **told: Any) -> None:
    """Keep a step that the sign-in library completed as a proof of the session."""
    del sender
    word = told.get("type") or method
    add_proof(request, user.pk, Proof(WORDS.get(word, word), time.time()))


def proven_by(account: User, typed: str) -> Given | None:
    """Return what a typed code proves, and use it up."""
    code = heard(typed)
    if _is_of_the_phone(account, code):
        return Given("totp")
    if _is_a_recovery_code(account, code):
        return Given("recovery-code")
    if account.phone_proved and use(account, CodeKind.SMS, code):
        return Given("sms-code")
    return Given("paper-code") if use(account, CodeKind.PAPER, code) else None


def _is_of_the_phone(account: User, code: str) -> bool:
    """Accept a code of the authenticator application at most once, whoever asks meanwhile.

    The last accepted step stands in the row, which stays locked until it is written.
    """
    with transaction.atomic():
        rows = Authenticator.objects.select_for_update().filter(user_id=account.pk, type="totp")
        row = rows.first()
        if row is None:
            return False
        last = row.data.get("last_step", -1)
        step = accepted_step(unseal(row.data["secret"]), code, now=time.time(), after=last)
        if step is None:
            return False
        row.data["last_step"], row.last_used_at = step, timezone.now()
        row.save(update_fields=["data", "last_used_at"])
    return True


def _is_a_recovery_code(account: User, code: str) -> bool:
    row = Authenticator.objects.filter(user_id=account.pk, type="recovery_codes").first()
    return row is not None and bool(row.wrap().validate_code(code))
