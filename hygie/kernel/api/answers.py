"""Answers about one resource or one write, and refusals."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime

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
    if is_known(request, stored):
        return Response(304, b"", headers)
    return Response(200, body, headers)


def is_known(request: HttpRequest, stored: Stored) -> bool:
    """Tell whether the client has this version already (RFC 9110, 13.1.2 and 13.1.3).

    ETags compare weakly; ``If-Modified-Since`` counts only without ``If-None-Match``, and a date
    that cannot be read does not count.
    """
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or str(stored.version) in _ETAG.findall(known)
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return stored.updated.replace(microsecond=0) <= moment


_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


def write_answer(request: HttpRequest, written: Written, *, base: str) -> Response:
    """Return the answer to a create or update, in the form ``Prefer: return=`` asks for."""
    stored = written.stored
    headers = version_headers(stored)
    if written.created:
        location = f"{base}/{stored.reference}/_history/{stored.version}"
        headers = (*headers, ("location", location))
    status = 201 if written.created else 200
    wanted = request.preference("return")
    if wanted in ("minimal", "representation", "operationoutcome"):
        headers = (*headers, ("preference-applied", f"return={_RETURNS.get(wanted, wanted)}"))
    if wanted == "minimal":
        return Response(status, b"", headers)
    if wanted == "operationoutcome":
        done = Issue("informational", f"{stored.reference} is stored.", severity="information")
        return Response(status, outcome([done]), headers)
    # Any other value is no preference that is known here (RFC 7240, section 2).
    return Response(status, stored.body or b"", headers)


_RETURNS = {"operationoutcome": "OperationOutcome"}


def refusal_answer(error: HygieError, *, allowed: tuple[str, ...] = ()) -> Response:
    """Return a refusal as an OperationOutcome with its status.

    ``allowed`` are the methods that the path takes, for ``Allow`` (RFC 9110, 10.2.1).
    """
    headers: tuple[tuple[str, str], ...] = ()
    if error.status == 401:  # noqa: PLR2004 - RFC 6750, 3
        headers = (("www-authenticate", 'Bearer realm="hygie", error="invalid_token"'),)
    elif error.status == 503:  # noqa: PLR2004 - RFC 9110, 10.2.3
        headers = (("retry-after", "2"),)
    elif isinstance(error, MethodNotAllowed):
        headers = (("allow", ", ".join(allowed)),)
    return Response(error.status, outcome(error.issues), headers)
