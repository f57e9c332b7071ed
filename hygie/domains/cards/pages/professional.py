"""Reading a carte Vitale or an apCV, on the professional's side."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from hygie.domains.cards.fhir import Reading
from hygie.domains.cards.model.presentation import LARGEST, Presentation, from_bytes, from_text
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.tables import lasts
from hygie.domains.cards.service import challenges
from hygie.domains.cards.service import vitale as service
from hygie.domains.cards.service.trust import installation_of
from hygie.domains.cards.service.vitale import Verified
from hygie.kernel.errors import Conflict, Forbidden, NotFound
from hygie.kernel.security.secret import Sealer
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.frame import tabs

if TYPE_CHECKING:
    from hygie.domains.cards.model.installation import Vitale

log = logging.getLogger(__name__)
KEPT, READER = "hygie_card_read_out", "read-out"
SIMULATORS = ("vitale-reader", "apcv-presentation")
GROUP = 4


@never_cache
@require_http_methods(["GET", "POST"])
def read(request: HttpRequest) -> HttpResponse:
    """Give a challenge, and take the answer of a card."""
    vitale = _vitale()
    if request.method == "GET":
        return _asked(request, vitale)
    try:
        challenge = "".join(request.POST.get("challenge", "").split())
        asked = challenges.check_waits(request, challenge)
        realm = platform().settings.identities
        verified = service.verify(_presented(request), vitale, asked, realm=realm)
        challenges.close(request, challenge)
    except CardRefused as refused:
        log.warning("cards.vitale_refused", extra={"reason": refused.why.value})
        return _asked(request, vitale, why=refused.why.value)
    _remember(request, verified)
    return redirect("professional:cards:rights")


@never_cache
@require_http_methods(["GET", "HEAD"])
def rights(request: HttpRequest) -> HttpResponse:
    """Show the people of the card that was read, and the rights of the one who is chosen."""
    verified = _recall(request)
    if verified is None:
        return redirect("professional:cards:read")
    people = verified.content.beneficiaries
    number = _chosen(request.GET.get("person", "0" if len(people) == 1 else ""), len(people))
    context: dict[str, Any] = {"people": people, "number": number, "kind": verified.kind}
    if number is not None:
        context |= _about(request, verified, number)
    return render(request, "cards/rights.html", context)


@never_cache
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the rights of the chosen person in their record."""
    verified = _recall(request)
    if verified is None:
        return redirect("professional:cards:read")
    number = _chosen(request.POST.get("person", ""), len(verified.content.beneficiaries))
    if number is None:
        return redirect("professional:cards:rights")
    reading = Reading(
        verified.content,
        verified.content.beneficiaries[number],
        verified.kind,
        verified.proof,
        simulated=_is_simulated(),
    )
    try:
        ask(service.keep(repository(), caller_of(request), reading, at=timezone.now()))
        done = "kept"
    except Conflict:
        done = "differs"
    except (Forbidden, NotFound):
        done = "refused"
    query = urlencode({"person": number, "done": done})
    return redirect(f"{reverse('professional:cards:rights')}?{query}")


def _about(request: HttpRequest, verified: Verified, number: int) -> dict[str, Any]:
    one = verified.content.beneficiaries[number]
    found = ask(service.find(repository(), caller_of(request), one))
    record = ""
    if found.mine and found.person is not None:
        links = tabs(request, "professional", found.person.reference.partition("/")[2])
        record = links[0].url if links else ""
    return {
        "one": one,
        "payor": verified.content.payor,
        "running": one.period_on(timezone.localdate()),
        "found": found,
        "record": record,
        "done": request.GET.get("done", ""),
        "simulated": _is_simulated(),
    }


def _asked(request: HttpRequest, vitale: Vitale, *, why: str = "") -> HttpResponse:
    asked = challenges.give(request)
    query = urlencode({"challenge": asked.challenge, "terminal": asked.terminal})
    places = [f"{vitale.simulator}{name}/?{query}" for name in SIMULATORS if vitale.simulator]
    context = {
        "challenge": asked.challenge,
        "shown": " ".join(
            asked.challenge[at : at + GROUP] for at in range(0, len(asked.challenge), GROUP)
        ),
        "terminal": asked.terminal,
        "simulators": places,
        "simulated": _is_simulated(),
        "why": why,
    }
    return render(request, "cards/read.html", context, status=400 if why else 200)


def _presented(request: HttpRequest) -> Presentation:
    sent = request.FILES.get("bytes")
    if sent is not None:
        return from_bytes(sent.read(LARGEST + 1))
    text = request.POST.get("presentation", "")
    if not text.strip():
        raise CardRefused(Why.UNREADABLE)
    return from_text(text)


def _remember(request: HttpRequest, verified: Verified) -> None:
    now = timezone.now()
    until = (now + lasts("read-out", now.date())).timestamp()
    sealed = _sealer().seal(msgspec.json.encode(verified), reader=READER)
    request.session[KEPT] = {"sealed": sealed, "until": until}


def _recall(request: HttpRequest) -> Verified | None:
    kept = request.session.get(KEPT)
    if not kept or kept["until"] < timezone.now().timestamp():
        return None
    return msgspec.json.decode(_sealer().open(kept["sealed"], reader=READER), type=Verified)


def _sealer() -> Sealer:
    return Sealer(str(django_settings.SECRET_KEY), purpose="card read-out")


def _chosen(text: str, people: int) -> int | None:
    return int(text) if text.isdecimal() and int(text) < people else None


def _is_simulated() -> bool:
    """Tell whether no real card can have been read here: outside production, none can."""
    return platform().settings.identities != "production"


def _vitale() -> Vitale:
    found = installation_of(platform().settings).vitale
    if found is None:
        raise NotFound("This installation reads no carte Vitale.")
    return found


app_name = "cards"
urlpatterns = [
    path("", read, name="read"),
    path("rights/", rights, name="rights"),
    path("keep/", keep, name="keep"),
]
