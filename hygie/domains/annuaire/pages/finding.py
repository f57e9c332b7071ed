"""The annuaire for who has signed in: search, one professional, one structure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from hygie.domains.annuaire.fhir.reading import Place, Professional, Role
from hygie.domains.annuaire.pages.asking import asked_in, language, shared, today
from hygie.domains.annuaire.service import finding
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store import Visit
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

T = TypeVar("T")


def find(request: HttpRequest) -> HttpResponse:
    """Show the form and the professionals and structures that are asked for."""
    asked, answer, fault = asked_in(request), None, ""
    say, day = language(), today()

    async def work(visit: Visit) -> finding.Answer:
        return await finding.find(visit, asked, language=say, on=day)

    try:
        answer = None if asked.is_empty else _visit(request, work)
    except InvalidRequest:
        fault = _("Tapez au moins deux lettres d’un nom, et cent caractères au plus.")
    context = shared(asked, answer, fault=fault)
    return render(request, "annuaire/find.html", context, status=400 if fault else 200)


def professional(request: HttpRequest, who: str) -> HttpResponse:
    """Show one professional: what is practised, where, and who vouches for it.

    Raises:
        NotFound: nobody has this id.
    """
    say, day = language(), today()

    async def work(visit: Visit) -> tuple[Professional, tuple[Role, ...]]:
        return await finding.who_is(visit, who, language=say, on=day)

    one, roles = _visit(request, work)
    context = {"one": one, "roles": roles, "own": _own_record(request)}
    return render(request, "annuaire/professional.html", context)


def structure(request: HttpRequest, which: str) -> HttpResponse:
    """Show one structure and who practises there.

    Raises:
        NotFound: no structure has this id.
    """
    say, day = language(), today()

    async def work(visit: Visit) -> tuple[Place, tuple[finding.Match, ...]]:
        return await finding.structure(visit, which, language=say, on=day)

    place, people = _visit(request, work)
    return render(request, "annuaire/structure.html", {"place": place, "people": people})


def _own_record(request: HttpRequest) -> str:
    """Return the id of the patient who asks, empty for whoever is none."""
    rt, _sep, rid = caller_of(request).reference.partition("/")
    return rid if rt == "Patient" else ""


def _visit(request: HttpRequest, work: Callable[[Visit], Awaitable[T]]) -> T:
    """Run the reads of one page in one visit, traced once."""
    caller = caller_of(request)

    async def reads() -> T:
        async with repository().visit(caller) as visit:
            return await work(visit)

    return ask(reads())
