"""Make accounts: for the operator's commands and for the demonstration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from hygie.domains.sign_in.model import Kind
from hygie.domains.sign_in.model.codes import CodeKind
from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.orm import User
from hygie.domains.sign_in.service import factors, sessions
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to make; ``reference`` is empty for who is nobody in a record."""

    username: str
    display_name: str
    kind: Kind
    reference: str = ""
    email: str = ""
    rights: tuple[str, ...] = ()


def open_accounts(accounts: Iterable[NewAccount], *, password: str) -> int:
    """Make the accounts, or bring those that exist up to date; return how many were new.

    They share one password, hashed once: for the demonstration. Synchronous: call it from a
    command or a thread, after ``portal.configure``.

    Raises:
        InvalidRequest: the password is too weak.
    """
    try:
        validate_password(password)
    except ValidationError as weak:
        raise InvalidRequest(" ".join(weak.messages)) from weak
    hashed = make_password(password)
    with transaction.atomic():
        return sum(_open(account, hashed) for account in accounts)


def _open(account: NewAccount, hashed: str) -> bool:
    values = {
        "display_name": account.display_name,
        "email": account.email.lower(),
        "kind": account.kind,
        "fhir_reference": account.reference,
        "rights": list(account.rights),
        "password": hashed,
        "is_active": True,
    }
    _, created = User.objects.update_or_create(username=account.username, defaults=values)
    return created


def close_account(username: str) -> str | None:
    """Forbid an account to sign in; return who it was for the API, None when there is none."""
    account = User.objects.filter(username__iexact=username).first()
    if account is None:
        return None
    account.is_active = False
    account.save(update_fields=["is_active"])
    return account.fhir_reference or f"account/{account.pk}"


def forget_factors(username: str) -> bool:
    """Remove every factor and session of an account; tell whether there is one.

    For the operator at the machine, where nobody is left to approve a recovery. The person is told
    by every channel that is known.
    """
    account = User.objects.filter(username__iexact=username).first()
    if account is None:
        return False
    with transaction.atomic():
        tell(account, Told.RECOVERED)
        factors.forget_all(account, *CodeKind)
        account.save(update_fields=["phone", "phone_proved"])
        sessions.end_all(account)
    return True
