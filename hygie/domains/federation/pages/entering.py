"""The two ends of every way in: a session that opens, or a page that says why none does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect, render
from django.utils import timezone

from hygie.domains.federation.service import leaving
from hygie.domains.federation.service.openid.client import Proven
from hygie.kernel.web.authentication import Proof, enter

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)


def sign_in(request: HttpRequest, account: Any, proven: Proven, back: str) -> HttpResponse:
    """Open the session of an account that a provider proved."""
    kind = proven.provider.kind
    enter(request, account, Proof(kind.method, timezone.now().timestamp(), proven.acr))
    leaving.keep(request, proven)
    log.info(
        "federation.signed_in",
        extra={"provider": proven.provider.name, "acr": proven.acr, "account": account.pk},
    )
    return redirect(back or "home")


def stopped(request: HttpRequest, why: str, *, provider: str) -> HttpResponse:
    """Show why nobody was signed in, and what to do; ``why`` is a word of the template."""
    log.warning("federation.refused", extra={"reason": why, "provider": provider})
    return render(request, "federation/stopped.html", {"why": why}, status=403)
