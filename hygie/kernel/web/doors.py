"""The ways in besides the password, and where somebody goes who signs out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class ShownDoor:
    """A door in the reader's language, ready to print."""

    label: str
    url: str
    note: str
    more: tuple[str, str] | None


def doors(request: HttpRequest) -> list[ShownDoor]:
    """Return the doors of the sign-in page; each carries the page that was wanted."""
    wanted = request.GET.get("next") or request.POST.get("next") or ""
    after = f"?{urlencode({'next': wanted})}" if wanted else ""
    return [
        ShownDoor(
            gettext(one.label),
            reverse(one.url_name, kwargs=dict(one.kwargs)) + after,
            gettext(one.note) if one.note else "",
            (gettext(one.more[0]), one.more[1]) if one.more else None,
        )
        for one in platform().doors
    ]


def departure(request: HttpRequest) -> str:
    """Return where somebody who signs out goes next, empty where nobody says so."""
    for dotted in platform().departures:
        module, _, name = dotted.partition(":")
        address: str = getattr(import_module(module), name)(request)
        if address:
            return address
    return ""
