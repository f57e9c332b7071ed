"""``hygie load PATH...``: Bundles, NDJSON, compressed or not, and folders of them."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from tqdm import tqdm

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import folders, server
from hygie.kernel.store import open_repository
from hygie.kernel.store.loading import LoadReport, Problem, Progress, find_sources, load
from hygie.kernel.store.loading.items import Source

if TYPE_CHECKING:
    from hygie.commands.options import Commands

SHOWN = 10
FINE_STEPS = 1000


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "load", about="Load FHIR files; the same load again goes on or skips.", run=run
    )
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="file or folder")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="where each refusal is written, one JSON line each (default: logs of the data folder)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Load, then say what was done; 1 when something was refused.

    Raises:
        InvalidRequest: a path is not there, or is no FHIR file by its name.
    """
    settings = settings_of(arguments)
    sources, ignored = find_sources(arguments.paths)
    for path in ignored:
        sys.stderr.write(f"left out: {path}\n")
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    place: Path = arguments.report or folders.logs(settings.data) / f"load-{moment}.ndjson"
    with server.running(settings), place.open("wb") as written:
        teller = Teller(written)
        report = asyncio.run(_load(settings, sources, teller))
    sys.stdout.write(summary(report))
    if report.refused or report.warnings:
        sys.stdout.write(f"Each refusal and warning: {place}\n")
    else:
        place.unlink()
    return 1 if report.refused else 0


class Teller:
    """Writes every problem to the report, and the first refusals to the terminal."""

    def __init__(self, written: BinaryIO) -> None:
        self._written = written
        self._shown = 0

    def __call__(self, problem: Problem) -> None:
        """Take one problem."""
        self._written.write(problem.line())
        if problem.refused and self._shown < SHOWN:
            self._shown += 1
            reasons = "; ".join(
                f"{issue.expression or 'entry'}: {issue.diagnostics}" for issue in problem.issues
            )
            tqdm.write(f"{problem.source}, entry {problem.entry}: {reasons}", file=sys.stderr)


async def _load(settings: Settings, sources: Sequence[Source], teller: Teller) -> LoadReport:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        with Bar() as bar:
            return await load(repository, sources, progress=bar.show, report=teller)
    finally:
        await repository.database.close()


class Bar:
    """A progress bar; plain lines where nobody watches a terminal."""

    def __init__(self) -> None:
        shape = "{percentage:3.0f}% {bar} {elapsed}{postfix}"
        self._bar = tqdm(total=FINE_STEPS, bar_format=shape, disable=None)
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        """Show how far the load is; as a line, once every tenth of the way."""
        if self._bar.disable:
            tenths = int(progress.share * 10)
            if tenths > self._told:
                self._told = tenths
                sys.stderr.write(f"{tenths}0 %, {progress.resources} resources\n")
            return
        self._bar.set_postfix_str(f"{progress.resources} resources", refresh=False)
        self._bar.update(round(progress.share * FINE_STEPS) - self._bar.n)


def summary(report: LoadReport) -> str:
    """Return the counts as a small table."""
    rows = [(name, count) for name, count in sorted(report.created.items())]
    rows += [
        ("new", report.created.total()),
        ("new versions", report.updated),
        ("unchanged", report.unchanged),
        ("refused", report.refused),
        ("warnings", report.warnings),
        ("files done before", report.sources_done),
    ]
    return "".join(f"{count:>10}  {name}\n" for name, count in rows)
