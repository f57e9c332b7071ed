"""The operating-system account that runs the embedded server.

PostgreSQL refuses to run as root. Started by root, Hygie runs it as the ordinary system user
``hygie``; started by anybody else, as that very user.
"""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hygie.kernel.errors import ConfigurationError

log = logging.getLogger(__name__)
NAME = "hygie"


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server.

    Attributes:
        uid: user number.
        gid: group number.
        other: whether that is somebody else than the present process.
    """

    uid: int
    gid: int
    other: bool

    def own(self, path: Path, *, mode: int) -> None:
        """Give one folder to the account, with exactly this mode."""
        if self.other:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def own_all(self, folder: Path) -> None:
        """Give a folder and all that it holds to the account; used on PGDATA only."""
        if self.other:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account(pgdata: Path) -> Account:
    """Return who runs the server of a data folder: whoever owns it already, or a fresh account.

    Raises:
        ConfigurationError: the folder belongs to somebody else, or no account can be made.
    """
    owner = pgdata.stat() if pgdata.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise ConfigurationError(
                f"{pgdata} belongs to another user (number {owner.st_uid}): start Hygie as that "
                "user or as root, or choose another folder with --data."
            )
        return Account(os.geteuid(), os.getegid(), other=False)
    if owner and owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, other=True)
    ensure(NAME)
    entry = pwd.getpwnam(NAME)
    return Account(entry.pw_uid, entry.pw_gid, other=True)


def ensure(name: str) -> None:
    """Make a system user who cannot sign in, unless there is one; needs root.

    Raises:
        ConfigurationError: it cannot be made.
    """
    try:
        pwd.getpwnam(name)
    except KeyError:
        _make_account(name)


def let_through(account: Account, *targets: Path) -> None:
    """Let the account walk down to each target: the bit ``o+x`` on the folders that lack it.

    Nobody may list those folders afterwards who could not before: only a path known in
    advance can be followed. One line says which folders were changed.
    """
    opened = []
    for folder in sorted({parent for target in targets for parent in target.resolve().parents}):
        facts = folder.stat()
        if not _may_walk(facts, account):
            folder.chmod(stat.S_IMODE(facts.st_mode) | stat.S_IXOTH)
            opened.append(str(folder))
    if opened:
        log.warning(
            "database.folders_opened: the server's account may now pass through (not list) %s",
            ", ".join(opened),
        )


def let_read(account: Account, programs: Path) -> None:
    """Let the account read the wheel's programs where a strict umask installed them for root."""
    if not account.other or (programs / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (programs, *programs.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | (mode & 0o500) >> 6)


def _may_walk(facts: os.stat_result, account: Account) -> bool:
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def _make_account(name: str) -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise ConfigurationError(
            f"This part cannot run as root: make the user first ({name}, without a password), "
            "or start Hygie as an ordinary user."
        )
    made = subprocess.run(  # noqa: S603 - fixed arguments
        [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
         "--shell", "/usr/sbin/nologin", name],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    already_there = 9
    if made.returncode not in {0, already_there}:
        raise ConfigurationError(f"The user {name} could not be made: {made.stderr.strip()}")
    log.info("database.account_made", extra={"account": name})
