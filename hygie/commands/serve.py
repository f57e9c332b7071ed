"""``hygie serve``: run everything until told to stop."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from hygie.commands.options import command, positive, settings_of
from hygie.domains.federation.model.providers import simulators
from hygie.domains.federation.service.providers import providers_of
from hygie.kernel.config import LOOPBACK, Settings
from hygie.kernel.database import folders
from hygie.kernel.database.installation import has_demonstration
from hygie.supervisor import cards, journal, population, witness
from hygie.supervisor.checks import Installation, check_may_start
from hygie.supervisor.supervisor import PREPARE_PAGES, Commands, Supervisor

if TYPE_CHECKING:
    from hygie.commands.options import Commands as Parsers


def add(commands: Parsers) -> None:
    """Describe the command."""
    parser = command(commands, "serve", about="Run Hygie: database, pages, API, jobs.", run=run)
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=positive, metavar="N", help="port (default: 8000)")
    parser.add_argument("--workers", type=positive, metavar="N", help="serving processes (1)")
    parser.add_argument(
        "--demo",
        type=positive,
        metavar="N",
        help="demonstration mode: make N synthetic patients and the demonstration accounts",
    )
    parser.add_argument("--only", choices=("api", "portal"), help="serve one face only")


def run(arguments: argparse.Namespace) -> int:
    """Serve.

    Raises:
        ConfigurationError: the start would be unsafe, or is impossible.
    """
    settings = settings_of(arguments)
    journal.set_up(settings.log)
    # A folder that does not exist yet is not made for a start that is refused.
    accounts = folders.is_made(settings.data) and has_demonstration(settings.data)
    named = simulators(providers_of(settings))
    check_may_start(settings, Installation(demonstration_accounts=accounts, simulators=named))
    commands = Commands(
        pages=PREPARE_PAGES if settings.only != "api" else (),
        population=population.command(settings),
        witness=witness.command(settings),
        cards=cards.command(settings),
    )
    return Supervisor(settings, commands=commands, on_ready=lambda: announce(settings)).run()


def announce(settings: Settings) -> None:
    """Print the address, and the demonstration accounts in demonstration mode."""
    lines = ["", f"  Hygie answers at {settings.base_url}/  (FHIR: {settings.fhir_base})", ""]
    if settings.demo is not None:
        lines += [*population.accounts_table(settings), ""]
        if settings.host not in LOOPBACK:
            lines += ["  Demonstration mode on a public address: synthetic records only.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
