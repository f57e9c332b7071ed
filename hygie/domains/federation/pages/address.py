"""Where this installation is reached, and where somebody may be sent after a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest


def base_of(request: HttpRequest) -> str:
    """Return our address: the declared one, or in a demonstration the one it is reached by."""
    settings = platform().settings
    if settings.demo is not None and not settings.url:
        return f"{request.scheme}://{request.get_host()}"
    return settings.base_url


def here(request: HttpRequest, name: str, provider: str) -> str:
    """Return the whole address of one of our pages about a provider."""
    return base_of(request) + reverse(name, kwargs={"provider": provider})


def wanted(request: HttpRequest) -> str:
    """Return the page of ours that was wanted, empty where none was or it is elsewhere."""
    address = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if ours and address.startswith("/") else ""
