"""What the provider tells: its keys, who the person is, how its pages look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse

from hygie.domains.authorization.api.endpoint import endpoint, refused
from hygie.domains.authorization.model import words
from hygie.domains.authorization.service.places import subject_of
from hygie.domains.authorization.service.signing import published
from hygie.domains.authorization.service.telling import holder_of
from hygie.domains.authorization.service.tokens import about

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

STYLE = {
    "color_background": "#ffffff",
    "color_error": "#a51d1d",
    "color_highlight": "#0b5f5c",
    "color_modal_backdrop": "",
    "color_success": "#0b5f5c",
    "color_text": "#16201f",
    "dim_border_radius": "4px",
    "dim_font_size": "16px",
    "dim_spacing_size": "16px",
    "font_family_body": "system-ui, sans-serif",
    "font_family_heading": "system-ui, sans-serif",
}
"""The theme of the pages, for applications beside them (SMART App Launch 2.2.0, styling)."""


@endpoint("GET", "POST", most=600)
def userinfo(request: HttpRequest) -> HttpResponse:
    """Tell who the person is, to an application with the scope ``openid``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    found = holder_of(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
    if found is None:
        said = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        return refused("invalid_token", "This is no valid access token.", 401, **said)
    account, scope = found
    if words.OPENID not in scope:
        said = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="openid"'}
        return refused("insufficient_scope", "Ask for the scope openid.", 403, **said)
    return JsonResponse({"sub": subject_of(account), **about(account, scope)})


@endpoint("GET", "HEAD", anybody=True, most=600)
def jwks(request: HttpRequest) -> HttpResponse:
    """Tell the keys that sign ID tokens."""
    del request
    response = JsonResponse(published())
    response["Cache-Control"] = "public, max-age=300"
    return response


@endpoint("GET", "HEAD", anybody=True, most=600)
def style(request: HttpRequest) -> HttpResponse:
    """Tell how the pages look."""
    del request
    response = JsonResponse(STYLE)
    response["Cache-Control"] = "public, max-age=86400"
    return response
