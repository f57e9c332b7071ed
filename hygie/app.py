"""The composition root: discovers domains and portals, builds the one ASGI application.

Machine paths go to the lean engine, everything else to the pages; before the database is up to
date, ``/healthz`` says why and every other path asks to come back:
machines by an OperationOutcome, people by a small page.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from hygie import __version__
from hygie.kernel.api.asgi import MachineFace, is_machine_path, refuse
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import Message, Receive, Scope, Send
from hygie.kernel.audit import emergency
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server, state
from hygie.kernel.database.connection import Database
from hygie.kernel.errors import HygieError, NotFound, Unavailable
from hygie.kernel.platform import DemoDirectory, Platform, discover
from hygie.kernel.platform import Face as Mounted
from hygie.kernel.store import Repository, key_jobs, open_repository, remnant_jobs, statistics
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.purging import ERASURE
from hygie.kernel.web import portal, waiting

log = logging.getLogger(__name__)
Face = Callable[[Scope, Receive, Send], Awaitable[None]]

SIMULATORS = "/simulators/"
"""Where the simulators of outside organisations stand, in demonstration mode."""
REFRESH = 600.0
"""Seconds between two refreshes of the planner's statistics."""
LOOK_AGAIN = 0.05
"""Seconds between two looks at whether the database is up to date."""


def compose(settings: Settings, *, demo: DemoDirectory | None = None) -> Platform:
    """Return the register of every domain and portal of this programme."""
    platform = Platform(_with_outside(settings), demo=demo)
    discover(platform, "hygie.domains")
    if settings.only != "api":
        discover(platform, "hygie.portals")
    platform.add_job("store.refresh_statistics", _refresh_statistics, every=REFRESH)
    platform.add_job(key_jobs.KEEP, _keep_keys, every=key_jobs.EVERY)
    platform.add_job(key_jobs.WATCH, _watch_keys, every=key_jobs.EVERY)
    platform.add_job(remnant_jobs.CLEAR, _clear_remnants, every=remnant_jobs.EVERY)
    return platform


def application(settings: Settings) -> Application:
    """Return the ASGI application of one worker."""
    return Application(settings)


