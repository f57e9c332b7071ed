"""Act for somebody: the session names one person, and every page of it is about that person.

The rules decide at each request what the relation opens; the session only says whose pages are
shown, so that nothing of one's own is mixed with them.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

ACTING = "hygie_acting"
"""Where the session keeps for whom it acts."""
V = TypeVar("V", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom a session acts, and as who.

    Attributes:
        patient: id of the Patient acted for.
        name: how that person is called.
        quality: a word of the domain that began it, such as ``helper`` or ``parent``.
        party: number of who acts in table ``party``.
        reference: who acts, such as ``Patient/12``; a RelatedPerson where the account stands for
            nobody in a record.
        ends: when it ends by itself, in seconds since 1970; None where the relation alone ends it.
    """

    patient: str
    name: str
    quality: str
    party: int
    reference: str
    ends: float | None = None


def act_for(request: HttpRequest, acting: Acting) -> None:
    """Act for somebody from the next page on, in this session and for this account alone."""
    request.session[ACTING] = {"account": request.user.pk, **asdict(acting)}


def stop_acting(request: HttpRequest) -> None:
    """Act for oneself again."""
    request.session.pop(ACTING, None)


def acting_of(request: HttpRequest) -> Acting | None:
    """Return for whom the session acts, None where it acts for nobody or the time is over."""
    acting = _kept(request)
    return None if acting is None or _is_over(acting) else acting


def over(request: HttpRequest) -> Acting | None:
    """Return for whom the session acted until the time was over, None where it did not."""
    acting = _kept(request)
    return acting if acting is not None and _is_over(acting) else None


def _kept(request: HttpRequest) -> Acting | None:
    session = getattr(request, "session", None)
    kept = session.get(ACTING) if session is not None else None
    if not isinstance(kept, dict) or kept.get("account") != request.user.pk:
        return None
    return Acting(**{name: value for name, value in kept.items() if name != "account"})


def _is_over(acting: Acting) -> bool:
    return acting.ends is not None and acting.ends <= time.time()


def while_acting(view: V) -> V:
    """Mark a page that names no patient as one that somebody who acts for another may open."""
    view.while_acting = True  # type: ignore[attr-defined]
    return view


def own_only(view: V) -> V:
    """Mark a page about one's own account that nobody opens while acting for another.

    Whoever lets an application in does it for themself, never under somebody else's banner.
    """
    view.own_only = True  # type: ignore[attr-defined]
    return view
