"""``hygie annuaire import FILE``: bring the directory up to date with a national extraction."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.domains.annuaire.model.entries import Remark
from hygie.domains.annuaire.service.importing import Outcome, Wish, import_extraction
from hygie.kernel.config import Settings
from hygie.kernel.database import folders, server
from hygie.kernel.store import open_repository

if TYPE_CHECKING:
    from hygie.commands.options import Commands

SHOWN = 10


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands,
        "annuaire",
        about="Import professionals and structures from an extraction of the national directory.",
        run=run,
    )
    parser.add_argument("action", choices=("import",), help="what to do")
    parser.add_argument(
        "file", type=Path, help="PS_LibreAcces_Personne_activite or FINESS, or its ZIP"
    )
    parser.add_argument(
        "--on", type=date.fromisoformat, metavar="YYYY-MM-DD", help="day of the extraction (today)"
    )
    parser.add_argument(
        "--partial",
        action="store_true",
        help="the file holds some professionals only: end nothing for the others",
    )
    parser.add_argument(
        "--accept-endings",
        action="store_true",
        help="end the practice of whoever the file does not name, however many they are",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="where each remark is written, one JSON line each (default: logs of the data folder)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Import, then say what was done; 1 when a line was refused or endings wait for a word.

    Raises:
        InvalidRequest: the file is none that is read.
    """
    settings = settings_of(arguments)
    now = datetime.now(UTC)
    wish = Wish(
        arguments.file,
        arguments.on or now.date(),
        complete=not arguments.partial,
        accept_endings=arguments.accept_endings,
    )
    place: Path = arguments.report or (
        folders.logs(settings.data) / f"annuaire-{now.strftime('%Y%m%dT%H%M%SZ')}.ndjson"
    )
    with server.running(settings), place.open("w", encoding="utf-8") as written:
        outcome = asyncio.run(_import(settings, wish, Teller(written)))
    sys.stdout.write(summary(outcome))
    if outcome.refused or outcome.doubts or outcome.loaded.refused:
        sys.stdout.write(f"Each refused and doubtful line: {place}\n")
    else:
        place.unlink()
    waits = bool(outcome.absent) and not outcome.ended and wish.complete
    if waits:
        sys.stderr.write(
            f"The file does not name {outcome.absent} known professionals: too many to end what "
            "they practise without a word. Check that it is whole, then add --accept-endings.\n"
        )
    return 1 if outcome.refused or outcome.loaded.refused or waits else 0


class Teller:
    """Writes every remark to the report, and the first refusals to the terminal."""

    def __init__(self, written: IO[str]) -> None:
        self._written = written
        self._shown = 0

    def __call__(self, remark: Remark) -> None:
        """Take one remark."""
        self._written.write(msgspec.json.encode(remark).decode() + "\n")
        if remark.refused and self._shown < SHOWN:
            self._shown += 1
            sys.stderr.write(f"line {remark.line}: {remark.reason}\n")


async def _import(settings: Settings, wish: Wish, teller: Teller) -> Outcome:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        return await import_extraction(repository, wish, tell=teller)
    finally:
        await repository.database.close()


def summary(outcome: Outcome) -> str:
    """Return the counts as a small table."""
    written = sorted(outcome.loaded.created.items())
    rows = [
        ("lines read", outcome.lines),
        ("lines taken", outcome.taken),
        ("lines refused", outcome.refused),
        ("remarks on taken lines", outcome.doubts),
        *((f"new {name}", count) for name, count in written),
        ("new versions", outcome.loaded.updated),
        ("unchanged", outcome.unchanged),
        ("professionals not named any more", outcome.absent),
    ]
    return "".join(f"{count:>10}  {name}\n" for name, count in rows)
