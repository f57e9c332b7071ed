"""``hygie verify-log EXPORT``: run the offline verifier, which needs nothing of Hygie."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import hygie_verify.__main__ as verifier

if TYPE_CHECKING:
    from hygie.commands.options import Commands

NAME = "verify-log"


def add(commands: Commands) -> None:
    """Describe the command; its options are those of ``python -m hygie_verify``."""
    about = "Verify an export of the access log, offline."
    parser = commands.add_parser(NAME, help=about, description=about)
    verifier.describe(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify; 0 when the log is whole, 1 when it is not, 2 when that cannot be told."""
    return verifier.run(arguments)
