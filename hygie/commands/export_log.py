"""``hygie export-log --to FILE``: the whole access log, for ``python -m hygie_verify``."""

from __future__ import annotations

import argparse
import asyncio
import gzip
import sys
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import msgspec

from hygie.commands.options import command, settings_of
from hygie.kernel.audit import sequencer
from hygie.kernel.audit.export import export
from hygie.kernel.audit.merging import merge
from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.audit.upkeep import log_key
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import SEQUENCER
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.caller import SYSTEM

if TYPE_CHECKING:
    from hygie.commands.options import Commands

OK = 200


class Said(msgspec.Struct):
    """What the last line of an export says."""

    end: dict[str, int]


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(commands, "export-log", about="Write the access log, to be verified.", run=run)
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="a new file, .ndjson or .ndjson.gz"
    )


def run(arguments: argparse.Namespace) -> int:
    """Export, then print the key that verifies the file and how to verify it.

    Raises:
        InvalidRequest: the file exists or cannot be made, or the data folder is another one.
        ConfigurationError: the log does not go on from its last signed head.
    """
    settings = settings_of(arguments)
    file: Path = arguments.to.expanduser().resolve()
    server.check_is_installed(settings)
    with server.running(settings), _make(file) as lines:
        key, last = asyncio.run(_export(settings, lines))
    counts = msgspec.json.decode(last, type=Said).end
    sys.stdout.write(
        f"{counts['leaves']} events and {counts['heads']} signed heads in {file}\n"
        f"Key of the log: {key}\n"
        f"Verify with: python -m hygie_verify {file} --key {key}\n"
        "Give it also --witness-key and --witness-heads: docs/how-to/verify-the-access-log.md\n"
    )
    return 0


def _make(file: Path) -> IO[bytes]:
    """Make the file, for its owner only: it tells who read whose record."""
    try:
        file.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise InvalidRequest(
            f"{file} cannot be made ({error.strerror}): name a new file of a folder that exists."
        ) from error
    if file.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(file, "wb"))
    return file.open("wb")


async def _export(settings: Settings, file: IO[bytes]) -> tuple[str, bytes]:
    """Trace the export itself, give each trace its place, write; return key and last line."""
    traces = await Database.open(settings, size=1)
    places = await Database.open(settings, role=SEQUENCER, size=1)
    last = b""
    try:
        async with traces.connection() as connection:
            await write(connection, [_trace()])
        async with places.connection() as connection:
            signer = await sequencer.signer_of(connection, log_key(settings.data))
            await merge(connection, settings.data)
            while await sequencer.sequence(connection, signer.key):
                pass
            async for last in export(connection, signer.key):
                file.write(last)
    finally:
        for database in (traces, places):
            await database.close()
    return signer.verifier_key, last


def _trace() -> Trace:
    return Trace(
        request=uuid.uuid4(),
        kind=int(SYSTEM.kind),
        party=SYSTEM.party,
        agent=SYSTEM.reference,
        purpose=SYSTEM.purpose,
        interaction="operation",
        outcome=OK,
        rule="system",
        detail="hygie export-log",
    )
