"""Emergency mode: reads go on while the access log cannot be written, into a signed local spool.

An operator turns it on, for a stated reason and for some hours (``hygie log emergency on``).
While it is off, a trace that the log refuses is a refused request.
"""

from __future__ import annotations

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from hygie.kernel.audit.checkpoint import load_or_create_key
from hygie.kernel.audit.spool import Spool
from hygie.kernel.clock import Clock, SystemClock
from hygie.kernel.database import folders
from hygie.kernel.errors import InvalidRequest

LONGEST = timedelta(hours=24)
KEY_FILE = "spool-ed25519"
_STATE = "emergency.json"


class Emergency(msgspec.Struct, frozen=True):
    """An emergency as the operator declared it; ``until`` ends it by itself."""

    reason: str
    since: datetime
    until: datetime


def folder_of(data: Path) -> Path:
    """Return the folder of the spools and of the emergency's state, made with mode 0700."""
    folder = folders.make(data) / "spool"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def turn_on(data: Path, *, reason: str, hours: float, at: datetime) -> Emergency:
    """Let reads go on into the spool for some hours.

    Raises:
        InvalidRequest: no reason is given, or the time is over 24 hours.
    """
    length = timedelta(hours=hours)
    if not reason.strip() or not timedelta() < length <= LONGEST:
        raise InvalidRequest(
            "An emergency needs a reason, and a length of more than 0 and at most 24 hours."
        )
    declared = Emergency(reason.strip(), at, at + length)
    folder = folder_of(data)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".emergency-", delete=False) as fresh:
        fresh.write(msgspec.json.encode(declared))
        fresh.flush()
        os.fsync(fresh.fileno())
    Path(fresh.name).replace(folder / _STATE)
    return declared


def turn_off(data: Path) -> None:
    """End the emergency; what was spooled is merged into the log by the sequencer."""
    (folder_of(data) / _STATE).unlink(missing_ok=True)


def declared(data: Path) -> Emergency | None:
    """Return the emergency as it was declared, over or not; None where there is none."""
    try:
        text = (data / "spool" / _STATE).read_bytes()
    except FileNotFoundError:
        return None
    return msgspec.json.decode(text, type=Emergency)


class Mode:
    """Knows, in one process, whether an emergency runs, and keeps the spool of the process."""

    def __init__(self, data: Path, clock: Clock | None = None) -> None:
        self._data = data
        self._clock = clock or SystemClock()
        self._state = data / "spool" / _STATE
        self._seen = 0
        self._known: Emergency | None = None
        self._spool: Spool | None = None

    def spool(self) -> Spool | None:
        """Return where traces go that the log refuses; None outside an emergency.

        Costs one look at a file: it is asked before each trace.
        """
        try:
            changed = self._state.stat().st_mtime_ns
        except FileNotFoundError:
            self.close()
            return None
        if changed != self._seen:
            self._seen, self._known = changed, declared(self._data)
        if self._known is None or self._clock.now() >= self._known.until:
            return None
        if self._spool is None:
            key = load_or_create_key(folders.keys(self._data), KEY_FILE)
            self._spool = Spool.create(folder_of(self._data), key, self._clock)
        return self._spool

    def close(self) -> None:
        """Close the spool of this process."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None


def encoded(row: msgspec.Struct) -> bytes:
    """Return a trace as a spool takes it."""
    return msgspec.json.encode(row)


class _Armed:
    mode: Mode | None = None


def arm(data: Path, clock: Clock | None = None) -> None:
    """Let this process spool into a data folder during an emergency; done once at start."""
    disarm()
    _Armed.mode = Mode(data, clock)


def disarm() -> None:
    """Forget the data folder; without one, this process never spools."""
    if _Armed.mode is not None:
        _Armed.mode.close()
    _Armed.mode = None


def spool() -> Spool | None:
    """Return the spool of this process during an emergency, else None."""
    return _Armed.mode.spool() if _Armed.mode is not None else None
