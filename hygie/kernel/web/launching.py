"""Open an application on a patient (SMART EHR launch), whichever domain signs applications in."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hygie.kernel.errors import NotSupported
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.kernel.platform import Granted, Launching


def launch(request: HttpRequest, launching: Launching) -> str:
    """Return the address that opens an application on a patient, for who is signed in.

    Raises:
        NotSupported: no domain opens applications.
        HygieError: there is no such application for this account, or not this patient.
    """
    module, _, name = platform().launcher.partition(":")
    if not module:
        raise NotSupported("No application can be opened here.")
    address: str = getattr(import_module(module), name)(request, launching)
    return address


def launch_context(granted: Granted) -> dict[str, Any]:
    """Return what the domains add to the answer of the token endpoint, by name."""
    told: dict[str, Any] = {}
    for dotted in platform().launch_contexts:
        module, _, name = dotted.partition(":")
        told |= getattr(import_module(module), name)(granted)
    return told
