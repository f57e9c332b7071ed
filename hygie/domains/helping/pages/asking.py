"""What every page of helping begins with."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from hygie.domains.helping.service.accepting import Invitee
from hygie.kernel.errors import NotFound
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.bridge import repository
from hygie.kernel.web.caller import Account, account_of, caller_of

DECIDING = frozenset({"mandate", "parent", "guardian"})
"""Qualities in which somebody decides in the person's name."""


def now() -> datetime:
    """Return the instant at which a page decides, with its zone."""
    return timezone.now()


def account(request: HttpRequest) -> Account:
    """Return who is signed in.

    Raises:
        NotFound: nobody is.
    """
    found = account_of(request)
    if found is None:
        raise NotFound("Sign in first.")
    return found


def own_id(request: HttpRequest) -> str:
    """Return the id of the Patient that the account is, empty where it is none."""
    rt, _slash, rid = account(request).fhir_reference.partition("/")
    return rid if rt == "Patient" else ""


def check_decides(request: HttpRequest, patient: str) -> None:
    """Check that who asks decides for the record: the person, or who represents them.

    Who else is invited or helps is nothing for a helper who only reads.

    Raises:
        NotFound: they do not.
    """
    acting = acting_of(request)
    deciding = acting is not None and acting.quality in DECIDING
    if not deciding and patient != own_id(request):
        raise NotFound("This is for who decides about the record.")


def helper_of(request: HttpRequest) -> Invitee:
    """Return who answers an invitation."""
    held = account(request)
    return Invitee(held, caller_of(request), str(getattr(held, "display_name", "")))


def after(day: date) -> datetime:
    """Return the instant at which a last day is over, in the zone of the installation."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=repository().site.zone)


def address(page: str, patient: str, /, **parts: str) -> str:
    """Return the address of a page of another domain, empty where that domain is not there."""
    try:
        return reverse(page, kwargs={"patient": patient, **parts})
    except NoReverseMatch:
        return ""
