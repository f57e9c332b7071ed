"""Keep the lists of revoked cards fresh, where the operator names their addresses."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hygie.domains.cards.service.lists import fetch
from hygie.domains.cards.service.trust import installation_of

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

log = logging.getLogger(__name__)
EVERY = 3600.0
"""Seconds; lists of card authorities come out once a day or so."""


async def fetch_lists(platform: Platform) -> None:
    """Fetch every list that is named by address."""
    found = installation_of(platform.settings)
    for one in (found.professional, found.vitale):
        if one is not None and one.revocation_urls:
            replaced = await asyncio.to_thread(fetch, one, at=datetime.now(UTC))
            log.info("cards.lists_fetched", extra={"replaced": replaced})
