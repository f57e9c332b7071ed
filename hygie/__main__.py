"""``hygie`` and ``python -m hygie``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from hygie.kernel.errors import ConfigurationError, HygieError

COMMANDS = (
    "serve",
    "jobs",
    "load",
    "annuaire",
    "reindex",
    "export",
    "export-log",
    "export-person",
    "import-person",
    "breach-report",
    "verify-log",
    "log",
    "witness",
    "account",
    "token",
    "migrate",
    "keys",
    "backup",
    "restore",
    "clear-remnants",
)
REFUSED, WRONG_SETTINGS = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 when it was refused, 2 when its settings are wrong."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    # One command's modules only: none waits for what another one needs.
    named = [name for name in COMMANDS if name in given[:1]]
    chosen = parser(named or COMMANDS).parse_args(given)
    try:
        code: int = chosen.run(chosen)
    except HygieError as error:
        sys.stderr.write(f"hygie: {error}\n")
        return WRONG_SETTINGS if isinstance(error, ConfigurationError) else REFUSED
    except KeyboardInterrupt:
        sys.stderr.write("hygie: interrupted\n")
        return REFUSED
    return code


def parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the description of some commands, each in ``hygie/commands``."""
    described = argparse.ArgumentParser(
        prog="hygie", description="An open e-health platform for France on FHIR R4."
    )
    commands = described.add_subparsers(metavar="COMMAND", required=True)
    for name in names:
        import_module(f"hygie.commands.{name.replace('-', '_')}").add(commands)
    return described


if __name__ == "__main__":
    sys.exit(main())
