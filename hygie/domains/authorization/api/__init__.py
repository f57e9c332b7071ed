"""The endpoints that machines call: tokens, keys, requests sent ahead."""

from __future__ import annotations

from django.urls import path

from hygie.domains.authorization.api import ahead, telling, tokens

urlpatterns = [
    path("token", tokens.token, name="oauth_token"),
    path("revoke", tokens.revoke, name="oauth_revoke"),
    path("userinfo", telling.userinfo, name="oauth_userinfo"),
    path("jwks", telling.jwks, name="oauth_jwks"),
    path("style.json", telling.style, name="oauth_style"),
    path("par", ahead.par, name="oauth_par"),
    path("bc-authorize", ahead.bc_authorize, name="oauth_ciba"),
]
