"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.kernel.config import Settings, settings_from_environment

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - its only name

Run = Callable[[argparse.Namespace], int]


def command(commands: Commands, name: str, *, about: str, run: Run) -> argparse.ArgumentParser:
    """Add one command with the option ``--data``, which every command has."""
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="data folder (default: HYGIE_DATA, or ./var)",
    )
    return parser


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Return the settings: options that are settings, then the environment."""
    names = ("host", "port", "workers", "only", "demo")
    chosen = {name: getattr(arguments, name, None) for name in names}
    return settings_from_environment(arguments.data, **chosen)


def positive(text: str) -> int:
    """Read a whole number from 1."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return int(text)
