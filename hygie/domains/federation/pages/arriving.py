"""Somebody comes back from a provider: who they are here, and what they may do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.utils import timezone

from hygie.domains.federation.model.cases import State
from hygie.domains.federation.model.exercises import Professional, professional_of
from hygie.domains.federation.model.pivot import pivot_of
from hygie.domains.federation.pages.choosing import act_in, offer
from hygie.domains.federation.pages.entering import sign_in, stopped
from hygie.domains.federation.service import citizens, professionals, queue
from hygie.domains.federation.service.accounts import Newcomer, link, linked
from hygie.domains.federation.service.openid.client import Proven
from hygie.domains.federation.service.professionals import UpToDate
from hygie.kernel.errors import Forbidden
from hygie.kernel.web.bridge import ask, platform, repository

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from hygie.domains.federation.model.pivot import Pivot
    from hygie.domains.federation.policy import Verdict

CASE = "hygie_outside_case"
"""Where the session keeps the number of the person's own case."""


def arrive(request: HttpRequest, proven: Proven, back: str) -> HttpResponse:
    """Sign in who was proven, or say what happens instead.

    Raises:
        HygieError: the account is closed, or what was proven contradicts itself.
    """
    if proven.provider.kind.of_professionals:
        return _professional(request, proven, back)
    return _citizen(request, proven, back)


def _citizen(request: HttpRequest, proven: Proven, back: str) -> HttpResponse:
    account = linked(proven)
    if account is not None:
        return sign_in(request, account, proven, back)
    realm = platform().settings.identities
    pivot = pivot_of(proven.claims)
    verdict: Verdict = ask(
        citizens.recognise(
            repository(),
            pivot,
            realm=realm,
            at=timezone.localdate(),
            matricule=citizens.matricule_of(proven.claims, realm=realm),
        )
    )
    if verdict.person is None:
        return _doubtful(request, proven, pivot, verdict)
    person = verdict.person
    newcomer = Newcomer(person.reference, f"{person.given[0]} {person.family}", "patient")
    account = link(proven, newcomer, made="traits", open_account=proven.provider.open_accounts)
    if account is None:
        return stopped(request, "no-account", provider=proven.provider.name)
    return sign_in(request, account, proven, back)


def _doubtful(request: HttpRequest, proven: Proven, pivot: Pivot, verdict: Verdict) -> HttpResponse:
    if queue.was_refused(proven):
        return stopped(request, "refused", provider=proven.provider.name)
    if verdict.reason is None:
        raise Forbidden("Nobody was recognised.")
    case = queue.propose(proven, pivot, verdict.reason)
    request.session[CASE] = case.pk
    return redirect("federation_waiting")


def _professional(request: HttpRequest, proven: Proven, back: str) -> HttpResponse:
    professional = professional_of(proven.claims)
    held = _up_to_date(professional, register=proven.provider.open_accounts)
    if held is None:
        return stopped(request, "unknown-professional", provider=proven.provider.name)
    if not held.posts:
        return stopped(request, "struck-off", provider=proven.provider.name)
    account = linked(proven) or link(
        proven,
        Newcomer(held.reference, f"{professional.given} {professional.family}", "professional"),
        made="register",
        open_account=proven.provider.open_accounts,
    )
    if account is None:
        return stopped(request, "unknown-professional", provider=proven.provider.name)
    if account.fhir_reference != held.reference:
        raise Forbidden("This identity is linked to another professional.")
    posts = (*held.posts, *(held.regulation if professional.regulates else ()))
    if len(posts) > 1:
        return offer(request, account, proven, posts, back=back)
    answer = sign_in(request, account, proven, back)
    if held.regulation:  # the token does not say so today: the role is set aside
        act_in(request, posts[0].exercise.profession, posts[0].structure)
    return answer


def _up_to_date(professional: Professional, *, register: bool) -> UpToDate | None:
    """Bring the directory up to date; None for a professional whom it does not know."""
    records = repository()
    stored = ask(professionals.find(records, professional))
    if stored is None:
        if not (register and professional.exercises):
            return None
        stored = ask(professionals.register(records, professional))
    return ask(professionals.bring_up_to_date(records, stored, professional, at=timezone.now()))


def waiting(request: HttpRequest) -> HttpResponse:
    """Say to the person what happens next, and what to do meanwhile."""
    case = queue.own(request.session.get(CASE))
    if case is None:
        return redirect("account_login")
    if case.state == State.REFUSED:
        return stopped(request, "refused", provider=case.provider)
    return render(request, "federation/waiting.html", {"state": case.state, "number": case.pk})
