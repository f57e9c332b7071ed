"""From a proven identity to an account: by its link, by strict traits, or by nothing.

The kernel knows accounts by ``get_user_model``; a person of the record is ``fhir_reference``.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from hygie.domains.federation.orm import Link
from hygie.domains.federation.service.openid.client import Proven
from hygie.kernel.errors import Conflict, Forbidden

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who gets an account: the person of the record, how they are called, their portal's kind."""

    reference: str
    name: str
    kind: str


def linked(proven: Proven) -> Any | None:
    """Return the account that this very identity signs into, None where it is not linked.

    Found by realm, issuer and subject alone. A link is used or refused whole.

    Raises:
        Forbidden: the account is closed.
    """
    found = _links(proven).select_related("account").first()
    if found is None:
        return None
    if not found.account.is_active:
        log.warning("federation.refused", extra={"reason": "closed", "link": found.pk})
        raise Forbidden("This account is closed. Ask at the desk.")
    Link.objects.filter(pk=found.pk).update(last_used=timezone.now())
    return found.account


def link(proven: Proven, newcomer: Newcomer, *, made: str, open_account: bool) -> Any | None:
    """Link an identity to the account of its person and return it; None where there is none.

    An account is opened for who has none, when ``open_account``.

    Raises:
        Forbidden: the person's account is closed.
        Conflict: the identity was linked to another account meanwhile.
    """
    with transaction.atomic():
        account = _account(newcomer, open_account=open_account)
        if account is None:
            return None
        return attach(proven, account, made=made)


def attach(proven: Proven, account: Any, *, made: str) -> Any:
    """Link an identity to an account, once.

    Raises:
        Conflict: the identity is linked to another account.
    """
    provider = proven.provider
    try:
        with transaction.atomic():
            made_now = Link.objects.create(
                realm=provider.realm,
                issuer=provider.issuer,
                subject=proven.subject,
                provider=provider.name,
                account=account,
                made=made,
                last_used=timezone.now(),
            )
    except IntegrityError as twice:
        known = _links(proven).first()
        if known is None or known.account_id != account.pk:
            raise Conflict("This identity is linked to another account already.") from twice
        return account
    log.info(
        "federation.linked",
        extra={"provider": provider.name, "link": made_now.pk, "made": made},
    )
    return account


def account_by_number(number: int) -> Any | None:
    """Return an account by its number, None where there is none."""
    return _accounts().filter(pk=number).first()


def _accounts() -> Any:
    return get_user_model()._default_manager  # noqa: SLF001  Django documents it


def _links(proven: Proven) -> Any:
    provider = proven.provider
    return Link.objects.filter(realm=provider.realm, issuer=provider.issuer, subject=proven.subject)


def _account(newcomer: Newcomer, *, open_account: bool) -> Any | None:
    held = _accounts().filter(fhir_reference=newcomer.reference, kind=newcomer.kind)
    found = held.order_by("-is_active", "pk").first()
    if found is not None and not found.is_active:
        raise Forbidden("This account is closed. Ask at the desk.")
    if found is not None or not open_account:
        return found
    account: Any = get_user_model()(
        username=f"{newcomer.kind}-{secrets.token_hex(6)}",
        display_name=newcomer.name[:200],
        kind=newcomer.kind,
        fhir_reference=newcomer.reference,
    )
    account.set_unusable_password()
    account.save()
    log.info("federation.account_opened", extra={"account": account.pk, "kind": newcomer.kind})
    return account
