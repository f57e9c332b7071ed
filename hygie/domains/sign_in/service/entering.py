"""Ways in beside the password: a printed sheet, and a recovery by codes that were kept."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from hygie.domains.sign_in.model.codes import CodeKind
from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.orm import User
from hygie.domains.sign_in.service import codes, desk, proving, sessions
from hygie.domains.sign_in.service.door import find
from hygie.domains.sign_in.service.limiting import take_by_address
from hygie.domains.sign_in.service.pacing import evenly
from hygie.domains.sign_in.service.telling import tell

if TYPE_CHECKING:
    from django.http import HttpRequest


def enter_by_sheet(request: HttpRequest, code: str, birth: date, *, password: str) -> User | None:
    """Set the password of the account of a sheet; None where the sheet opens nothing.

    A recovered account loses its former factors and sessions. Refusals take the same time and look
    alike: no sheet, one that was used, one that is not open yet, another birth date.

    Raises:
        ValidationError: the password is too weak; the sheet is not used up.
    """
    validate_password(password)
    with evenly():
        if not take_by_address(request, "sheet"):
            return None
        with transaction.atomic():
            sheet = codes.use_sheet(code, birth)
            if sheet is None:
                return None
            account = sheet.account
            if sheet.kind == CodeKind.RECOVERY:
                desk.finish(account)
            elif account.last_login is not None:
                return None  # its person came by another door since it was printed
    _set_password(account, password)
    recovered = sheet.kind == CodeKind.RECOVERY
    tell(account, Told.RECOVERED if recovered else Told.ACTIVATED, by=sheet.made_by)
    return account


def enter_by_codes(
    request: HttpRequest, name: str, recovery: str, *, code: str, password: str
) -> User | None:
    """Set a new password by two things somebody has: a recovery code and the application's code.

    None where they are not right; the same answer in the same time where there is no such account.

    Raises:
        ValidationError: the password is too weak; no code is used up.
    """
    validate_password(password)
    with evenly():
        if not take_by_address(request, "sheet"):
            return None
        account = find(name)
        if account is None or not account.is_active or not proving.count(request, account):
            return None
        with transaction.atomic():
            if not _both(account, recovery, code):
                transaction.set_rollback(True)  # one right code is not used up by a wrong one
                return None
    _set_password(account, password)
    tell(account, Told.RECOVERED)
    for method in ("recovery-code", "totp"):
        proving.record(request, account, proving.Given(method))
    return account


def change_password(request: HttpRequest, account: User, password: str) -> None:
    """Set the password of who is signed in; every other session ends.

    Raises:
        ValidationError: the password is too weak.
    """
    validate_password(password, account)
    account.set_password(password)
    account.save(update_fields=["password"])
    update_session_auth_hash(request, account)
    sessions.end_all(account, but=request.session.session_key or "")
    tell(account, Told.PASSWORD_CHANGED)


def _both(account: User, recovery: str, code: str) -> bool:
    """Use a recovery code and a code of the application, in whatever order they were typed."""
    found = [proving.proven_by(account, text) for text in (recovery, code)]
    return {one.method for one in found if one is not None} == {"recovery-code", "totp"}


def _set_password(account: User, password: str) -> None:
    account.set_password(password)
    account.save()
    sessions.end_all(account)
