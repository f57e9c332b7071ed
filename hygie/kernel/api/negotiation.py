"""Formats and preferences (FHIR R4, http.html#mime-type and #ops)."""

from __future__ import annotations

import msgspec

from hygie.kernel.api.http import FHIR_JSON, HttpRequest, Response
from hygie.kernel.errors import InvalidRequest, NotAcceptable, NotSupported, UnsupportedMediaType

_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_PRINTED = frozenset({FHIR_JSON, "application/json"})
_ANY = frozenset({"*/*", "application/*"})
_FORM = "application/x-www-form-urlencoded"


def check_accepts_json(request: HttpRequest) -> None:
    """Raise when the client accepts no JSON; ``_format`` overrides the ``Accept`` header.

    Raises:
        NotAcceptable: only formats that are not served are asked for.
    """
    chosen = request.parameter("_format")
    if chosen is not None:
        if _media_type(chosen) not in _JSON:
            raise NotAcceptable("Hygie answers in JSON: ask for _format=json.")
        return
    accepted = request.headers.get("accept", "*/*")
    types = {_media_type(part) for part in accepted.split(",") if part.strip()}
    if types and not types & (_JSON | _ANY):
        raise NotAcceptable("Hygie answers in JSON: accept application/fhir+json.")


def accepts_only_native(request: HttpRequest) -> bool:
    """Tell whether a Binary is wanted as its content and not as a resource (binary.html#rest)."""
    if request.parameter("_format") is not None:
        return False
    accepted = request.headers.get("accept", "*/*")
    types = {_media_type(part) for part in accepted.split(",") if part.strip()}
    return bool(types) and not types & (_JSON | _ANY)


def check_sends_json(request: HttpRequest) -> None:
    """Raise when the body is not said to be JSON.

    Raises:
        UnsupportedMediaType: the Content-Type is another one.
    """
    sent = _media_type(request.headers.get("content-type", "application/fhir+json"))
    if sent not in _JSON:
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/fhir+json.")


def check_preconditions(request: HttpRequest) -> None:
    """Raise when a write depends on a condition that nobody would check.

    Raises:
        NotSupported: ``If-None-Match`` or ``If-Unmodified-Since``.
        InvalidRequest: ``If-Match`` without the address of one resource.
    """
    if {"if-none-match", "if-unmodified-since"} & set(request.headers):
        raise NotSupported("A write depends on If-Match or If-None-Exist only.")
    if "if-match" in request.headers and len(request.segments) != 2:  # noqa: PLR2004 - Type/id
        raise InvalidRequest("If-Match goes with the address of one resource, and no criteria.")


def check_sends_form(request: HttpRequest) -> None:
    """Raise when the body of a ``_search`` is not a form.

    Raises:
        UnsupportedMediaType: the Content-Type is another one.
    """
    if request.body and _media_type(request.headers.get("content-type", "")) != _FORM:
        raise UnsupportedMediaType(f"Send search parameters with Content-Type: {_FORM}.")


def pretty(request: HttpRequest, response: Response) -> Response:
    """Return the answer indented when ``_pretty=true`` asks for it; numbers keep their digits."""
    printed = bool(response.body) and response.content_type in _PRINTED
    if not printed or request.parameter("_pretty") != "true":
        return response
    body = msgspec.json.format(response.body, indent=2)
    return Response(response.status, body, response.headers, response.content_type)


def _media_type(text: str) -> str:
    # A plus sign in a query string arrives as a space: _format=application/fhir+json.
    return text.partition(";")[0].strip().lower().replace("fhir json", "fhir+json")
