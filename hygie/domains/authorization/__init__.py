"""Hygie as OpenID provider and SMART on FHIR server: applications, consents, tokens, launches.

Standards: OpenID Connect Core 1.0, RFC 6749, 7009, 7523, 7636, 7662, 8414, 9126, 9207, 9700, CIBA
Core 1.0, Back-Channel Logout 1.0, SMART App Launch 2.2.0. Scopes meet the access rules and never
widen them: the store holds each statement to them (hygie/kernel/security/limits.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.authorization.model.metadata import (
    openid_configuration,
    server_metadata,
    smart_configuration,
)
from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

DOMAIN = "hygie.domains.authorization"
PAGES = f"{DOMAIN}.pages"
KEYS, NOTICES, TIDYING = (
    "authorization.rotate_keys",
    "authorization.tell_sign_outs",
    "authorization.forget_what_expired",
)


def register(platform: Platform) -> None:
    """Offer the provider: its endpoints, what it says of itself, its pages and its jobs."""
    from hygie.domains.authorization import jobs  # noqa: PLC0415  they load Django when they run

    platform.add_django_app(f"{DOMAIN}.apps.AuthorizationConfig")
    platform.add_pages("public", prefix="oauth/", urlconf=f"{DOMAIN}.api")
    platform.add_pages("public", prefix="", urlconf=f"{PAGES}.public")
    _offer_pages(platform)
    issuer = platform.settings.base_url
    platform.add_document(".well-known/oauth-authorization-server", server_metadata(issuer))
    platform.add_document(".well-known/openid-configuration", openid_configuration(issuer))
    platform.add_document("fhir/.well-known/smart-configuration", smart_configuration(issuer))
    platform.set_launcher(f"{DOMAIN}.service.launching:launch")
    platform.add_job(KEYS, jobs.rotate_keys, every=3600)
    platform.add_job(NOTICES, jobs.tell_sign_outs, every=5)
    platform.add_job(TIDYING, jobs.forget_what_expired, every=3600)


def _offer_pages(platform: Platform) -> None:
    platform.add_pages(
        "patient",
        prefix="apps/",
        urlconf=f"{PAGES}.catalogue",
        navigation=[NavigationItem(_("Mes applications"), "patient:authorization:apps", 70)],
    )
    platform.add_pages(
        "professional",
        prefix="apps/",
        urlconf=f"{PAGES}.launching",
        navigation=[
            NavigationItem(
                _("Applications"), "professional:authorization:launch", 70, about="patient"
            ),
            NavigationItem(_("Mes applications"), "professional:authorization:apps", 70),
        ],
    )
    platform.add_pages(
        "establishment",
        prefix="apps/",
        urlconf=f"{PAGES}.deciding",
        navigation=[NavigationItem(_("Applications"), "establishment:authorization:register", 60)],
    )
    platform.add_announcer("patient", "page", f"{PAGES}.devices:announce")
    platform.add_announcer("professional", "page", f"{PAGES}.devices:announce")
