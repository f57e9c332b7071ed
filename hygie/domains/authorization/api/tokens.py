"""The token endpoint, and the one that takes tokens back (RFC 6749, section 3.2; RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from hygie.domains.authorization.api.endpoint import endpoint
from hygie.domains.authorization.service.asking import posted
from hygie.domains.authorization.service.server import server

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@endpoint("POST", most=600)
def token(request: HttpRequest) -> HttpResponse:
    """Answer a grant.

    One transaction holds the lock of the code or token until all is kept: a refusal commits too,
    so that a reuse ends what was issued.
    """
    asked = posted(request)
    with transaction.atomic():
        response: HttpResponse = server().create_token_response(asked)
    return response


@endpoint("POST", most=600)
def revoke(request: HttpRequest) -> HttpResponse:
    """Take a token back."""
    asked = posted(request)
    with transaction.atomic():
        response: HttpResponse = server().create_endpoint_response("revocation", asked)
    return response
