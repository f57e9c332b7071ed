"""The professional portal: its home; the domains bring its pages and its menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Offer the home of the portal."""
    platform.add_django_app("hygie.portals.professional")
    platform.add_pages("professional", prefix="", urlconf="hygie.portals.professional.pages")
