"""The witness that runs beside: its own folder, and its own user where this one is root."""

from __future__ import annotations

import os
import sys

from hygie.kernel.audit.witness.place import folder_of
from hygie.kernel.config import Settings
from hygie.kernel.database import account, folders

USER = "hygie-witness"
ROOT = 0


def command(settings: Settings) -> list[str]:
    """Return the command of the witness, whose folder is made here.

    It trusts the log that introduces itself first, which is the one of this machine. Whoever wants
    a witness that the administrators of this machine cannot reach runs another one elsewhere.

    Raises:
        ConfigurationError: its user cannot be made.
    """
    folders.make(settings.data)
    folder_of(settings.data).mkdir(mode=0o700, exist_ok=True)
    told = [sys.executable, "-m", "hygie", "witness", "serve", "--first-use"]
    if os.geteuid() == ROOT:
        account.ensure(USER)
        told += ["--user", USER]
    return told
