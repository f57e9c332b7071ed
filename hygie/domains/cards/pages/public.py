"""The sign-in of a professional by card, on the side of the pages."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from urllib.parse import unquote, urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from hygie.domains.cards.model.installation import Professional
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.service import attempts
from hygie.domains.cards.service.accounts import account_of
from hygie.domains.cards.service.tickets import told_of
from hygie.domains.cards.service.trust import check_card, der_of, installation_of
from hygie.kernel.errors import NotFound
from hygie.kernel.web.authentication import Proof, enter
from hygie.kernel.web.bridge import platform, repository
from hygie.kernel.web.environ import CERTIFICATE_KEY

log = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


def told(view: View) -> View:
    """Answer the refusal of a card with the page that says why."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except CardRefused as refused:
            log.warning("cards.refused", extra={"reason": refused.why.value})
            return _refused(request, refused.why)

    return answer


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Say what is going to happen, and lead to the listener by a link.

    A link and not a form: the listener is another origin, where our forms may not go.
    """
    one = _professional()
    state = attempts.begin(request, back=_wanted(request))
    where = "cards/proxy/" if one.header else "card/"
    address = f"{one.address.rstrip('/')}/{where}?{urlencode({'state': state})}"
    return render(request, "cards/start.html", {"address": address})


@never_cache
@require_GET
@told
def back(request: HttpRequest) -> HttpResponse:
    """Redeem the ticket and open the session of the card's holder."""
    proven = attempts.redeem(request, request.GET.get("ticket", ""))
    account = account_of(repository(), proven)
    enter(request, account, Proof("card", timezone.now().timestamp()))
    log.info("cards.signed_in", extra={"account": account.pk, "serial": proven.serial})
    return redirect(proven.back or "home")


@never_cache
@require_GET
@told
def proxy(request: HttpRequest) -> HttpResponse:
    """Take the certificate that a trusted proxy asked of the browser, as the listener does.

    The edge of this programme keeps the header of trusted proxies alone (``kernel/web/environ``).
    """
    one = _professional()
    passed = request.META.get(CERTIFICATE_KEY, "")
    if not one.header or not passed:
        raise CardRefused(Why.UNREADABLE)
    der = der_of(unquote(passed))
    holder = check_card(one, der, at=timezone.now())
    ticket = attempts.hand_over(request.GET.get("state", ""), told_of(holder, der))
    base = platform().settings.base_url
    return redirect(f"{base}/cards/back/?{urlencode({'ticket': ticket})}")


@never_cache
@require_GET
def refused(request: HttpRequest) -> HttpResponse:
    """Say why the listener refused a card."""
    known = {one.value: one for one in Why}
    return _refused(request, known.get(request.GET.get("why", ""), Why.UNREADABLE))


def _refused(request: HttpRequest, why: Why) -> HttpResponse:
    return render(request, "cards/refused.html", {"why": why.value}, status=403)


def _professional() -> Professional:
    found = installation_of(platform().settings).professional
    if found is None:
        raise NotFound("This installation has no sign-in by card.")
    return found


def _wanted(request: HttpRequest) -> str:
    address = request.GET.get("next", "")[:500]
    ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours and address.startswith("/") else ""


urlpatterns = [
    path("", start, name="cards_start"),
    path("back/", back, name="cards_back"),
    path("proxy/", proxy, name="cards_proxy"),
    path("refused/", refused, name="cards_refused"),
]
