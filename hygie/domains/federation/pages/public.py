"""Going to a provider, coming back from it, and leaving it."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from joserfc.jwk import RSAKey

from hygie.domains.federation.pages.address import base_of, here, wanted
from hygie.domains.federation.pages.arriving import arrive, waiting
from hygie.domains.federation.pages.choosing import choose
from hygie.domains.federation.pages.entering import stopped
from hygie.domains.federation.pages.phone import ask_number, wait
from hygie.domains.federation.service import leaving
from hygie.domains.federation.service.attempts import recall, remember
from hygie.domains.federation.service.openid import client
from hygie.domains.federation.service.providers import known_of, seen_from
from hygie.kernel.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    HygieError,
    InvalidRequest,
    Unavailable,
)
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
View = Callable[..., "HttpResponse"]
WHY: dict[type[HygieError], str] = {
    Unavailable: "unavailable",
    ConfigurationError: "unavailable",
    Conflict: "conflict",
    Forbidden: "failed",
    InvalidRequest: "failed",
}


def told(view: View) -> View:
    """Show a page that says what to do for each refusal on the way, and log why.

    The sentences of these refusals name nobody.
    """

    @functools.wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: str) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except tuple(WHY) as refused:
            log.warning("federation.stopped", extra={"why": str(refused)})
            return stopped(
                request,
                next(word for kind, word in WHY.items() if isinstance(refused, kind)),
                provider=kwargs.get("provider", ""),
            )

    return never_cache(shown)


@told
@require_GET
def start(request: HttpRequest, provider: str) -> HttpResponse:
    """Send the browser to a provider."""
    known = known_of(platform().settings, provider)
    address, attempt = client.begin(
        known,
        redirect_uri=here(request, "federation_callback", provider),
        language=get_language() or "fr",
    )
    remember(request, provider, attempt, back=wanted(request))
    return redirect(seen_from(known, address, base=base_of(request)))


@told
@require_GET
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Take the browser back: the state first, then everything the provider says."""
    known = known_of(platform().settings, provider)
    answer = {name: str(value) for name, value in request.GET.items()}
    attempt, back = recall(request, provider, answer.get("state", ""))
    if "error" in answer:
        why = "cancelled" if answer["error"] == "access_denied" else "failed"
        return stopped(request, why, provider=provider)
    proven = client.finish(known, answer, attempt, at=timezone.now())
    return arrive(request, proven, back)


@told
@require_GET
def leave(request: HttpRequest, key: str) -> HttpResponse:
    """Go on from our sign-out to the provider's: at once, or by the link."""
    name, token = leaving.take(key)
    known = known_of(platform().settings, name)
    address = client.logout_address(
        known,
        token,
        back=here(request, "federation_left", name),
        state=secrets.token_urlsafe(24),
    )
    if not address:
        return redirect("start")
    context = {"address": seen_from(known, address, base=base_of(request))}
    return render(request, "federation/leaving.html", context)


@never_cache
@require_GET
def left(request: HttpRequest, provider: str) -> HttpResponse:
    """Say that both sessions are over."""
    del provider
    return render(request, "federation/left.html")


@require_GET
def keys(_request: HttpRequest, provider: str) -> HttpResponse:
    """Publish the key with which the provider encrypts for us (RFC 7517)."""
    file = known_of(platform().settings, provider).provider.decryption_key_file
    found = []
    if file:
        key = RSAKey.import_key(Path(file).read_bytes(), {"use": "enc", "alg": "RSA-OAEP"})
        found = [{**key.as_dict(private=False), "kid": key.thumbprint()}]
    return JsonResponse({"keys": found})


both = require_http_methods(["GET", "POST"])
urlpatterns = [
    path("<slug:provider>/start/", start, name="federation_start"),
    path("<slug:provider>/callback/", callback, name="federation_callback"),
    path("<slug:provider>/left/", left, name="federation_left"),
    path("<slug:provider>/keys/", keys, name="federation_keys"),
    path("<slug:provider>/phone/", told(both(ask_number)), name="federation_phone"),
    path("<slug:provider>/phone/wait/", told(both(wait)), name="federation_phone_wait"),
    path("choose/", told(both(choose)), name="federation_choose"),
    path("waiting/", told(require_GET(waiting)), name="federation_waiting"),
    path("leaving/<str:key>/", leave, name="federation_leaving"),
]
