"""Outside identity: FranceConnect, FranceConnect+, Pro Santé Connect and e-carte Vitale.

OpenID clients (OpenID Connect Core 1.0, RFC 6749, 7636, 9207, CIBA), the pivot identity matched to
the INS on strict traits (RNIV), a queue for what a human must decide, and what the token of a
professional says of roles and structures: Practitioner, PractitionerRole, Organization (FR Core).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.federation.jobs import EVERY, FORGET, forget
from hygie.domains.federation.model.providers import Kind
from hygie.domains.federation.service.providers import providers_of
from hygie.kernel.platform import Door, NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.domains.federation.model.providers import Provider
    from hygie.kernel.platform import Platform, Portal

PAGES = "hygie.domains.federation.pages"
LABELS = {
    Kind.FRANCECONNECT: _("S’identifier avec FranceConnect"),
    Kind.FRANCECONNECT_PLUS: _("S’identifier avec FranceConnect+"),
    Kind.APCV: _("S’identifier avec l’appli carte Vitale"),
    Kind.PRO_SANTE_CONNECT: _("S’identifier avec Pro Santé Connect"),
}
"""The words that each provider asks for on the button; their logos are not ours to copy."""
MORE = {
    Kind.FRANCECONNECT: (_("Qu’est-ce que FranceConnect ?"), "https://franceconnect.gouv.fr/"),
    Kind.FRANCECONNECT_PLUS: (
        _("Qu’est-ce que FranceConnect+ ?"),
        "https://franceconnect.gouv.fr/france-connect-plus",
    ),
}
SIMULATOR = _("Simulateurs de démonstration : personnes inventées.")
ORDER = {kind: 10 * place for place, kind in enumerate(LABELS, start=1)}


def register(platform: Platform) -> None:
    """Offer a door for each provider of the settings, and the queue of doubtful cases."""
    platform.add_django_app("hygie.domains.federation.apps.FederationConfig")
    platform.add_pages("public", prefix="federation/", urlconf=f"{PAGES}.public")
    platform.add_pages(
        "establishment",
        prefix="identities/",
        urlconf=f"{PAGES}.establishment",
        navigation=[
            NavigationItem(_("Identités à vérifier"), "establishment:federation:queue", 20)
        ],
    )
    platform.add_job(FORGET, forget, every=EVERY)
    platform.add_departure("hygie.domains.federation.service.leaving:departure")
    for provider in providers_of(platform.settings):
        _offer(platform, provider)


def _offer(platform: Platform, provider: Provider) -> None:
    portals: tuple[Portal, ...] = ("patient",)
    if provider.kind.of_professionals:
        portals = ("professional",)
    platform.add_door(
        Door(
            ORDER[provider.kind],
            provider.label or LABELS[provider.kind],
            "federation_start",
            {"provider": provider.name},
            portals,
            SIMULATOR if provider.simulator else "",
            MORE.get(provider.kind),
        )
    )
    if provider.ciba:
        platform.add_door(
            Door(
                ORDER[provider.kind] + 1,
                _("S’identifier avec son téléphone (e-CPS)"),
                "federation_phone",
                {"provider": provider.name},
                portals,
                SIMULATOR if provider.simulator else "",
            )
        )
