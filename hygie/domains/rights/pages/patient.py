"""“My rights”: copy, correction, restriction, objection, erasure."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from hygie.domains.rights.fhir.choices import RESEARCH, RESTRICTION
from hygie.domains.rights.pages.reading import (
    RIGHTS,
    STATES,
    caller,
    kind,
    language,
    now,
    own_id,
    told,
)
from hygie.domains.rights.service import choices, erasure, exports, prepared, rectification
from hygie.domains.rights.service.exports import State
from hygie.kernel.errors import Conflict, InvalidRequest, NotFound
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.stepping_up import confirm_identity

View = Callable[..., Any]
HOME = "patient:rights:home"
CORRECTED = (
    *("Condition", "AllergyIntolerance", "MedicationRequest", "MedicationStatement"),
    *("Immunization", "Observation", "DiagnosticReport", "Procedure", "Encounter"),
    *("DocumentReference", "FamilyMemberHistory"),
)
"""Types whose items a person may say are wrong."""


def mine(request: HttpRequest) -> HttpResponse:
    """Open one's own rights.

    Raises:
        NotFound: the account is no patient.
    """
    own = own_id(request)
    if not own:
        raise NotFound("This account is no patient.")
    return redirect(HOME, patient=own)


def home(request: HttpRequest, patient: str) -> HttpResponse:
    """Show every right over one record, and what was asked."""
    return _home(request, patient)


def _home(request: HttpRequest, patient: str, *, status: int = 200, said: str = "") -> HttpResponse:
    me = caller(request)
    held = ask(choices.standing(repository(), me, patient))
    asked = ask(rectification.mine(repository(), me, patient))
    context = {
        "patient": patient,
        "own": patient == own_id(request),
        "exports": ask(exports.exports(repository(), me, patient)),
        "ready": State.READY,
        "waiting": State.ASKED,
        "failed": State.FAILED,
        "standing": held,
        "releases": ask(choices.releases(repository())) if held.objected else [],
        "requests": [_request(one) for one in asked],
        "said": said,
    }
    return render(request, "rights/home.html", context, status=status)


@require_POST
def copy(request: HttpRequest, patient: str) -> HttpResponse:
    """Ask for a copy of the record."""
    try:
        ask(exports.ask(repository(), caller(request), patient, language=language()))
    except Conflict as refused:
        return _home(request, patient, status=refused.status, said="copy")
    return redirect(HOME, patient=patient)


def _download(request: HttpRequest, patient: str, export: uuid.UUID) -> StreamingHttpResponse:
    """Send a prepared copy, after the person confirmed who they are."""
    data = platform().settings.data
    _told, pieces = ask(prepared.fetch(repository(), caller(request), export, data=data, at=now()))
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="dossier-{now():%Y-%m-%d}.zip"'
    response["X-Content-Type-Options"] = "nosniff"
    del patient
    return response


@require_POST
def choose(request: HttpRequest, patient: str) -> HttpResponse:
    """State or withdraw a restriction or an objection."""
    choice = request.POST.get("choice", "")
    if choice not in (RESTRICTION, RESEARCH):
        raise InvalidRequest("This choice does not exist.")
    on = request.POST.get("on") == "1"
    ask(choices.choose(repository(), caller(request), patient, choice=choice, on=on, at=now()))
    return redirect(HOME, patient=patient)


def items(request: HttpRequest, patient: str) -> HttpResponse:
    """List the items of one kind, for the person to say which one is wrong."""
    chosen = request.GET.get("kind", "")
    if chosen and chosen not in CORRECTED:
        raise InvalidRequest("This kind does not exist.")
    found = ask(rectification.items(repository(), caller(request), patient, rt=chosen or None))
    context = {
        "patient": patient,
        "chosen": chosen,
        "kinds": [(rt, kind(rt)) for rt in CORRECTED],
        "items": found,
    }
    return render(request, "rights/items.html", context)


def rectify(request: HttpRequest, patient: str, rt: str, rid: str) -> HttpResponse:
    """Say what is wrong with one item."""
    reference, me = f"{rt}/{rid}", caller(request)
    error = False
    if request.method == "POST":
        wish = request.POST.get("wish", "")
        if wish.strip() and len(wish) <= rectification.LONGEST:
            work = rectification.ask(
                repository(), me, patient, focus=reference, wish=wish, at=now()
            )
            ask(work)
            return redirect(HOME, patient=patient)
        error = True
    item = ask(rectification.item_of(repository(), me, reference))
    context = {
        "patient": patient,
        "item": item,
        "kind": kind(rt),
        "error": error,
        "wish": request.POST.get("wish", ""),
    }
    return render(request, "rights/rectify.html", context, status=400 if error else 200)


def _erase(request: HttpRequest, patient: str) -> HttpResponse:
    """Show what would be erased and what must be kept, then ask for it."""
    me, error, waiting = caller(request), False, False
    if request.method == "POST":
        error = request.POST.get("sure") != "1"
        if not error:
            try:
                ask(erasure.ask_erasure(repository(), me, patient, wish="", at=now()))
            except Conflict:
                waiting = True
            else:
                return redirect(HOME, patient=patient)
    plan = ask(erasure.plan_erasure(repository(), me, patient, at=now()))
    context = {
        "patient": patient,
        "verdicts": [told(one, at=now().date()) for one in plan.verdicts],
        "any": bool(plan.erased),
        "whole": plan.whole,
        "error": error,
        "waiting": waiting,
    }
    status = 400 if error else 409 if waiting else 200
    return render(request, "rights/erase.html", context, status=status)


def _request(shown: rectification.Shown) -> dict[str, Any]:
    request = shown.request
    return {
        "kind": RIGHTS[request.right],
        "state": STATES[request.state],
        "open": request.open,
        "item": shown.item,
        "wish": request.wish,
        "asked": request.asked[:10],
        "answered": request.answered[:10],
        "answer": "" if request.verdicts else request.answer,
        "verdicts": [told(one, at=now().date()) for one in request.verdicts],
    }


def _after_password(view: View) -> View:
    """Let a view answer those only who gave their password in the last minutes."""

    @wraps(view)
    def confirmed(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return confirm_identity(request) or view(request, *args, **kwargs)

    return confirmed


download = _after_password(_download)
erase = _after_password(_erase)

app_name = "rights"
urlpatterns = [
    path("", mine, name="mine"),
    path("<str:patient>/", home, name="home"),
    path("<str:patient>/copy/", copy, name="copy"),
    path("<str:patient>/copy/<uuid:export>/", download, name="download"),
    path("<str:patient>/choice/", choose, name="choose"),
    path("<str:patient>/items/", items, name="items"),
    path("<str:patient>/items/<str:rt>/<str:rid>/", rectify, name="rectify"),
    path("<str:patient>/erase/", erase, name="erase"),
]
