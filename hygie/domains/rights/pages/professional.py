"""Requests for correction, for the professionals who may answer them."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from hygie.domains.rights.fhir.corrections import Correction
from hygie.domains.rights.pages.reading import STATES, caller, kind, now
from hygie.domains.rights.service import rectification
from hygie.kernel.errors import Conflict, HygieError, NotSupported, Unprocessable
from hygie.kernel.web.bridge import ask, repository

_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def requests(request: HttpRequest) -> HttpResponse:
    """List the requests that wait for an answer."""
    me = caller(request)
    found = ask(rectification.to_answer(repository(), me))
    shown = [
        {
            "id": one.request.id,
            "person": one.person,
            "title": one.item.title if one.item else "",
            "kind": kind(one.item.rt) if one.item else "",
            "asked": one.request.asked[:10],
            "mine": one.request.owner == me.reference,
        }
        for one in found
    ]
    return render(request, "rights/requests.html", {"requests": shown})


def answer(request: HttpRequest, task: str) -> HttpResponse:
    """Show one request; correct the item or refuse with a reason."""
    me, fault = caller(request), ""
    if request.method == "POST":
        fault = _answer(request, task)
        if not fault:
            return redirect("professional:rights:requests")
    shown = ask(rectification.one(repository(), me, task))
    context = {
        "request_id": task,
        "shown": shown,
        "state": STATES[shown.request.state],
        "kind": kind(shown.item.rt) if shown.item else "",
        "asked": shown.request.asked[:10],
        "fault": fault,
        "typed": request.POST,
    }
    return render(request, "rights/answer.html", context, status=400 if fault else 200)


def _answer(request: HttpRequest, task: str) -> str:
    """Carry out the answer; return the name of what is wrong with the form, empty where nothing."""
    form, me = request.POST, caller(request)
    if form.get("answer") == "refuse":
        reason = form.get("reason", "").strip()
        if not reason:
            return "reason"
        return _try(rectification.refuse(repository(), me, task, reason=reason, at=now()))
    day, error = form.get("day", "").strip(), form.get("error") == "1"
    words, note = form.get("words", "").strip(), form.get("note", "").strip()
    if day and not _DAY.fullmatch(day):
        return "day"
    if not (words or day or note or error):
        return "nothing"
    at = now().isoformat(timespec="seconds")
    correction = Correction(words, day, note, error, at, me.reference)
    return _try(rectification.accept(repository(), me, task, correction=correction))


def _try(work: object) -> str:
    try:
        ask(work)  # type: ignore[arg-type]  # either of the two answers
    except NotSupported:
        return "unsupported"
    except (Conflict, Unprocessable) as refused:
        return "invalid" if isinstance(refused, Unprocessable) else "answered"
    except HygieError as refused:
        if refused.status == 412:  # noqa: PLR2004 - RFC 9110, 15.5.13
            return "answered"
        raise
    return ""


app_name = "rights"
urlpatterns = [
    path("", requests, name="requests"),
    path("<str:task>/", answer, name="answer"),
]
