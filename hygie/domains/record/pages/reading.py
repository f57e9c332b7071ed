"""What every page of a record begins with."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.translation import get_language

from hygie.domains.record.service import Reader
from hygie.kernel.web.bridge import platform, repository
from hygie.kernel.web.caller import caller_of


def reader_of(request: HttpRequest, patient: str) -> Reader:
    """Return who reads whose record."""
    return Reader(
        records=repository(),
        caller=caller_of(request),
        patient=patient,
        zone=ZoneInfo(platform().settings.zone),
    )


def is_plain(request: HttpRequest) -> bool:
    """Tell whether the page speaks in plain words: it does to patients."""
    return bool(request.resolver_match and request.resolver_match.namespaces[0] == "patient")


def in_french() -> bool:
    """Tell whether the page is in French."""
    return get_language() == "fr"
