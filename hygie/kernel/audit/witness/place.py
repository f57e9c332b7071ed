"""Where the witness of this machine has its folder and its socket, below the data folder."""

from __future__ import annotations

from pathlib import Path

from hygie.kernel.database import folders


def folder_of(data: Path) -> Path:
    """Return the folder of the witness; it belongs to its user when there is one."""
    return data / "witness"


def socket_of(data: Path) -> Path:
    """Return the socket where the witness answers, in a folder that can be walked through."""
    folder = folders.run(data) / "witness"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder / "socket"
