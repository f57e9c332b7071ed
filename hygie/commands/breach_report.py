"""``hygie breach-report``: what the access log says of an incident, for the first 72 hours."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.domains.rights.model.measures import Breach, measures
from hygie.domains.rights.service.breach import breach_report
from hygie.domains.rights.service.papers import breach_paper
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store import open_repository

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "breach-report", about="Draft the notification of a breach.", run=run
    )
    parser.add_argument("--from", dest="since", required=True, metavar="INSTANT", help="ISO 8601")
    parser.add_argument("--to", dest="until", required=True, metavar="INSTANT", help="ISO 8601")
    parser.add_argument(
        "--agent", default="", metavar="REFERENCE", help="only accesses of this agent"
    )
    parser.add_argument("--language", choices=("fr", "en"), default="fr")


def run(arguments: argparse.Namespace) -> int:
    """Print the draft as Markdown.

    Raises:
        InvalidRequest: an instant cannot be read, or the period ends before it begins.
    """
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    zone = ZoneInfo(settings.zone)
    since, until = _instant(arguments.since, zone), _instant(arguments.until, zone)
    with server.running(settings):
        breach = asyncio.run(_report(settings, since, until, arguments.agent))
    now = datetime.now(UTC)
    paper = breach_paper(breach, language=arguments.language, at=now, measures=measures(settings))
    sys.stdout.write(paper)
    return 0


def _instant(text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(f"{text} is no instant; write 2026-11-22T08:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=zone)


async def _report(settings: Settings, since: datetime, until: datetime, agent: str) -> Breach:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        return await breach_report(repository, since=since, until=until, agent=agent)
    finally:
        await repository.database.close()
