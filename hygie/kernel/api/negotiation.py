"""Formats and preferences (FHIR R4, http.html#mime-type and #ops)."""

from __future__ import annotations

import msgspec

from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.errors import NotAcceptable, UnsupportedMediaType

_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
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


def check_sends_form(request: HttpRequest) -> None:
    """Raise when the body of a ``_search`` is not a form.

    Raises:
        UnsupportedMediaType: the Content-Type is another one.
    """
    if request.body and _media_type(request.headers.get("content-type", "")) != _FORM:
        raise UnsupportedMediaType(f"Send search parameters with Content-Type: {_FORM}.")


def pretty(request: HttpRequest, response: Response) -> Response:
    """Return the answer indented when ``_pretty=true`` asks for it; numbers keep their digits."""
    if not response.body or request.parameter("_pretty") != "true":
        return response
    body = msgspec.json.format(response.body, indent=2)
    return Response(response.status, body, response.headers, response.content_type)


def _media_type(text: str) -> str:
    # A plus sign in a query string arrives as a space: _format=application/fhir+json.
    return text.partition(";")[0].strip().lower().replace("fhir json", "fhir+json")
