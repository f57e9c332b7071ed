"""The queue of doubtful identities, for the accounts of the establishment with right *identify*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.urls import path

from hygie.domains.federation.model.cases import State
from hygie.domains.federation.model.pivot import Pivot
from hygie.domains.federation.pages.words import REASONS, SEXES, STATES, TRAITS
from hygie.domains.federation.policy import Trait, differences
from hygie.domains.federation.service import citizens, queue
from hygie.domains.federation.service.providers import providers_of
from hygie.kernel.errors import Conflict, InvalidRequest
from hygie.kernel.store.comparing import Candidate
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.caller import account_of, caller_of
from hygie.kernel.web.stepping_up import confirm_identity

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from hygie.domains.federation.model.providers import Provider
    from hygie.domains.federation.orm import Case

DECISIONS = {"refuse": State.REFUSED, "desk": State.DESK}


@dataclass(frozen=True, slots=True)
class Line:
    """One trait of one person beside the same of the outside identity."""

    label: object
    outside: str
    here: str
    same: bool


def listing(request: HttpRequest) -> HttpResponse:
    """List the cases that wait; no name is shown here."""
    cases = queue.waiting(caller_of(request))
    lines = [(case, REASONS[case.reason], STATES[case.state]) for case in cases]
    return render(request, "federation/queue.html", {"lines": lines})


def show(request: HttpRequest, number: int) -> HttpResponse:
    """Compare side by side, and decide with a reason, once one proved again who one is."""
    caller = caller_of(request)
    case, pivot = queue.read(caller, number)
    if request.method == "POST" and (again := confirm_identity(request)):
        return again
    found = ask(citizens.compared(repository(), caller, pivot))
    if request.method != "POST":
        return _page(request, case, pivot, found)
    try:
        _decide(request, case, found)
    except InvalidRequest:
        return _page(request, case, pivot, found, wrong=True)
    return redirect("establishment:federation:queue")


def _decide(request: HttpRequest, case: Case, found: Sequence[Candidate]) -> None:
    words, action = request.POST.get("words", ""), request.POST.get("action", "")
    caller, account = caller_of(request), account_of(request)
    if action == "accept":
        person = queue.chosen_of(found, request.POST.get("person", ""))
        chosen = (person, _provider(case))
        queue.accept(caller, account, case.pk, chosen=chosen, words=words)
    elif action in DECISIONS:
        queue.decide(caller, account, case.pk, DECISIONS[action], words=words)
    else:
        raise InvalidRequest("Choose what to do.")


def _provider(case: Case) -> Provider:
    for one in providers_of(platform().settings):
        if (one.realm, one.issuer) == (case.realm, case.issuer):
            return one
    raise Conflict("The provider of this case is not in the settings any more.")


def _page(
    request: HttpRequest,
    case: Case,
    pivot: Pivot,
    found: Sequence[Candidate],
    *,
    wrong: bool = False,
) -> HttpResponse:
    context = {
        "case": case,
        "reason": REASONS[case.reason],
        "state": STATES[case.state],
        "traits": [(TRAITS[trait], text) for trait, text in _of_pivot(pivot).items()],
        "people": [(one, _lines(pivot, one)) for one in found],
        "wrong": wrong,
        "kept": request.POST.get("words", ""),
        "chosen": request.POST.get("person", ""),
    }
    return render(request, "federation/case.html", context, status=400 if wrong else 200)


def _lines(pivot: Pivot, one: Candidate) -> list[Line]:
    different = differences(pivot, one)
    here = {
        Trait.FAMILY: one.family,
        Trait.GIVEN: " ".join(one.given),
        Trait.BIRTH_DATE: one.birth_date,
        Trait.SEX: str(SEXES.get(one.sex, "")),
        Trait.BIRTH_PLACE: one.birth_place,
    }
    return [
        Line(TRAITS[trait], text, here[trait], trait not in different)
        for trait, text in _of_pivot(pivot).items()
    ]


def _of_pivot(pivot: Pivot) -> dict[Trait, str]:
    return {
        Trait.FAMILY: pivot.family,
        Trait.GIVEN: " ".join(pivot.given),
        Trait.BIRTH_DATE: pivot.birth_date,
        Trait.SEX: str(SEXES.get(pivot.sex, "")),
        Trait.BIRTH_PLACE: pivot.birth_place,
    }


app_name = "federation"
urlpatterns = [
    path("", listing, name="queue"),
    path("<int:number>/", show, name="case"),
]
