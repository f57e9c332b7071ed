"""``hygie witness``: keep and cosign the heads of an access log, or ask who does."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.commands.options import command, settings_of
from hygie.kernel.audit import alarms
from hygie.kernel.audit.upkeep import log_key, remotes
from hygie.kernel.audit.witness import server as http
from hygie.kernel.audit.witness.folder import read_heads
from hygie.kernel.audit.witness.keeper import Witness
from hygie.kernel.audit.witness.place import folder_of, socket_of
from hygie.kernel.audit.witness.rounds import check
from hygie.kernel.database import server
from hygie.kernel.database.connection import Database
from hygie.kernel.database.process import die_with_parent
from hygie.kernel.database.roles import SEQUENCER
from hygie.kernel.errors import ConfigurationError, InvalidRequest
from hygie.supervisor import journal

if TYPE_CHECKING:
    from hygie.commands.options import Commands
    from hygie.kernel.config import Settings

ROOT = 0


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "witness", about="Keep and cosign the heads of an access log.", run=run
    )
    parser.add_argument("act", choices=tuple(_ACTS), metavar="serve|key|heads|check")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="the witness's own folder")
    parser.add_argument("--socket", type=Path, metavar="FILE", help="listen on this Unix socket")
    parser.add_argument("--listen", metavar="HOST:PORT", help="listen on this address")
    parser.add_argument(
        "--log", action="append", default=[], metavar="KEY", help="verifier key of a log to trust"
    )
    parser.add_argument("--first-use", action="store_true", help="trust the first log that comes")
    parser.add_argument("--user", metavar="NAME", help="become this user (root only)")


def run(arguments: argparse.Namespace) -> int:
    """Serve, print a key, print the kept heads, or ask the witnesses about the log."""
    return _ACTS[arguments.act](arguments)


def _serve(arguments: argparse.Namespace) -> int:
    """Serve until told to stop.

    Raises:
        InvalidRequest: an option is wrong.
        ConfigurationError: the folder is in use or damaged.
    """
    settings = settings_of(arguments)
    journal.set_up(settings.log)
    folder = _folder(arguments, settings).resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = _address(arguments.listen) if arguments.listen else None
    listening = http.listen(arguments.socket or socket_of(settings.data), address)
    if arguments.user and os.geteuid() == ROOT:
        try:
            http.become(arguments.user, folder)
        except KeyError as error:
            raise InvalidRequest(f"There is no user {arguments.user} on this machine.") from error
        die_with_parent()
        folder = Path()
    witness = Witness(folder, first_use=arguments.first_use)
    for key in arguments.log:
        witness.trust(key)
    try:
        http.serve(witness, listening)
    finally:
        witness.close()
    return 0


def _key(arguments: argparse.Namespace) -> int:
    """Print the verifier key, asked of the witness that runs or read in its folder."""
    settings = settings_of(arguments)
    folder = _folder(arguments, settings)
    try:
        witness = Witness(folder)
    except ConfigurationError:
        own = remotes(settings.data, ())
        if arguments.folder or not own:
            raise
        key = own[0].ask_key()
    else:
        key = witness.cosigner.verifier_key
        witness.close()
    sys.stdout.write(f"{key}\n")
    return 0


def _heads(arguments: argparse.Namespace) -> int:
    """Print the heads that the witness keeps, for ``hygie verify-log --witness-heads``."""
    folder = _folder(arguments, settings_of(arguments))
    for path in sorted(folder.glob("heads-*.ndjson")):
        for kept in read_heads(path):
            sys.stdout.write(f"{kept.line()}\n")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    """Ask each witness whether the log goes on from what it knows; 1 when one says no."""
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    with server.running(settings):
        told, standing = asyncio.run(_ask(settings))
    sys.stdout.write("".join(f"{line}\n" for line in told))
    for alarm in standing:
        sys.stdout.write(f"ALARM {alarm.kind} {alarm.subject} since {alarm.at}: {alarm.detail}\n")
    return 1 if standing else 0


async def _ask(settings: Settings) -> tuple[list[str], list[alarms.Alarm]]:
    database = await Database.open(settings, role=SEQUENCER, size=1)
    try:
        async with database.connection() as connection:
            told = [
                await check(connection, remote, log_key(settings.data))
                for remote in remotes(settings.data, settings.witnesses)
            ]
            return told or ["No witness is known."], await alarms.standing(connection)
    finally:
        await database.close()


def _folder(arguments: argparse.Namespace, settings: Settings) -> Path:
    return (arguments.folder or folder_of(settings.data)).expanduser()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidRequest("--listen takes an address and a port, such as 127.0.0.1:8042.")
    return host.strip("[]"), int(port)


_ACTS = {"serve": _serve, "key": _key, "heads": _heads, "check": _check}
