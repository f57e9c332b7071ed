"""Sign in by the telephone of the professional (CIBA): nothing is typed here but a number."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language

from hygie.domains.federation.pages.address import base_of, wanted
from hygie.domains.federation.pages.arriving import arrive
from hygie.domains.federation.pages.entering import stopped
from hygie.domains.federation.service.calling import may_call
from hygie.domains.federation.service.openid import backchannel
from hygie.domains.federation.service.openid.backchannel import Asked
from hygie.domains.federation.service.providers import known_of, seen_from
from hygie.domains.federation.service.sealing import seal, unseal
from hygie.kernel.errors import Forbidden, InvalidRequest, NotFound
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from hygie.domains.federation.service.openid.metadata import Known

PHONE, READER = "hygie_outside_phone", "phone"


def ask_number(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask the national number, and have the telephone called."""
    known = _with_phone(provider)
    if request.method != "POST":
        return render(request, "federation/phone.html", {"next": wanted(request)})
    number = "".join(request.POST.get("number", "").split())
    if not may_call(provider, number):
        return stopped(request, "phone-often", provider=provider)
    try:
        asked = backchannel.ask(known, who=number, language=get_language() or "fr")
    except InvalidRequest:
        context = {"wrong": True, "number": number[:40]}
        return render(request, "federation/phone.html", context, status=400)
    except Forbidden:
        return stopped(request, "no-phone", provider=provider)
    kept = {
        "asked": msgspec.to_builtins(asked),
        "until": time.time() + asked.lasts,
        "last": 0.0,
        "back": wanted(request),
        "who": number,
    }
    request.session[PHONE] = seal(kept, reader=provider)
    return redirect("federation_phone_wait", provider=provider)


def wait(request: HttpRequest, provider: str) -> HttpResponse:
    """Show the letters to compare; at each press of the button look whether the phone approved."""
    known = _with_phone(provider)
    sealed = request.session.get(PHONE)
    if not sealed:
        return redirect("federation_phone", provider=provider)
    kept = unseal(sealed, reader=provider)
    asked = Asked(**kept["asked"])
    if kept["until"] < time.time():
        del request.session[PHONE]
        return stopped(request, "phone-late", provider=provider)
    soon = time.time() - kept["last"] < asked.every
    if request.method == "POST" and not soon:
        request.session[PHONE] = seal({**kept, "last": time.time()}, reader=provider)
        try:
            proven = backchannel.poll(known, asked, at=timezone.now())
        except Forbidden:
            del request.session[PHONE]
            return stopped(request, "phone-refused", provider=provider)
        if proven is not None:
            del request.session[PHONE]
            return arrive(request, proven, kept["back"])
    context = {
        "words": asked.words,
        "looked": request.method == "POST",
        "telephone": _telephone(request, known, kept["who"]),
    }
    return render(request, "federation/phone_wait.html", context)


def _with_phone(name: str) -> Known:
    known = known_of(platform().settings, name)
    if not known.provider.ciba:
        raise NotFound("This provider calls no telephone.")
    return known


def _telephone(request: HttpRequest, known: Known, who: str) -> str:
    """Return where the simulated telephone is; empty for a real provider."""
    if not known.provider.simulator:
        return ""
    address = f"{known.provider.issuer}/phone?who={who}&ui_locales={get_language()}"
    return seen_from(known, address, base=base_of(request))
