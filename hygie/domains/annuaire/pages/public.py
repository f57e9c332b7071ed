"""The annuaire without an account: who chose to be listed, found by a question, never listed whole.

The pages read as a named job without a line in the access matrix: the directory and nothing else.
One visit a page, so one trace a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from hygie.domains.annuaire.model.listing import Listing
from hygie.domains.annuaire.pages.asking import asked_in, language, shared, today
from hygie.domains.annuaire.pages.limiting import may_read
from hygie.domains.annuaire.pages.words import ACCESS, LANGUAGE_NAMES, SECTORS
from hygie.domains.annuaire.service import publishing
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store import Visit
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.middleware import refusal

T = TypeVar("T")
TOO_MANY = 429


def find(request: HttpRequest) -> HttpResponse:
    """Show the form and the public listings that are asked for."""
    asked, answer, fault = asked_in(request), None, ""
    say, day = language(), today()
    if not asked.is_empty and not may_read(request):
        return refusal(request, TOO_MANY)

    async def work(visit: Visit) -> publishing.Page:
        return await publishing.find_listed(visit, asked, language=say, on=day)

    try:
        answer = None if asked.is_empty else _visit(work)
    except InvalidRequest:
        fault = _("Tapez au moins deux lettres d’un nom, et cent caractères au plus.")
    context = shared(asked, answer, fault=fault)
    return _unkept(render(request, "annuaire/public.html", context, status=400 if fault else 200))


def listing(request: HttpRequest, which: str) -> HttpResponse:
    """Show one public listing.

    Raises:
        NotFound: none of this id is public now.
    """
    say, day = language(), today()
    if not may_read(request):
        return refusal(request, TOO_MANY)

    async def work(visit: Visit) -> publishing.Shown:
        return await publishing.listed_one(visit, which, language=say, on=day)

    shown = _visit(work)
    context = {"one": shown.listed, "place": shown.place, **_words(shown.listed.listing)}
    return _unkept(render(request, "annuaire/listing.html", context))


def _words(chosen: Listing) -> dict[str, object]:
    return {
        "languages": [LANGUAGE_NAMES[code] for code in chosen.languages],
        "access": [ACCESS[one] for one in chosen.accessibility],
        "sector": SECTORS[chosen.sector] if chosen.sector else "",
    }


def _unkept(response: HttpResponse) -> HttpResponse:
    """Keep a page out of search engines and caches: what is ended must be ended everywhere."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Cache-Control"] = "private, no-store"
    return response


def _visit(work: Callable[[Visit], Awaitable[T]]) -> T:
    async def reads() -> T:
        async with repository().visit(publishing.PUBLIC) as visit:
            return await work(visit)

    return ask(reads())


urlpatterns = [
    path("", find, name="annuaire"),
    path("<str:which>/", listing, name="annuaire_listing"),
]
