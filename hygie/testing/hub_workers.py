"""The hub alone in several real processes, for tests of what crosses them.

``HYGIE_APPLICATION=hygie.testing.hub_workers:application python -m hygie.supervisor.serving``
"""

from __future__ import annotations

from hygie.kernel.api.http import Receive, Scope, Send
from hygie.kernel.config import Settings
from hygie.kernel.platform import Face, Platform, discover
from hygie.kernel.store import open_repository


class HubAlone:
    """One worker that serves every face a domain registered, and nothing else."""

    def __init__(self, settings: Settings) -> None:
        self._platform = Platform(settings)
        discover(self._platform, "hygie.domains")
        self._faces: dict[str, Face] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            face = self._faces[scope["path"].lstrip("/").partition("/")[0]]
            await face(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        platform = self._platform
        platform.repository = await open_repository(platform.settings, law=platform.law)
        for prefix, make in platform.faces.items():
            self._faces[prefix] = await make(platform)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for face in self._faces.values():
            await face.close()
        await platform.repository.database.close()
        await send({"type": "lifespan.shutdown.complete"})


def application(settings: Settings) -> HubAlone:
    """Return the application of one worker."""
    return HubAlone(settings)
