"""``hygie import-person FILE``: bring a copy of a person's record here, after looking at it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.domains.rights.service.bringing import Plan, bring, plan_import
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.store import open_repository

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "import-person", about="Bring a copy of a person's record here.", run=run
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="made by export-person")
    parser.add_argument(
        "--apply", action="store_true", help="write; without it, only say what would be done"
    )


def run(arguments: argparse.Namespace) -> int:
    """Say what the import does, and do it when asked; 1 when something was refused.

    Raises:
        Malformed: the file is no copy of a record, or was changed.
    """
    settings = settings_of(arguments)
    path: Path = arguments.file.expanduser().resolve()
    with server.running(settings):
        plan, written = asyncio.run(_bring(settings, path, apply=arguments.apply))
    sys.stdout.write(told(plan))
    if written is None:
        sys.stdout.write("Nothing was written: run it again with --apply.\n")
    else:
        sys.stdout.write(f"{written:>10}  resources written\n")
    return 1 if plan.refused else 0


async def _bring(settings: Settings, path: Path, *, apply: bool) -> tuple[Plan, int | None]:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        plan = await plan_import(repository, path)
        written = await bring(repository, path, plan, at=datetime.now(UTC)) if apply else None
    finally:
        await repository.database.close()
    return plan, written


def told(plan: Plan) -> str:
    """Return what an import does, in lines an operator reads before saying yes."""
    lines = [f"Record of {plan.name}, copied on {plan.made} from {plan.source}"]
    lines += [f"{count:>10}  {rt}" for rt, count in sorted(plan.created.items())]
    lines.append(f"{len(plan.same):>10}  here already, word for word")
    lines += [f"new id: {old} becomes {new}" for old, new in sorted(plan.renamed.items())]
    lines += [f"gives access: {one}" for one in plan.access]
    lines += [f"refused: {reference}: {why}" for reference, why in plan.refused]
    lines += [f"same identifier as {one} here: is it the same person?" for one in plan.namesakes]
    return "".join(f"{line}\n" for line in lines)
