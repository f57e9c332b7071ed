"""What every page of a record begins with."""

from __future__ import annotations

from typing import TypeVar
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.translation import get_language

from hygie.domains.record.service import Work, visiting
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.caller import caller_of

T = TypeVar("T")


def in_record(request: HttpRequest, patient: str, work: Work[T]) -> T:
    """Return what ``work`` reads of a record, as who is signed in: one page, one visit."""
    zone = ZoneInfo(platform().settings.zone)
    return ask(visiting(repository(), caller_of(request), patient, zone=zone, work=work))


def is_plain(request: HttpRequest) -> bool:
    """Tell whether the page speaks in plain words: it does to patients."""
    return bool(request.resolver_match and request.resolver_match.namespaces[0] == "patient")


def in_french() -> bool:
    """Tell whether the page is in French."""
    return get_language() == "fr"
