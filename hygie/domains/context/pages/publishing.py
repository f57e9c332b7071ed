"""Say to the other tools what the pages open, from the server: no script is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from hygie.domains.context.service import sessions
from hygie.kernel.errors import HygieError
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.bridge import platform
from hygie.kernel.web.caller import account_of, caller_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
PORTAL: Final = "professional"
LOCK = "account_lock"
OPEN = "hygie_context_open"
"""Where the session keeps whose record these pages opened last."""
_FOUND, _MOVED = 200, 400


class publishing:  # noqa: N801  named as Django lists middleware
    """Publishes the record that a page of a professional opened, and the lock of the station."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponse]) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; what cannot be told to the other tools keeps no page from being read."""
        response = self._respond(request)
        try:
            _tell(request, response)
        except HygieError:
            log.warning("context.not_published")
        return response


def _owner(request: HttpRequest) -> str:
    """Return the reference of a professional who is signed in, empty for anybody else."""
    account = account_of(request) if hasattr(request, "user") else None
    if account is None or account.kind != PORTAL or acting_of(request) is not None:
        return ""
    return caller_of(request).reference


def _tell(request: HttpRequest, response: HttpResponse) -> None:
    locking, patient = is_locking(request, response), opened(request, response)
    if not (locking or patient) or not (owner := _owner(request)):
        return
    if locking:
        sessions.hibernate(request, owner)
    elif request.session.get(OPEN) != patient:
        sessions.open_patient(request, owner, patient)
        request.session[OPEN] = patient


def is_locking(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether this request locked the workstation."""
    match = request.resolver_match
    locks = match is not None and match.url_name == LOCK and request.method == "POST"
    return locks and response.status_code < _MOVED


def opened(request: HttpRequest, response: HttpResponse) -> str:
    """Return the id of the patient whose record a page showed, empty for none."""
    match = request.resolver_match
    if match is None or request.method != "GET" or response.status_code != _FOUND:
        return ""
    return str(match.kwargs.get("patient", "")) if match.namespace in tabs() else ""


def tabs() -> dict[str, str]:
    """Return the pages of an open record: the first URL name of each namespace, in their order."""
    items = [one for one in platform().navigation(PORTAL) if one.about == "patient"]
    found: dict[str, str] = {}
    for one in items:
        found.setdefault(one.url_name.rpartition(":")[0], one.url_name)
    return found
