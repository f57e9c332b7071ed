"""What every page of choices begins with."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeVar

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from hygie.domains.consent.service.visiting import Opened, Whose, Work, visiting
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.clauses import Language
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import account_of, caller_of

T = TypeVar("T")
__all__ = ["Opened", "day_of", "in_record", "is_own", "language", "now"]


def in_record(request: HttpRequest, patient: str, work: Work[T]) -> tuple[Whose | None, T]:
    """Return who the record is about and what ``work`` reads of it: one page, one visit."""
    return ask(visiting(repository(), caller_of(request), patient, work))


def language() -> Language:
    """Return the language of the page; ask before any work, which runs where no page is."""
    return "fr" if get_language() == "fr" else "en"


def now() -> datetime:
    """Return the instant at which a page decides, with its zone."""
    return timezone.now()


def is_own(request: HttpRequest, patient: str) -> bool:
    """Tell whether the record is that of who is signed in."""
    account = account_of(request)
    return account is not None and account.fhir_reference == f"Patient/{patient}"


def day_of(text: str) -> date | None:
    """Return the day a form states, None where it states none.

    Raises:
        InvalidRequest: it is no date.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise InvalidRequest("Write a date as 2024-05-03.") from wrong
