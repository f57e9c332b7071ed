"""The asynchronous request pattern (FHIR R4, async.html; Bulk Data Access 2.0, export.html).

A request with ``Prefer: respond-async`` answers 202 and ``Content-Location``; that address answers
202 with ``X-Progress`` while the work goes on, then 200 with a manifest of files; DELETE of it
cancels the work or removes the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.errors import InvalidRequest, Issue
from hygie.kernel.fhir.outcome import outcome

NDJSON = "application/fhir+ndjson"
_JSON = "application/json"


class Output(msgspec.Struct, frozen=True):
    """One file of a manifest: resources of one type, one per line."""

    type: str
    url: str
    count: int


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What a finished request answers (Bulk Data Access 2.0, "Response - Output Manifest").

    Attributes:
        transaction_time: instant of what the files hold.
        request: address of the request.
        output: the files of resources.
        extension: anything else, under an address that says what it is.
        requires_access_token: whether the files need the token; they always do.
        error: files of OperationOutcomes.
    """

    transaction_time: str
    request: str
    output: Sequence[Output]
    extension: dict[str, Any] | UnsetType = UNSET
    requires_access_token: bool = True
    error: tuple[Output, ...] = ()


def check_responds_async(request: HttpRequest) -> None:
    """Raise when the client waits for the answer instead of coming back for it.

    Raises:
        InvalidRequest: ``Prefer: respond-async`` (RFC 7240, 4.1) is missing.
    """
    if request.preference("respond-async") is None:
        raise InvalidRequest(
            "This is prepared behind the request: send the header Prefer: respond-async, then "
            "read the address of Content-Location until it answers 200."
        )


def accepted(status: str) -> Response:
    """Return 202: the work began, and the address ``status`` tells where it stands."""
    said = f"Accepted: read {status} until it answers 200."
    body = outcome([Issue("informational", said, severity="information")])
    headers = (("content-location", status), ("preference-applied", "respond-async"))
    return Response(202, body, headers)


def in_progress(said: str, *, retry: int) -> Response:
    """Return 202: the work goes on; ``said`` has at most 100 characters, ``retry`` is in s."""
    return Response(202, b"", (("x-progress", said), ("retry-after", str(retry))))


def finished(manifest: Manifest, *, expires: datetime) -> Response:
    """Return 200 with the manifest; the files are kept until ``expires``."""
    headers = (("expires", format_datetime(expires, usegmt=True)),)
    return Response(200, msgspec.json.encode(manifest), headers, _JSON)


def removed(said: str) -> Response:
    """Return 202: the work was cancelled, or its files removed."""
    return Response(202, outcome([Issue("informational", said, severity="information")]))
