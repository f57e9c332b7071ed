"""What a backup is: two encrypted archives, so that keys can be forgotten before the data.

::

    data.hygie   postgres/ or database.dump, and blobs/
    keys.hygie   keys/, ledger/, and the rows of patients' wrapped keys (tables/)

Each is a tar, encrypted in pieces under a key of its own. That key stands in the header twice,
wrapped by the key-encryption key and by the recovery key: either opens it. An archive gets its name
when it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import msgspec

from hygie.kernel.errors import InvalidRequest, Unavailable
from hygie.kernel.security.keys.port import KEY_BYTES, KeyPort, Wrapped
from hygie.kernel.security.keys.recovery import RecoveryKey
from hygie.kernel.security.keys.stream import (
    PIECE,
    Decrypting,
    Encrypting,
    read_header,
    write_header,
)

FORMAT = 2
DATA, KEYS = "data.hygie", "keys.hygie"
POSTGRES, DUMP, TABLES = "postgres", "database.dump", "tables"
Kind = Literal["embedded", "dump"]
_ABOUT = b"hygie backup"


class Header(msgspec.Struct, frozen=True):
    """What an archive says in clear.

    Attributes:
        made: instant of the backup, UTC.
        holds: which of the two archives it is.
        kind: how the database was copied.
        major: major version of PostgreSQL.
        kek: version of the key-encryption key that wrapped its key.
        by_kek: its key, so wrapped, in hexadecimal.
        recovery: name of the recovery key that wrapped it too.
        by_recovery: its key, so wrapped, in hexadecimal.
        format: version of this layout.
    """

    made: str
    holds: Literal["data", "keys"]
    kind: Kind
    major: int
    kek: int
    by_kek: str
    recovery: str
    by_recovery: str
    format: int = FORMAT


@contextlib.contextmanager
def written(
    path: Path, draft: Header, *, port: KeyPort, recovery: RecoveryKey
) -> Iterator[tarfile.TarFile]:
    """Give a tar to fill; the archive stands under its name, durable, when the block ends well.

    ``draft`` is the header but for the wrapped keys.
    """
    key = secrets.token_bytes(KEY_BYTES)
    by_kek = port.wrap(key, about=_ABOUT)
    header = msgspec.structs.replace(
        draft,
        kek=by_kek.version,
        by_kek=by_kek.text.hex(),
        recovery=recovery.name,
        by_recovery=recovery.wrap(key).hex(),
    )
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("xb") as stream:
            partial.chmod(0o600)
            about = write_header(stream, msgspec.json.encode(header))
            with (
                Encrypting(stream, key, about) as encrypting,
                tarfile.open(
                    mode="w|", fileobj=cast("IO[bytes]", encrypting), bufsize=PIECE
                ) as tar,
            ):
                yield tar
            stream.flush()
            os.fsync(stream.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)


def header_of(path: Path) -> Header:
    """Return what an archive says in clear.

    Raises:
        InvalidRequest: it is no archive, or of another version of Hygie.
    """
    try:
        with path.open("rb") as stream:
            return _header(read_header(stream, name=str(path)), path)
    except OSError as error:
        raise InvalidRequest(f"{path} is not a complete backup of Hygie.") from error


def unpack(path: Path, folder: Path, *, port: KeyPort | None, recovery: RecoveryKey | None) -> None:
    """Decrypt and unpack an archive into a folder, every byte verified.

    What stands in the folder when this raises was verified piece by piece, and is not whole.

    Raises:
        InvalidRequest: the archive is damaged, or neither key opens it.
    """
    folder.mkdir(mode=0o700, parents=True)
    with path.open("rb") as stream:
        raw = read_header(stream, name=str(path))
        key = _key(_header(raw, path), path, port, recovery)
        about = hashlib.sha256(raw).digest()
        source = Decrypting(cast("BinaryIO", stream), key, about, name=str(path))
        try:
            with tarfile.open(mode="r|", fileobj=cast("IO[bytes]", source), bufsize=PIECE) as tar:
                tar.extractall(folder, filter=_private)  # noqa: S202 - filtered
        except tarfile.TarError as error:
            raise InvalidRequest(f"{path} is damaged: take another backup.") from error
        source.finish()


def _private(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Accept what belongs in the folder, for its owner only."""
    kept = tarfile.data_filter(member, path)
    return kept.replace(mode=0o700) if kept.isdir() else kept


def _header(raw: bytes, path: Path) -> Header:
    try:
        header = msgspec.json.decode(raw, type=Header)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{path} is damaged at its beginning: take another backup.") from error
    if header.format != FORMAT:
        raise InvalidRequest(f"{path} was made by a version of Hygie with another layout.")
    return header


def _key(header: Header, path: Path, port: KeyPort | None, recovery: RecoveryKey | None) -> bytes:
    if recovery is not None and recovery.name == header.recovery:
        return recovery.unwrap(bytes.fromhex(header.by_recovery))
    if port is not None:
        with contextlib.suppress(Unavailable):
            return port.unwrap(Wrapped(header.kek, bytes.fromhex(header.by_kek)), about=_ABOUT)
    raise InvalidRequest(
        f"{path} is opened by recovery key {header.recovery}: give its file with --recovery-key "
        "(it was keys/recovery in the data folder), or name the token that wrapped it in "
        "HYGIE_KEYS."
    )


def check_is_empty(folder: Path, *, why: str) -> None:
    """Raise when a folder holds anything.

    Raises:
        InvalidRequest: with the reason given.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidRequest(f"{folder} is not empty: {why}")
