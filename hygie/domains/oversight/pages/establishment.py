"""The queue of the reviewers: no clinical content, initials and a number for the patient."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from hygie.domains.oversight.fhir import declaration_of
from hygie.domains.oversight.model.queue import Item
from hygie.domains.oversight.model.states import State
from hygie.domains.oversight.pages.words import line, too_short
from hygie.domains.oversight.service import queue, reporting
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository
from hygie.kernel.store.history import Scope
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

MOST_VERSIONS = 1_000
"""Versions of a declaration among which the first is looked for."""
Act = Callable[[Repository, Caller, int, str], Coroutine[object, object, None]]


def listing(request: HttpRequest) -> HttpResponse:
    """List what waits, the patients' reports first, then what was decided lately."""
    caller = caller_of(request)
    found = ask(queue.read_queue(repository(), caller))
    names = ask(queue.names(repository(), caller, (*found.waiting, *found.decided)))
    context = {
        "waiting": [line(item, names) for item in found.waiting],
        "decided": [line(item, names) for item in found.decided],
    }
    return render(request, "oversight/queue.html", context)


def show(request: HttpRequest, number: int) -> HttpResponse:
    """Show one item, and do what the reviewer chose."""
    if request.method == "POST":
        return _act(request, number)
    return _page(request, number)


def _page(request: HttpRequest, number: int, *, wrong: str = "") -> HttpResponse:
    """Show an item; ``wrong`` names the form whose words were refused."""
    caller = caller_of(request)
    item = ask(queue.read_item(repository(), caller, number))
    names = ask(queue.names(repository(), caller, (item,)))
    reason, place = _declaration(caller, item)
    context = {
        "line": line(item, names),
        "mine": item.reviewer == caller.reference,
        "state": item.state.name,
        "declared_reason": reason,
        "declared_place": place,
        "wrong": wrong,
        "error": too_short() if wrong else "",
        "kept": request.POST.get("words", ""),
    }
    return render(request, "oversight/item.html", context, status=400 if wrong else 200)


def _declaration(caller: Caller, item: Item) -> tuple[str, str]:
    """Return the reason and place as they were declared, whatever was written later.

    A reviewer may read the declaration.
    """
    rt, _, rid = item.declared.partition("/")
    if not rid:
        return "", ""
    page = ask(repository().history(caller, Scope(rt, rid, count=MOST_VERSIONS)))
    first = next(one.stored for one in reversed(page.entries) if one.stored.body)
    return declaration_of(msgspec.json.decode(first.body or b"{}"))


def _act(request: HttpRequest, number: int) -> HttpResponse:
    name = request.POST.get("action", "")
    act = ACTS.get(name)
    if act is None:
        raise NotFound("There is no such act.")
    try:
        ask(act(repository(), caller_of(request), number, request.POST.get("words", "")))
    except InvalidRequest:
        return _page(request, number, wrong=name)
    return redirect("establishment:oversight:item", number=number)


async def _take(records: Repository, caller: Caller, number: int, _words: str) -> None:
    await queue.take(records, caller, number, at=timezone.now())


async def _give_back(records: Repository, caller: Caller, number: int, _words: str) -> None:
    await queue.give_back(records, caller, number)


async def _ask(records: Repository, caller: Caller, number: int, words: str) -> None:
    await queue.ask(records, caller, number, question=words)


async def _justify(records: Repository, caller: Caller, number: int, words: str) -> None:
    decision = State.JUSTIFIED
    await queue.decide(records, caller, number, decision, note=words, at=timezone.now())


async def _condemn(records: Repository, caller: Caller, number: int, words: str) -> None:
    decision = State.ABNORMAL
    await queue.decide(records, caller, number, decision, note=words, at=timezone.now())


async def _close(records: Repository, caller: Caller, number: int, _words: str) -> None:
    await queue.close(records, caller, number, at=timezone.now())


async def _protect(records: Repository, caller: Caller, number: int, words: str) -> None:
    await reporting.protect(records, caller, number, reason=words)


ACTS: dict[str, Act] = {
    "take": _take,
    "give-back": _give_back,
    "ask": _ask,
    "justified": _justify,
    "abnormal": _condemn,
    "close": _close,
    "protect": _protect,
}
app_name = "oversight"
urlpatterns = [
    path("", listing, name="queue"),
    path("<int:number>/", show, name="item"),
]
