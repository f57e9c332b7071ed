"""Keep a session that acts for somebody to that person's record, and nobody else's pages open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import conf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from hygie.kernel.errors import HygieError
from hygie.kernel.store.standing import in_the_name
from hygie.kernel.web.acting import Acting, acting_of, over, stop_acting
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import account_of, caller_of
from hygie.kernel.web.middleware import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PORTAL = "patient"
"""The pages where one acts for somebody."""


class one_record:  # noqa: N801  named as Django lists middleware
    """Show, to who acts for somebody, that person's pages alone, and to others none of them.

    The setting ``ACTING_PAGE`` names the page where somebody chooses to act: whoever opens the
    record of a person they may act for is sent there first, so that every page bears the banner.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self._respond(request)

    def process_view(
        self, request: HttpRequest, view: object, _args: object, kwargs: Mapping[str, object]
    ) -> HttpResponse | None:
        """Stop what is no more, send to the choice, or let the page be shown."""
        match = request.resolver_match
        portal = match.namespaces[0] if match and match.namespaces else ""
        own_only = getattr(view, "own_only", False)
        if not (portal or own_only) or account_of(request) is None:
            return None
        patient = str(kwargs.get("patient", ""))
        marked = getattr(view, "while_acting", False)
        if ended := over(request):
            return _end(request, ended)
        try:
            acting = acting_of(request)
            if acting is not None:
                return _keep(request, acting, patient, marked=marked and portal == PORTAL)
            if portal == PORTAL and patient and not marked:
                return _choose_first(request, patient)
        except HygieError as error:
            return refusal(request, error.status)
        return None


def _keep(
    request: HttpRequest, acting: Acting, patient: str, *, marked: bool
) -> HttpResponse | None:
    if not ask(in_the_name(repository(), [acting.party], patient=acting.patient)):
        return _end(request, acting)
    if patient == acting.patient or (marked and not patient):
        return None
    return render(request, "acting_elsewhere.html", {"acting": acting}, status=403)


def _end(request: HttpRequest, acting: Acting) -> HttpResponse:
    stop_acting(request)
    return render(request, "acting_over.html", {"ended": acting})


def _choose_first(request: HttpRequest, patient: str) -> HttpResponse | None:
    """Send to the choice who may act for the person; the rules refuse all others, unhinted."""
    account, page = account_of(request), getattr(conf.settings, "ACTING_PAGE", "")
    if account is None or not page or account.fhir_reference == f"Patient/{patient}":
        return None
    party = caller_of(request).party
    if not party or not ask(in_the_name(repository(), [party], patient=patient)):
        return None
    wanted = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse(page, kwargs={'patient': patient})}?{wanted}")
