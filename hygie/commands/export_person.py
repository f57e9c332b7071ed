"""``hygie export-person ID``: a copy of one person's record, as the person would get it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.domains.rights.service.copying import Counts
from hygie.domains.rights.service.exports import copy_for_operator
from hygie.domains.rights.service.words import Language
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store import open_repository

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "export-person", about="Copy one person's record into a ZIP file.", run=run
    )
    parser.add_argument("patient", metavar="ID", help="id of the Patient resource")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="a new .zip file")
    parser.add_argument(
        "--language", choices=("fr", "en"), default="fr", help="of the readable parts"
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy, then print what the file holds.

    Raises:
        InvalidRequest: the file exists already.
        NotFound: there is no such patient.
    """
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    path: Path = arguments.to.expanduser().resolve()
    if path.exists():
        raise InvalidRequest(f"{path} exists already: a copy goes to a new file.")
    patient = arguments.patient.removeprefix("Patient/")
    language = cast("Language", arguments.language)
    with server.running(settings):
        counts = asyncio.run(_copy(settings, patient, path, language))
    for rt, count in sorted(counts.types.items()):
        sys.stdout.write(f"{count:>10}  {rt}\n")
    sys.stdout.write(f"{counts.resources:>10}  resources, {counts.earlier} earlier versions, ")
    sys.stdout.write(f"{counts.documents} files and {counts.traces} accesses in {path}\n")
    return 0


async def _copy(settings: Settings, patient: str, path: Path, language: Language) -> Counts:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        return await copy_for_operator(
            repository, patient, path, language=language, at=datetime.now(UTC)
        )
    finally:
        await repository.database.close()
