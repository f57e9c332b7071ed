"""``hygie log``: change the key of the access log, declare an emergency, see how the log fares."""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hygie.commands.options import command, settings_of
from hygie.kernel.audit import alarms, emergency, sequencer
from hygie.kernel.audit.handover import prepare, promote, rotate
from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.audit.upkeep import log_key
from hygie.kernel.database import folders, server
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import SEQUENCER
from hygie.kernel.errors import InvalidRequest, Unavailable
from hygie.kernel.security.caller import SYSTEM

if TYPE_CHECKING:
    from hygie.commands.options import Commands
    from hygie.kernel.config import Settings

OK = 200
HOURS = 4.0


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "log", about="Change the key of the access log, or declare an emergency.", run=run
    )
    parser.add_argument("act", choices=("rotate-key", "emergency", "status"))
    parser.add_argument("switch", nargs="?", choices=("on", "off"), help="of an emergency")
    parser.add_argument("--reason", default="", help="why reads must go on without the log")
    parser.add_argument(
        "--hours", type=float, default=HOURS, metavar="N", help=f"at most 24 (default: {HOURS:g})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Change the key, turn an emergency on or off, or print the alarms.

    Raises:
        InvalidRequest: an emergency is neither turned on nor off, or has no reason.
    """
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    if arguments.act == "emergency":
        return _emergency(arguments, settings)
    with server.running(settings):
        if arguments.act == "status":
            return asyncio.run(_status(settings))
        return asyncio.run(_rotate(settings))


def _emergency(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.switch is None:
        raise InvalidRequest("Say `hygie log emergency on --reason ...` or `... off`.")
    if arguments.switch == "off":
        emergency.turn_off(settings.data)
        told = "emergency off"
    else:
        now = datetime.now(UTC)
        declared = emergency.turn_on(
            settings.data, reason=arguments.reason, hours=arguments.hours, at=now
        )
        told = f"emergency on until {declared.until:%Y-%m-%d %H:%M} UTC: {declared.reason}"
    _trace_emergency(settings, told)
    sys.stdout.write(f"{told[0].upper()}{told[1:]}\n")
    return 0


def _trace_emergency(settings: Settings, told: str) -> None:
    """Trace the switch where it can be: in the log, else in the spool of this command."""
    emergency.arm(settings.data)
    try:
        with server.running(settings):
            asyncio.run(_write(settings, told))
    except Unavailable:
        spool = emergency.spool()
        if spool is not None:
            spool.write([emergency.encoded(_trace(told))])
    finally:
        emergency.disarm()


async def _write(settings: Settings, told: str) -> None:
    database = await Database.open(settings, size=1)
    try:
        async with database.connection() as connection:
            await write(connection, [_trace(told)])
    finally:
        await database.close()


async def _rotate(settings: Settings) -> int:
    """Trace the change, let the old key sign its last head, then hand over."""
    await _write(settings, "hygie log rotate-key")
    places = await Database.open(settings, role=SEQUENCER, size=1)
    folder = folders.keys(settings.data)
    try:
        async with places.connection() as connection:
            old = (await sequencer.signer_of(connection, log_key(settings.data))).key
            new = prepare(folder)
            async with connection.transaction():
                await connection.execute("SELECT FROM trace_tree FOR UPDATE")
                while await sequencer.sequence(connection, old):
                    pass
                changed = await rotate(connection, old, new)
        promote(folder)
    finally:
        await places.close()
    sys.stdout.write(
        f"The log has a new key: {changed}\n"
        "Who trusts the old one follows the change in the next export; keep both keys of the log "
        "where the operator cannot write.\n"
    )
    return 0


async def _status(settings: Settings) -> int:
    """Print how far the log is, its emergency and its alarms; 1 when an alarm sounds."""
    places = await Database.open(settings, role=SEQUENCER, size=1)
    try:
        async with places.connection() as connection:
            row = await connection.fetchrow(_STATUS)
            standing = await alarms.standing(connection)
    finally:
        await places.close()
    declared = emergency.declared(settings.data)
    lines = [] if row is None else [f"{name}: {value}" for name, value in dict(row).items()]
    if declared is not None:
        lines.append(f"emergency until {declared.until}: {declared.reason}")
    lines += [f"ALARM {one.kind} {one.subject} since {one.at}: {one.detail}" for one in standing]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if standing else 0


_STATUS = """
SELECT origin, size AS events, (SELECT max(at) FROM trace_head) AS "last head",
  (SELECT max(size) FROM trace_cosignature) AS "events cosigned",
  (SELECT max(size) FROM trace_timestamp) AS "events timestamped",
  (SELECT count(*) FROM trace_key WHERE size > 0) AS "changes of key",
  (SELECT coalesce(sum(lines), 0) FROM trace_spool) AS "events spooled"
FROM trace_tree
"""


def _trace(told: str) -> Trace:
    return Trace(
        request=uuid.uuid4(),
        kind=int(SYSTEM.kind),
        party=SYSTEM.party,
        agent=SYSTEM.reference,
        purpose=SYSTEM.purpose,
        interaction="operation",
        outcome=OK,
        rule="system",
        detail=told,
    )
