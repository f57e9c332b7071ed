"""Cards for the tests of pages: an authority, a listener on a free port, a simulated reader."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hygie.testing.card_authority import PERSON_POLICY, VITALE_POLICY, CardAuthority
from hygie.testing.ports import free_port, wait_for
from hygie.testing.simulators.serving import Outside

if TYPE_CHECKING:
    from hygie.testing.portal import Site


class CardPlace:
    """What an installation that reads cards needs, in one folder.

    ``now`` is what the listener takes for the time, None for the clock.
    """

    def __init__(self, folder: Path, outside: Outside) -> None:
        self.folder = folder
        self.port = free_port()
        self.authority = CardAuthority()
        self.authority.write(folder)
        self.server = self.authority.server("localhost").write(folder, "server")
        self.vitale = outside.simulators.cards["vitale-reader"].authority
        self.now: datetime | None = None
        self.file = folder / "cards.toml"
        self.file.write_text(self.described(outside), "utf-8")

    @property
    def address(self) -> str:
        """Return the address of the listener."""
        return f"https://localhost:{self.port}"

    def forget(self) -> None:
        """Put nobody on the list any more, and make it today's."""
        self.now = None
        self.authority.revoked.clear()
        self.authority.write_lists(self.folder)

    def described(self, outside: Outside, **changed: Any) -> str:
        """Return the TOML text of ``HYGIE_CARDS``; ``changed`` goes into ``[professional]``."""
        professional = {
            "address": self.address,
            "listen": f"127.0.0.1:{self.port}",
            "certificate": "server.pem",
            "key": "server.key",
            "authorities": "authorities.pem",
            "revocation": ["crl"],
            "policies": [PERSON_POLICY],
            **changed,
        }
        vitale = {
            "authorities": str(outside.folder / "vitale" / "authorities.pem"),
            "revocation": [str(outside.folder / "vitale" / "crl")],
            "policies": [VITALE_POLICY],
            "simulator": f"{outside.base}/simulators/",
        }
        lines = ['realm = "demonstration"']
        for name, table in (("professional", professional), ("vitale", vitale)):
            lines += ["", f"[{name}]"]
            lines += [f"{key} = {msgspec.json.encode(one).decode()}" for key, one in table.items()]
        return "\n".join([*lines, ""])


@pytest.fixture(scope="session")
def cards(outside: Outside) -> Iterator[CardPlace]:
    """Give an authority of cards and the file that describes it."""
    with tempfile.TemporaryDirectory(prefix="hygie-cards-") as folder:
        yield CardPlace(Path(folder), outside)


@pytest.fixture(scope="session")
def card_listener(site: Site, live: str, cards: CardPlace) -> Iterator[CardPlace]:
    """Run the product's own listener of cards beside the portal; give what it stands on."""
    listening: Any = import_module("hygie.domains.cards.api.listener")
    trust: Any = import_module("hygie.domains.cards.service.trust")
    database: Any = import_module("hygie.kernel.database.connection").Database
    settings = site.platform.settings

    async def start() -> Any:
        held = await database.open(settings, role="hygie_portal", size=2)
        one = trust.check_installation(settings).professional
        clock = lambda: cards.now or datetime.now(UTC)  # noqa: E731 - one line, told to one caller
        return held, await listening.Listener(one, live, held, clock).start()

    held, listening_now = asyncio.run_coroutine_threadsafe(start(), site.loop).result(20)
    wait_for(cards.port)
    yield cards

    async def stop() -> None:
        listening_now.cancel()
        await held.close()

    asyncio.run_coroutine_threadsafe(stop(), site.loop).result(20)
