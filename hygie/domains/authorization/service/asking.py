"""A request as Authlib reads it: each parameter once, from one place only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

if TYPE_CHECKING:
    from django.http import HttpRequest, QueryDict

_LONGEST = 8 * 1024


class Asking(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """One request.

    Authlib refuses plain HTTP by the address of the request; Hygie judges it once, at the start
    (architecture, "Address"), so it is told an address that passes.
    """

    def __init__(
        self, values: Mapping[str, str], *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("POST", "https://localhost/oauth", headers=dict(headers or {}))
        self.payload = BasicOAuth2Payload(dict(values))

    @property
    def form(self) -> Mapping[str, str]:
        """Return the parameters."""
        values: Mapping[str, str] = self.payload.data
        return values

    @property
    def args(self) -> Mapping[str, str]:
        """Return no parameter: none is read from the address of the token endpoint."""
        return {}


def posted(request: HttpRequest) -> Asking:
    """Return a form that a machine posted.

    Raises:
        InvalidRequestError: parameters in the address, twice the same, or no form.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise InvalidRequestError("Send application/x-www-form-urlencoded.")
    if request.GET:
        raise InvalidRequestError("Send the parameters in the body, none in the address.")
    return Asking(single(request.POST), headers=request.headers)


def single(values: QueryDict) -> dict[str, str]:
    """Return parameters, each given once (RFC 6749, section 3.1).

    Raises:
        InvalidRequestError: one is there twice, or too long.
    """
    found: dict[str, str] = {}
    for name, given in values.lists():
        if len(given) != 1:
            raise InvalidRequestError("A parameter is in the request more than once.")
        if len(given[0]) > _LONGEST or "\x00" in given[0]:
            raise InvalidRequestError("A parameter is too long or cannot be read.")
        if given[0]:
            found[name] = given[0]
    return found
