"""EHR launch: an application opens on the record that is open (SMART App Launch 2.2.0)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from hygie.domains.authorization.model.apps import State
from hygie.domains.authorization.model.lifetimes import LAUNCH
from hygie.domains.authorization.orm import App, Launch
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service.places import fhir_base, now, realm
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.kernel.platform import Launching


def launchable(account: Any) -> list[App]:
    """Return the applications that an account may open on a record, by name."""
    approved = App.objects.filter(state=State.APPROVED, realm=realm(), audience=account.kind)
    return list(approved.exclude(launch_uri="").order_by("name"))


def launch(request: HttpRequest, launching: Launching) -> str:
    """Return the address that opens an application: once, within two minutes, by this user.

    Raises:
        NotFound: there is no such application for this account, or the record is not open to it.
    """
    account: Any = request.user
    app = next((one for one in launchable(account) if one.client_id == launching.client), None)
    if app is None:
        raise NotFound("There is no such application.")
    caller = caller_of(request)
    ask(repository().read(caller, "Patient", launching.patient))
    if launching.encounter:
        ask(repository().read(caller, "Encounter", launching.encounter))
    value = secrets.token_urlsafe(32)
    Launch.objects.create(
        digest=digest(value),
        app=app,
        account_id=account.pk,
        patient=launching.patient,
        encounter=launching.encounter,
        expires=now() + LAUNCH,
    )
    parts = urlsplit(app.launch_uri)
    added = urlencode({"iss": fhir_base(), "launch": value})
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
