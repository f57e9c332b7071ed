"""Recovery at the desk: one person asks with the owner present, another one approves.

The sheet opens after a delay, and every channel that is known tells of it: the owner of an account
that somebody else tries to take sees it, and stops it from any session or at the desk.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from hygie.domains.sign_in.model.accounts import Kind
from hygie.domains.sign_in.model.codes import CodeKind
from hygie.domains.sign_in.model.recovering import NEXT, OPEN, Stage, delay_of
from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.orm import Code, Recovery, User
from hygie.domains.sign_in.service import codes, factors, sessions
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.errors import Conflict, Forbidden
from hygie.kernel.web.bridge import platform

PAPERS = ("identity-card", "passport", "residence-permit", "driving-licence")
"""What the person shows."""


def ask(account: User, *, by: User, paper: str, birth: date) -> Recovery:
    """Ask for a recovery, with the person and an identity paper at the desk.

    Raises:
        Forbidden: the account is one's own, or is one of those that approve.
        Conflict: a recovery is open already.
    """
    if account.pk == by.pk:
        raise Forbidden("Nobody recovers their own account. Ask a colleague.")
    try:
        with transaction.atomic():
            made = Recovery.objects.create(
                account=account,
                stage=Stage.ASKED.value,
                paper=paper,
                birth=codes.of_birth(account.pk, birth),
                asked=timezone.now(),
                asked_by=by,
            )
            tell(account, Told.RECOVERY_ASKED, by=by, detail=paper)
    except IntegrityError as twice:
        raise Conflict("A recovery of this account is open already.") from twice
    return made


def approve(pk: int, *, by: User) -> tuple[Recovery, str]:
    """Approve the request of a colleague; return it and the code of the sheet to print.

    Raises:
        Forbidden: one asked for it oneself, or it is about one's own account.
        Conflict: it is over, or was approved already.
    """
    with transaction.atomic():
        found = _move(pk, Stage.APPROVED)
        if by.pk in {found.asked_by_id, found.account_id}:
            raise Forbidden("The request of a recovery is approved by another person.")
        realm = platform().settings.identities
        found.approved, found.approved_by = timezone.now(), by
        found.opens = found.approved + delay_of(realm, at=timezone.localdate())
        found.save()
        code = codes.print_recovery_sheet(found, by=by)
        tell(found.account, Told.RECOVERY_APPROVED, by=by)
    return found, code


def refuse(pk: int, *, by: User) -> None:
    """Refuse the request of a colleague."""
    with transaction.atomic():
        found = _close(pk, Stage.REFUSED)
        tell(found.account, Told.RECOVERY_REFUSED, by=by)


def stop(account: User, *, by: User | None = None) -> bool:
    """Stop an open recovery, which the person never asked for; tell whether there was one."""
    with transaction.atomic():
        found = open_of(account)
        if found is None:
            return False
        _close(found.pk, Stage.STOPPED)
        Code.objects.filter(account=account, kind=CodeKind.RECOVERY.value, used=None).delete()
        tell(account, Told.RECOVERY_STOPPED, by=by or account)
    return True


def finish(account: User) -> None:
    """Forget the former factors and sessions of an account whose recovery sheet was just used."""
    found = open_of(account)
    if found is not None:
        _close(found.pk, Stage.DONE)
    factors.forget_all(account, *CodeKind)
    sessions.end_all(account)


def open_of(account: Any) -> Recovery | None:
    """Return the open recovery of an account."""
    return Recovery.objects.filter(account_id=account.pk, ended=None).first()


def open_ones() -> QuerySet[Recovery]:
    """Return the open recoveries, oldest first."""
    stages = [one.value for one in OPEN]
    found = Recovery.objects.filter(stage__in=stages).order_by("asked")
    return found.select_related("account", "asked_by", "approved_by")


def account_of(reference: str) -> User | None:
    """Return the account of a patient."""
    return User.objects.filter(fhir_reference=reference, kind=Kind.PATIENT.value).first()


def is_in_use(account: User) -> bool:
    """Tell whether somebody enters an account already, by whatever door: no sheet activates it.

    Who came by an outside identity has no password here, and an account all the same.
    """
    return bool(account.has_usable_password() or account.has_strong_factor() or account.last_login)


def open_account(reference: str, name: str) -> User:
    """Return the account of a patient, made without a password where there is none."""
    found = account_of(reference)
    if found is not None:
        return found
    account = User(
        username=f"p{codes.digits(9)}",
        display_name=name[:200],
        kind=Kind.PATIENT.value,
        fhir_reference=reference,
    )
    account.set_unusable_password()
    account.save()
    return account


def _move(pk: int, to: Stage) -> Recovery:
    found = Recovery.objects.select_for_update().filter(pk=pk).first()
    if found is None or to not in NEXT[Stage(found.stage)]:
        raise Conflict("This recovery is over, or somebody else went on with it.")
    found.stage = to.value
    return found


def _close(pk: int, to: Stage) -> Recovery:
    found = _move(pk, to)
    found.ended = timezone.now()
    found.save()
    return found
