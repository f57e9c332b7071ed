"""What a witness decides (C2SP tlog-witness, ``add-checkpoint``)."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hygie.kernel.audit import note
from hygie.kernel.audit.checkpoint import load_or_create_key
from hygie.kernel.audit.handover import next_key
from hygie.kernel.audit.merkle import EMPTY_ROOT
from hygie.kernel.audit.note import Checkpoint, VerifierKey
from hygie.kernel.audit.witness import folder as kept_in
from hygie.kernel.audit.witness.cosigner import Cosigner
from hygie.kernel.audit.witness.folder import Kept
from hygie.kernel.audit.witness.request import Asked, is_proved, is_signed, read, signed_head
from hygie.kernel.clock import Clock, SystemClock
from hygie.kernel.errors import ConfigurationError, InvalidRequest

log = logging.getLogger(__name__)
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered over HTTP."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """One witness and its folder, which no other process may use at the same time."""

    def __init__(
        self, folder: Path, *, clock: Clock | None = None, first_use: bool = False
    ) -> None:
        """Open the folder; with ``first_use`` the first log that introduces itself is trusted.

        Raises:
            ConfigurationError: another process uses the folder, or its files are damaged.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder
        self._lock: int | None = kept_in.lock(folder)
        self._clock = clock or SystemClock()
        self._first_use = first_use
        self._turn = threading.Lock()
        self.cosigner = Cosigner(
            kept_in.name_of(folder), load_or_create_key(folder, kept_in.KEY_FILE)
        )
        self._logs = {key.name: key for key in kept_in.logs_of(folder)}
        self._latest: dict[str, tuple[Kept, Checkpoint]] = {}
        for origin in list(self._logs):
            self._load(origin)

    def trust(self, key: str) -> None:
        """Accept the heads of a log from now on; its name is the log's origin.

        Raises:
            InvalidRequest: not a verifier key, or another key of a log that is known already.
        """
        parsed = note.parse_key(key)
        with self._turn:
            known = self._logs.get(parsed.name)
            if known is not None and known.key_id != parsed.key_id:
                raise InvalidRequest(
                    "This witness knows that log by another key: the log hands over by a "
                    "cross-signed checkpoint (`hygie log rotate-key`)."
                )
            self._logs[parsed.name] = parsed
            self._store_logs()

    def introduce(self, key: str) -> Answer:
        """Trust a log that introduces itself, if this witness knows none and was told to."""
        try:
            parsed = note.parse_key(key)
        except InvalidRequest as refusal:
            return Answer(400, f"{refusal}\n")
        if parsed.name not in self._logs and self._first_use and not self._logs:
            self.trust(key)
            log.info("witness.log_trusted", extra={"origin": parsed.name})
        return Answer(200 if parsed.name in self._logs else 403)

    def latest(self, origin: str) -> Answer:
        """Return the last head of a log, with the log's signature and this witness's."""
        with self._turn:
            known = self._latest.get(origin)
        return Answer(200, known[0].checkpoint + known[0].cosignature) if known else Answer(404)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Check a head against the last one, keep it durably, then cosign it."""
        asked = read(body)
        if asked is None:
            return Answer(400, "the request is not old size, proof, empty line, checkpoint\n")
        with self._turn:
            return self._refusal(asked) or self._accept(asked)

    def close(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def _refusal(self, asked: Asked) -> Answer | None:
        checkpoint = asked.checkpoint
        key = self._logs.get(checkpoint.origin)
        if key is None:
            return Answer(404, "this witness does not know that log\n")
        if not is_signed(asked, key):
            return Answer(403, "no signature of the key that is trusted for that log\n")
        if asked.old_size > checkpoint.size:
            return Answer(400, "the old size is over the size of the checkpoint\n")
        size, root = self._known(checkpoint.origin)
        if asked.old_size != size:
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if checkpoint.size == size and checkpoint.root != root:
            self._keep_evidence(asked)
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if not is_proved(asked, root):
            self._keep_evidence(asked)
            return Answer(422, "the proof does not show that the log goes on\n")
        return None

    def _accept(self, asked: Asked) -> Answer:
        origin = asked.checkpoint.origin
        last = self._latest.get(origin)
        now = int(self._clock.now().timestamp())
        at = max(now, last[0].time if last else 0)
        line = self.cosigner.line(asked.text, at=at)
        kept = Kept(asked.signed, line, at)
        handed = next_key(asked.checkpoint)
        if last is None or last[1].size != asked.checkpoint.size or handed is not None:
            kept_in.append(self._heads(origin), msgspec.json.encode(kept))
        self._latest[origin] = (kept, asked.checkpoint)
        self._follow(asked, handed)
        return Answer(200, line)

    def _follow(self, asked: Asked, handed: VerifierKey | None) -> None:
        """Trust the next key of a log, once it shows itself beside the present one."""
        if handed is not None and is_signed(asked, handed):
            self._logs[handed.name] = handed
            self._store_logs()
            log.warning("witness.key_changed", extra={"origin": handed.name})

    def _known(self, origin: str) -> tuple[int, bytes]:
        known = self._latest.get(origin)
        return (known[1].size, known[1].root) if known else (0, EMPTY_ROOT)

    def _keep_evidence(self, asked: Asked) -> None:
        """Keep a signed head that does not follow: it proves what the log did."""
        log.error("witness.fork", extra={"origin": asked.checkpoint.origin})
        kept_in.append(self._folder / "forks", msgspec.json.encode({"checkpoint": asked.signed}))

    def _heads(self, origin: str) -> Path:
        return self._folder / kept_in.heads_name(origin)

    def _load(self, origin: str) -> None:
        path = self._heads(origin)
        if not path.exists():
            return
        heads = kept_in.read_heads(path)
        thinned = kept_in.thin(heads, now=self._clock.now())
        kept_in.replace(path, b"".join(msgspec.json.encode(one) + b"\n" for one in thinned))
        if heads:
            asked = signed_head(heads[-1].checkpoint)
            if asked is None:
                raise ConfigurationError(f"{path} is damaged: restore it from a backup.")
            self._latest[origin] = (heads[-1], asked.checkpoint)
            self._follow(asked, next_key(asked.checkpoint))

    def _store_logs(self) -> None:
        lines = [
            note.verifier_key(key.name, note.ED25519, key.public.public_bytes_raw())
            for key in self._logs.values()
        ]
        kept_in.replace(self._folder / "logs", "".join(f"{line}\n" for line in lines).encode())
