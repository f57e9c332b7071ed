"""What the person who verifies trusts beside the log itself, and how far each of it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hygie_verify import stamps
from hygie_verify.note import Refused, VerifierKey, read_head, split

LATE = 900.0
"""Seconds of events at the end of a log that a witness or an authority need not have seen yet."""
KNOWN, STAMPED = "known heads", "timestamps"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is trusted.

    Attributes:
        key: verifier key of the log, from a trusted hand; None takes the one of the export.
        known: checkpoints of this log that were kept elsewhere.
        witnesses: verifier keys of witnesses.
        kept: heads as a witness kept them: the checkpoint, and the witness's line.
        certificate: root of the timestamp authority, in PEM.
        required: how many of these must vouch for the log up to its last minutes: each witness is
            one, the authority is one, and heads kept elsewhere are one.
    """

    key: VerifierKey | None = None
    known: tuple[str, ...] = ()
    witnesses: tuple[VerifierKey, ...] = ()
    kept: tuple[tuple[str, str], ...] = ()
    certificate: bytes | None = None
    required: int = 0


@dataclass(slots=True)
class Evidence:
    """What vouched for how many events, while a log is walked through."""

    trust: Trust
    fault: Callable[[str], None]
    notice: Callable[[str], None]
    reach: dict[str, int] = field(default_factory=dict)
    _times: dict[str, int] = field(default_factory=dict)
    _known: dict[int, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the heads that were kept elsewhere; their signatures are checked at the end."""
        for checkpoint in (*self.trust.known, *(one for one, _ in self.trust.kept)):
            try:
                size = read_head(split(checkpoint)[0]).size
            except Refused as error:
                self.fault(f"a known checkpoint is refused: {error}")
                continue
            if size:
                self._known.setdefault(size, []).append(checkpoint)
        for checkpoint, line in self.trust.kept:
            self.cosigned(checkpoint, line, reaches=False)

    def compare(self, size: int, root: Callable[[], bytes]) -> None:
        """Compare the tree that grew to a size with the heads that are known of that size."""
        for checkpoint in self._known.get(size, ()):
            if read_head(split(checkpoint)[0]).root != root():
                self.fault(f"the first {size} events are not those of a known head")
            else:
                self.reach[KNOWN] = max(size, self.reach.get(KNOWN, 0))

    def cosigned(self, checkpoint: str, lines: str, *, reaches: bool = True) -> None:
        """Take the cosignatures of a head."""
        size = read_head(split(checkpoint)[0]).size
        for witness in self.trust.witnesses:
            try:
                at = witness.cosigned_at(checkpoint, lines)
            except Refused as error:
                self.fault(f"head of size {size}: {error}")
                continue
            if at is None:
                continue
            if reaches:
                self.reach[witness.name] = max(size, self.reach.get(witness.name, 0))
                if at < self._times.get(witness.name, 0):
                    self.notice(f"the time of {witness.name} goes back at size {size}")
                self._times[witness.name] = at

    def stamped(self, checkpoint: str, token: bytes) -> None:
        """Take the timestamp of a head."""
        text = split(checkpoint)[0]
        if self.trust.certificate is None:
            return
        size = read_head(text).size
        try:
            stamps.check(token, text.encode(), self.trust.certificate)
        except Refused as error:
            self.fault(f"the timestamp of the head of size {size} is refused: {error}")
        else:
            self.reach[STAMPED] = max(size, self.reach.get(STAMPED, 0))

    def finish(self, size: int, keys: Iterable[VerifierKey], late: int) -> None:
        """Judge: ``late`` is how many events stand before the last minutes of the log."""
        signers = list(keys)
        for known, checkpoints in sorted(self._known.items()):
            if not all(_is_signed(one, signers) for one in checkpoints):
                self.fault(f"a known checkpoint is refused: no key of this log signed size {known}")
            elif known > size:
                self.fault(
                    f"the log has {size} events, and a known head has {known}: the tail is gone"
                )
        vouching = sorted(name for name, reach in self.reach.items() if reach >= late and reach)
        if len(vouching) < self.trust.required and size:
            told = ", ".join(f"{name} for {reach}" for name, reach in sorted(self.reach.items()))
            self.fault(
                f"{self.trust.required} must vouch for the log and {len(vouching)} do"
                f" ({told or 'none for any event'}, of {size} events)"
            )


def _is_signed(checkpoint: str, keys: Iterable[VerifierKey]) -> bool:
    for key in keys:
        try:
            key.open(checkpoint)
        except Refused:
            continue
        return True
    return False
