"""A desk: the session of Dr Petit, who cares for Nora and Paul and not for Ada."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hygie.testing.followers import Desk
from hygie.testing.portal import Site


@pytest.fixture
async def desk(site: Site, live: str) -> AsyncIterator[Desk]:
    """Give a new session."""
    found = Desk(site, address=live)
    yield found
    await found.close()