class Application:
    """One worker: opens its parts when the database is ready, then dispatches by path."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._platform = compose(settings, demo=_demonstration(settings))
        self._simulators: Face | None = _simulators(self._platform.settings)
        self._machines: Face | None = None
        self._pages: Face | None = None
        self._faces: dict[str, Mounted] = {}
        self._opening: asyncio.Task[None] | None = None
        self._failure = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            face = self._face_at(scope["path"])
            await (face or _no_sockets)(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._opening = asyncio.create_task(self._open())
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/healthz":
            await self._healthz(send)
        elif self._simulators is not None and path.startswith(SIMULATORS):
            await self._simulators(scope, receive, send)
        elif is_machine_path(path):
            await (self._machines or self._no_machines)(scope, receive, send)
        elif _first_part(path) in self._platform.faces:
            await (self._face_at(path) or self._no_machines)(scope, receive, send)
        else:
            await (self._pages or self._no_pages)(scope, receive, send)

    def _face_at(self, path: str) -> Face | None:
        return self._faces.get(_first_part(path))

    async def _no_machines(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if self._settings.only == "portal":
            error: HygieError = NotFound("This address serves the pages only; FHIR is at another.")
        else:
            error = Unavailable(self._failure or "Hygie is starting; see /healthz and retry.")
        await refuse(scope, send, error)

    async def _no_pages(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if self._settings.only == "api":
            notice = waiting.NOT_SERVED
        else:
            notice = waiting.FAILED if self._failure else waiting.STARTING
        await waiting.send_notice(send, notice, head=scope["method"] == "HEAD")

    async def _healthz(self, send: Send) -> None:
        current = state.read(self._settings.data)
        opened = self._opening is not None and self._opening.done() and not self._failure
        if current.status == "ready" and opened:
            await _send_json(send, 200, {"status": "ready", "version": __version__})
        else:
            reason = self._failure or current.reason or "the programme is starting"
            status = current.status if current.status != "ready" else "starting"
            await _send_json(send, 503, {"status": status, "reason": reason})

    async def _open(self) -> None:
        settings = self._settings
        while not state.read(settings.data).database:  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(LOOK_AGAIN)
        emergency.arm(settings.data)
        try:
            repository = await open_repository(settings, law=self._platform.law)
            self._platform.repository = repository
            if settings.only != "portal":
                self._machines = _machine_face(self._platform, repository)
                for prefix, make in self._platform.faces.items():
                    self._faces[prefix] = await make(self._platform)
            if settings.only != "api":
                self._pages = portal.serve(self._platform, dsn=server.dsn(settings))
        except HygieError as error:
            self._failure = str(error)
            log.exception("application.not_opened")
        except Exception:
            self._failure = "the programme could not open its parts; its journal says why"
            log.exception("application.not_opened")

    async def _close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._opening
        for face in self._faces.values():
            await face.close()
        if self._platform.repository is not None:
            await self._platform.repository.database.close()
        if self._pages is not None:
            await asyncio.to_thread(portal.close)


def _machine_face(platform: Platform, repository: Repository) -> MachineFace:
    settings = platform.settings
    events = AuditEvents(
        base=settings.fhir_base,
        key_of=key_of,
        zone=ZoneInfo(settings.zone),
        clock=SystemClock(),
    )
    engine = Engine(repository, settings.fhir_base, events, __version__, platform)
    return MachineFace(engine, settings.trusted_proxies)


async def _no_sockets(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})


def _first_part(path: str) -> str:
    """Return what a path begins with.

    >>> _first_part("/fhircast/ws/x"), _first_part("/")
    ('fhircast', '')
    """
    return path.lstrip("/").partition("/")[0]


def _demonstration(settings: Settings) -> DemoDirectory | None:
    if settings.demo is None:
        return None
    from hygie.demo.guide import Guide  # noqa: PLC0415 - only a demonstration loads it

    return Guide(settings.data)


def _with_outside(settings: Settings) -> Settings:
    """Return the settings; a demonstration without providers gets the simulators of them."""
    if settings.demo is None:
        return settings
    from hygie.demo.outside import with_simulators  # noqa: PLC0415 - only a demonstration has them

    return with_simulators(settings)


def _simulators(settings: Settings) -> Face | None:
    if settings.demo is None:
        return None
    from hygie.demo.outside import simulators, write_outside_people  # noqa: PLC0415 - same

    write_outside_people(settings)
    return simulators(settings)


async def _keep_keys(platform: Platform) -> None:
    if platform.repository is not None:
        await key_jobs.keep_keys(platform.repository, at=SystemClock().now())


async def _watch_keys(platform: Platform) -> None:
    if platform.repository is not None:
        await key_jobs.watch_keys(platform.repository, at=SystemClock().now())


async def _clear_remnants(platform: Platform) -> None:
    repository, settings = platform.repository, platform.settings
    if repository is not None and await remnant_jobs.is_pending(repository):
        admin = None if settings.database_url else server.admin_dsn(settings)
        await remnant_jobs.clear_remnants(repository, ERASURE, admin_dsn=admin)


async def _refresh_statistics(platform: Platform) -> None:
    """Tell the planner how frequent tokens are.

    PostgreSQL shows a table's statistics to roles that row-level security does not bind.
    """
    database = await Database.open(platform.settings, role=roles.LOADER, size=1)
    try:
        async with database.connection() as connection:
            await statistics.refresh(connection)
    finally:
        await database.close()


async def _send_json(send: Send, status: int, told: dict[str, object]) -> None:
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 503:  # noqa: PLR2004 - RFC 9110, 10.2.3
        headers.append((b"retry-after", b"1"))
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
