"""Sessions: their limits, their lock, their list, their end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import timezone

from hygie.domains.sign_in.model.devices import device
from hygie.domains.sign_in.model.sessions import DESK, Limits, Standing, limits_of
from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.web.authentication import PROOFS, Proof, level_of
from hygie.kernel.web.stepping_up import SHARED, is_shared

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.domains.sign_in.orm import User

STATE = "hygie_session"
WRITE_AFTER = 20.0
"""Seconds between two writes of when the session was last used."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as its person sees it."""

    pk: int
    browser: str
    system: str
    begun: datetime
    seen: datetime
    level: int
    methods: tuple[str, ...]
    current: bool
    shared: bool


def limits(request: HttpRequest) -> Limits:
    """Return the limits of the session of a request."""
    account: Any = request.user
    kind = DESK if is_shared(request) else account.kind
    return limits_of(kind, at=timezone.localdate())


def standing(request: HttpRequest, *, now: float | None = None) -> Standing:
    """Return where the session of a signed-in request stands; the first request begins it."""
    instant = time.time() if now is None else now
    state = request.session.get(STATE)
    account: Any = request.user
    if not isinstance(state, dict) or state.get("account") != account.pk:
        _begin(request, instant)
        return Standing.OPEN
    if state.get("locked"):
        over = limits(request).standing(since=state["since"], seen=instant, now=instant)
        return Standing.OVER if over is Standing.OVER else Standing.LOCKED
    return limits(request).standing(since=state["since"], seen=state["seen"], now=instant)


def touch(request: HttpRequest, *, now: float | None = None) -> None:
    """Keep that the session is being used."""
    instant = time.time() if now is None else now
    state = request.session[STATE]
    if instant - state["seen"] >= WRITE_AFTER:
        request.session[STATE] = {**state, "seen": instant}


def lock(request: HttpRequest) -> None:
    """Lock a session: its key changes, so that pages kept by the browser are not shown again."""
    request.session[STATE] = {**request.session[STATE], "locked": True}
    _renew(request)


def unlock(request: HttpRequest) -> None:
    """Open a locked session again, for the same person."""
    request.session[STATE] = {**request.session[STATE], "locked": False, "seen": time.time()}
    _renew(request)


def list_of(request: HttpRequest, account: User) -> list[Listed]:
    """Return the live sessions of an account, newest first."""
    rows = UserSession.objects.purge_and_list(account)
    found = [_listed(row, request.session.session_key or "") for row in rows]
    return sorted(found, key=lambda one: one.begun, reverse=True)


def end(account: User, pk: int) -> bool:
    """End one session of an account; tell whether there was one."""
    row = UserSession.objects.filter(user_id=account.pk, pk=pk).first()
    if row is None:
        return False
    row.end()
    tell(account, Told.SESSIONS_ENDED)
    return True


def end_all(account: User, *, but: str = "") -> int:
    """End every session of an account but one key; return how many there were."""
    rows = list(UserSession.objects.filter(user_id=account.pk).exclude(session_key=but))
    for row in rows:
        row.end()
    if rows:
        tell(account, Told.SESSIONS_ENDED)
    return len(rows)


def _begin(request: HttpRequest, now: float) -> None:
    account: Any = request.user
    request.session[STATE] = {"account": account.pk, "since": now, "seen": now, "locked": False}
    if request.META.get("REMOTE_ADDR"):
        UserSession.objects.create_from_request(request)


def _renew(request: HttpRequest) -> None:
    """Change the key of a session, which its row in the list follows."""
    former = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=former).update(session_key=request.session.session_key)


def _listed(row: UserSession, current: str) -> Listed:
    store = import_module(settings.SESSION_ENGINE).SessionStore(row.session_key)
    kept: dict[str, Any] = store.get(PROOFS) or {"list": []}
    proofs = [Proof(**one) for one in kept["list"]]
    state = store.get(STATE) or {}
    seen = datetime.fromtimestamp(state.get("seen", row.created_at.timestamp()), UTC)
    browser, system = device(row.user_agent)
    return Listed(
        row.pk,
        browser,
        system,
        row.created_at,
        seen,
        level_of(proofs),
        tuple(dict.fromkeys(one.method for one in proofs)),
        row.session_key == current,
        bool(store.get(SHARED)),
    )
