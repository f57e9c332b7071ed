"""Answers about one resource or one write, and refusals."""

from __future__ import annotations

from email.utils import format_datetime

from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.errors import HygieError, Issue, MethodNotAllowed
from hygie.kernel.fhir.outcome import outcome
from hygie.kernel.store.model import Stored, Written


def version_headers(stored: Stored) -> tuple[tuple[str, str], ...]:
    """Return ``ETag`` and ``Last-Modified`` (FHIR R4, http.html#versioning)."""
    return (
        ("etag", f'W/"{stored.version}"'),
        ("last-modified", format_datetime(stored.updated, usegmt=True)),
    )


def resource_answer(request: HttpRequest, stored: Stored, body: bytes) -> Response:
    """Return 200 with the resource, or 304 when the client has this version already."""
    headers = version_headers(stored)
    known = request.headers.get("if-none-match")
    if known is not None and f'W/"{stored.version}"' in {part.strip() for part in known.split(",")}:
        return Response(304, b"", headers)
    return Response(200, body, headers)


def write_answer(request: HttpRequest, written: Written, *, base: str) -> Response:
    """Return the answer to a create or update, in the form ``Prefer: return=`` asks for."""
    stored = written.stored
    headers = version_headers(stored)
    if written.created:
        location = f"{base}/{stored.reference}/_history/{stored.version}"
        headers = (*headers, ("location", location))
    status = 201 if written.created else 200
    wanted = request.preference("return")
    if wanted == "minimal":
        return Response(status, b"", headers)
    if wanted == "operationoutcome":
        done = Issue("informational", f"{stored.reference} is stored.", severity="information")
        return Response(status, outcome([done]), headers)
    # Any other value is no preference that is known here (RFC 7240, section 2).
    return Response(status, stored.body or b"", headers)


def refusal_answer(error: HygieError) -> Response:
    """Return a refusal as an OperationOutcome with its status."""
    headers: tuple[tuple[str, str], ...] = ()
    if error.status == 401:  # noqa: PLR2004 - RFC 6750, 3
        headers = (("www-authenticate", 'Bearer realm="hygie", error="invalid_token"'),)
    elif error.status == 503:  # noqa: PLR2004 - RFC 9110, 10.2.3
        headers = (("retry-after", "2"),)
    elif isinstance(error, MethodNotAllowed):
        headers = (("allow", "GET, HEAD, POST, PUT, DELETE"),)
    return Response(error.status, outcome(error.issues), headers)
