"""What a simulator remembers between two requests: one small file each, shared by all workers.

Taking removes: two workers who take the same code at once get it once (rename is atomic).
"""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec

_KEY = re.compile(r"[0-9A-Za-z_-]{1,80}")
Json = dict[str, Any]


class Drawer:
    """Short-lived objects by kind and random key; older ones than ``seconds`` are gone."""

    def __init__(self, folder: Path, *, seconds: float = 600) -> None:
        self._folder = folder
        self._seconds = seconds
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, kind: str, what: Json, *, key: str = "") -> str:
        """Keep an object and return its key."""
        name = key or secrets.token_urlsafe(24)
        fresh = self._file(kind, f"{name}-new")
        fresh.write_bytes(msgspec.json.encode({**what, "kept": what.get("kept", time.time())}))
        fresh.rename(self._file(kind, name))
        self._forget()
        return name

    def read(self, kind: str, key: str) -> Json | None:
        """Return an object, None where there is none or it is too old."""
        if not _KEY.fullmatch(key):
            return None
        try:
            found: Json = msgspec.json.decode(self._file(kind, key).read_bytes())
        except FileNotFoundError:
            return None
        return found if time.time() - found["kept"] < self._seconds else None

    def take(self, kind: str, key: str) -> Json | None:
        """Return an object and remove it; the second who takes it gets None."""
        if not _KEY.fullmatch(key):
            return None
        mine = self._file("taken", secrets.token_urlsafe(24))
        try:
            self._file(kind, key).rename(mine)
        except FileNotFoundError:
            return None
        found: Json = msgspec.json.decode(mine.read_bytes())
        mine.unlink()
        return found if time.time() - found["kept"] < self._seconds else None

    def all(self, kind: str) -> dict[str, Json]:
        """Return the objects of a kind that are not too old, by key."""
        names = [one.name.partition(".")[2] for one in self._folder.glob(f"{kind}.*")]
        found = {name: self.read(kind, name) for name in names if not name.endswith("-new")}
        return {name: one for name, one in found.items() if one is not None}

    def empty(self) -> None:
        """Forget everything."""
        for one in self._folder.iterdir():
            one.unlink(missing_ok=True)

    def _file(self, kind: str, key: str) -> Path:
        return self._folder / f"{kind}.{key}"

    def _forget(self) -> None:
        before = time.time() - self._seconds
        for one in self._folder.iterdir():
            try:
                if one.stat().st_mtime < before:
                    one.unlink()
            except FileNotFoundError:  # another worker was faster
                continue
