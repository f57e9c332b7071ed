"""Cards: sign-in by CPS card over mutual TLS; reading of cartes Vitale and apCV presentations.

A professional's card (IGC-Santé) opens a session through a listener of its own. A carte Vitale
proves by challenge and response that it is here, names its beneficiaries and gives its rights: they
find a Patient and become a Coverage with its Provenance. The carte Vitale is simulated at the edge
of its protocol: this is not approved SESAM-Vitale software.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.kernel.platform import Door, NavigationItem
from hygie.kernel.platform import gettext_noop as _

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

PAGES = "hygie.domains.cards.pages"
ORDER = 50


def register(platform: Platform) -> None:
    """Offer the door of the card and the reading of cartes Vitale, where they are configured."""
    from hygie.domains.cards.jobs import EVERY, fetch_lists  # noqa: PLC0415  heavy
    from hygie.domains.cards.service.trust import installation_of  # noqa: PLC0415  heavy

    platform.add_django_app("hygie.domains.cards.apps.CardsConfig")
    platform.add_pages("public", prefix="cards/", urlconf=f"{PAGES}.public")
    found = installation_of(platform.settings)
    if any(one is not None and one.revocation_urls for one in (found.professional, found.vitale)):
        platform.add_job("cards.revocation", fetch_lists, every=EVERY)
    if found.professional is not None:
        platform.add_door(
            Door(
                ORDER, _("S’identifier avec sa carte CPS"), "cards_start", portals=("professional",)
            )
        )
    navigation = []
    if found.vitale is not None:
        navigation = [NavigationItem(_("Lire la carte Vitale"), "professional:cards:read", 40)]
    platform.add_pages(
        "professional",
        prefix="vitale/",
        urlconf=f"{PAGES}.professional",
        navigation=navigation,
    )
