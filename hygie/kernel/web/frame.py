"""What every page's frame shows: portal, menu, account, languages."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from django.urls import reverse
from django.utils.translation import get_language, gettext

from hygie.kernel.errors import HygieError
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.bridge import platform
from hygie.kernel.web.caller import Account, account_of
from hygie.kernel.web.stepping_up import is_shared

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.kernel.platform import Announcement, Place, Portal


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of a menu, ready to print."""

    label: str
    url: str
    current: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give the templates what the frame needs (a Django context processor)."""
    match = request.resolver_match
    portal = match.namespaces[0] if match and match.namespaces else ""
    account = _account(request)
    acting = acting_of(request) if account is not None else None
    here = account is not None and portal == account.portal() and acting is None
    told: tuple[str, Place] = ("patient", "acting") if acting else (portal, "page")
    return {
        "portal": portal,
        "account": account,
        "menu": menu(request, portal) if here else [],
        "announcements": announcements(request, *told) if here or acting else [],
        "demonstration": platform().settings.demo is not None,
        "shared": hasattr(request, "session") and is_shared(request),
        "other_language": ("en", "English") if get_language() == "fr" else ("fr", "Français"),
    }


def menu(request: HttpRequest, portal: str) -> list[MenuEntry]:
    """Return the portal's menu."""
    return _entries(request, portal, "portal")


def tabs(request: HttpRequest, portal: str, patient: str) -> list[MenuEntry]:
    """Return the tabs of an open record: what each domain offers about one patient."""
    return _entries(request, portal, "patient", patient=patient)


def announcements(request: HttpRequest, portal: str, place: Place) -> list[Announcement]:
    """Return what the domains announce on the home of a portal, or on each of its pages.

    A page of refusal is shown even where an announcement cannot be read.
    """
    found: list[Announcement] = []
    for dotted in platform().announcers.get((cast("Portal", portal), place), ()):
        module, _, name = dotted.partition(":")
        with contextlib.suppress(HygieError):
            found += getattr(import_module(module), name)(request)
    return found


def _entries(request: HttpRequest, portal: str, about: str, **kwargs: str) -> list[MenuEntry]:
    """Return entries; the current one has the longest address that begins this page's."""
    offered = [
        (gettext(item.label), reverse(item.url_name, kwargs=kwargs, current_app=portal))
        for item in platform().navigation(cast("Portal", portal))
        if item.about == about
    ]
    urls = [url for _, url in offered]
    here = max((url for url in urls if _is_here(request.path, url, urls)), key=len, default="")
    return [MenuEntry(label, url, url == here) for label, url in offered]


def _is_here(path: str, url: str, urls: Sequence[str]) -> bool:
    """Tell whether a page belongs to an entry; one that begins the others stands for itself."""
    begins_others = any(other != url and other.startswith(url) for other in urls)
    return path == url if begins_others else path.startswith(url)


def _account(request: HttpRequest) -> Account | None:
    # Django answers some refusals before the session is read.
    return account_of(request) if hasattr(request, "user") else None
