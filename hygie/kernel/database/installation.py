"""What is drawn once for an installation and kept in ``data/keys``."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hygie.kernel.database import folders

# Letters and digits that nobody confuses when they copy them from a screen.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 3, 4


def demo_password(data: Path) -> str:
    """Return the password that the demonstration accounts share, drawn at first start."""
    path = demo_password_file(data)
    if not path.exists():
        groups = ("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
        _keep(path, "-".join(groups))
    return path.read_text("ascii").strip()


def has_demonstration(data: Path) -> bool:
    """Return whether demonstration accounts were ever made in this data folder."""
    return demo_password_file(data).exists()


def demo_password_file(data: Path) -> Path:
    """Return the file of the demonstration accounts' password."""
    return folders.keys(data) / "demo-password"


def _keep(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(f"{text}\n", "ascii")
    draft.rename(path)
