"""Where things stand below the data folder.

::

    data/postgres        the embedded server's own folder (PGDATA)
    data/blobs           large attachments, encrypted
    data/keys            secrets of this installation, readable by its owner only
    data/ledger          the erasure ledger
    data/logs            what the server writes
    data/run             lock, state and socket of the running programme
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from hygie.kernel.database.account import Account
from hygie.kernel.errors import ConfigurationError

# sun_path of unix(7) holds 108 bytes with its final NUL; "/.s.PGSQL.5432" takes 14 of them.
LONGEST_SOCKET_FOLDER = 107 - 14


def make(data: Path) -> Path:
    """Make the data folder, which others may walk through and not list; return it.

    Raises:
        ConfigurationError: it cannot be made, or is not this user's to write in.
    """
    try:
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(data, str(error.strerror)) from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise unusable(data, "this user may not write in it")
    return data


def unusable(data: Path, reason: str) -> ConfigurationError:
    """Return the refusal of a data folder, with what to do."""
    return ConfigurationError(
        f"The data folder {data} cannot be used ({reason}): choose another with --data, or start "
        "Hygie as the user it belongs to."
    )


def is_made(data: Path) -> bool:
    """Return whether the data folder exists already.

    Raises:
        ConfigurationError: this user may not look, or a file stands in its way.
    """
    try:
        data.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(data, str(error.strerror)) from error
    return True


def postgres(data: Path) -> Path:
    """Return PGDATA of the embedded server."""
    return data / "postgres"


def blobs(data: Path) -> Path:
    """Return the folder of the blob store, made with mode 0700."""
    return _private(data / "blobs")


def keys(data: Path) -> Path:
    """Return the folder of secrets, made with mode 0700."""
    return _private(data / "keys")


def ledger(data: Path) -> Path:
    """Return the folder of the erasure ledger, made with mode 0700."""
    return _private(data / "ledger")


def logs(data: Path) -> Path:
    """Return the folder of logs, made with mode 0700."""
    return _private(data / "logs")


def run(data: Path) -> Path:
    """Return the folder of what only lives while Hygie runs.

    It can be walked through, not listed: the server's account has its socket below.
    """
    folder = make(data) / "run"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


def socket_folder(data: Path) -> Path:
    """Return the folder of the socket as last chosen by :func:`make_socket_folder`."""
    return _recorded(data) or run(data) / "pg"


def make_socket_folder(data: Path, account: Account) -> Path:
    """Make the private folder of the socket, elsewhere when the data folder's path is too long.

    Elsewhere is below XDG_RUNTIME_DIR or the temporary folder, under a name nobody can guess,
    and recorded in the data folder.
    """
    folder = run(data) / "pg"
    if _is_short(folder):
        (run(data) / "socket-folder").unlink(missing_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    elif (recorded := _recorded(data)) and _is_ours(recorded, account):
        folder = recorded
    else:
        folder = _make_elsewhere(None if account.other else os.environ.get("XDG_RUNTIME_DIR"))
        (run(data) / "socket-folder").write_text(f"{folder}\n{data}\n")
    account.own(folder, mode=0o700)
    return folder


def _recorded(data: Path) -> Path | None:
    """Return the recorded folder; the record of a copied data folder names another one."""
    record = run(data) / "socket-folder"
    lines = record.read_text().splitlines() if record.exists() else []
    return Path(lines[0]) if lines[1:] == [str(data)] else None


def _make_elsewhere(runtime: str | None) -> Path:
    for place in (runtime, tempfile.gettempdir()):
        if place and _is_short(Path(place) / "hygie-12345678"):
            return Path(tempfile.mkdtemp(prefix="hygie-", dir=place))
    return Path(tempfile.mkdtemp(prefix="hygie-", dir="/tmp"))


def _is_short(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER


def _is_ours(folder: Path, account: Account) -> bool:
    try:
        facts = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == account.uid


def _private(folder: Path) -> Path:
    make(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
