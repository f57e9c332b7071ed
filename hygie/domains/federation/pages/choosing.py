"""A professional with several exercises chooses one: it fixes role and structure of the session.

Nobody is signed in before the choice; what was proven waits sealed in the session.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from hygie.domains.federation.model.exercises import profession_label
from hygie.domains.federation.pages.entering import sign_in
from hygie.domains.federation.service.accounts import account_by_number
from hygie.domains.federation.service.openid.client import Proven
from hygie.domains.federation.service.professionals import Post
from hygie.domains.federation.service.providers import known_of
from hygie.domains.federation.service.sealing import seal, unseal
from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import Exercise
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.caller import choose_exercise

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

CHOICE, READER = "hygie_outside_choice", "choice"
LASTS = 600
"""Seconds in which to choose."""


def offer(
    request: HttpRequest, account: Any, proven: Proven, posts: Sequence[Post], *, back: str
) -> HttpResponse:
    """Keep what was proven and go to the page of choice."""
    kept = {
        "account": account.pk,
        "provider": proven.provider.name,
        "proof": [proven.subject, proven.acr, proven.id_token],
        "posts": [_line(post) for post in posts],
        "back": back,
        "until": time.time() + LASTS,
    }
    request.session[CHOICE] = seal(kept, reader=READER)
    return redirect("federation_choose")


def choose(request: HttpRequest) -> HttpResponse:
    """Show the exercises; sign in under the one that is chosen."""
    sealed = request.session.get(CHOICE)
    kept = unseal(sealed, reader=READER) if sealed else {}
    if not kept or kept["until"] < time.time():
        return redirect("account_login")
    posts = kept["posts"]
    number = request.POST.get("exercise", "")
    if request.method != "POST" or not number.isdecimal() or int(number) >= len(posts):
        wrong = request.method == "POST"
        labels = [profession_label(one["profession"], get_language() or "fr") for one in posts]
        shown = [{**one, "label": label} for one, label in zip(posts, labels, strict=True)]
        context = {"posts": shown, "wrong": wrong}
        return render(request, "federation/choose.html", context, status=400 if wrong else 200)
    del request.session[CHOICE]
    return _enter(request, kept, posts[int(number)])


def _enter(request: HttpRequest, kept: dict[str, Any], post: dict[str, str]) -> HttpResponse:
    account = account_by_number(kept["account"])
    if account is None or not account.is_active:
        raise Forbidden("This account is closed.")
    provider = known_of(platform().settings, kept["provider"]).provider
    subject, acr, token = kept["proof"]
    proven = Proven(provider, subject, acr, {}, token)
    answer = sign_in(request, account, proven, kept["back"])
    act_in(request, post["profession"], post["structure"])
    return answer


def act_in(request: HttpRequest, role: str, structure: str) -> None:
    """Narrow the session to one role and one structure, empty for none."""
    number = ask(repository().party_number(structure)) if structure else 0
    choose_exercise(request, Exercise(role, number))


def _line(post: Post) -> dict[str, str]:
    place = post.exercise.place
    kept = {
        "profession": post.exercise.profession,
        "specialty": post.exercise.specialty,
        "structure": post.structure,
        "name": place.name if place else "",
    }
    return msgspec.convert(kept, type=dict[str, str])
