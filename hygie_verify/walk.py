"""Walk through an export once, recompute everything, and list every fault found."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hygie_verify.note import Refused, VerifierKey
from hygie_verify.tree import Tree, leaf_hash
from hygie_verify.trust import LATE, Evidence, Trust

FORMATS = (1, 2)
_MOST_SENTENCES = 100
# What the platform writes first in a header; anything else is read as JSON.
_HEADER = re.compile(r'\{"at":"([^"\\]+)","body":"([0-9a-f]{64})"')
_SPOOLED = 2


@dataclass(slots=True)
class Report:
    """What was found.

    Attributes:
        leaves: events read.
        heads: signed heads accepted.
        erased: events whose body was erased; their place is still proved.
        faults: sentences, the first hundred; empty when the log is whole.
        notices: sentences about what is odd and no fault: a clock that went back.
        vouched: how many events each witness, authority or known head vouches for.
        root: root hash of all the events read.
    """

    leaves: int = 0
    heads: int = 0
    erased: int = 0
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    vouched: dict[str, int] = field(default_factory=dict)
    root: bytes = b""

    @property
    def is_whole(self) -> bool:
        """Return whether no fault was found."""
        return not self.faults

    def fault(self, sentence: str) -> None:
        """Add a fault."""
        if len(self.faults) < _MOST_SENTENCES:
            self.faults.append(sentence)

    def notice(self, sentence: str) -> None:
        """Add a notice."""
        if len(self.notices) < _MOST_SENTENCES:
            self.notices.append(sentence)


def verify(
    lines: Iterable[bytes],
    *,
    key: VerifierKey | None = None,
    known: Iterable[str] = (),
    trust: Trust | None = None,
) -> Report:
    """Verify an export.

    Without ``key`` the key named by the export itself is used: that shows that the export is
    coherent, not who signed it. ``known`` are checkpoints of this log kept elsewhere: the log
    must begin with each of those trees, which is what shows a cut tail or a rewritten history.
    ``trust`` says more than both and replaces them.
    """
    walk = _Walk(trust or Trust(key=key, known=tuple(known)))
    read_lines(lines, walk.read, walk.report)
    return walk.finish()


def read_lines(
    lines: Iterable[bytes], read: Callable[[dict[str, Any]], None], report: Report
) -> None:
    """Give each line to a reader; one that cannot be read is a fault of the file."""
    for number, line in enumerate(lines, 1):
        try:
            read(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError, Refused) as error:
            report.fault(f"line {number} cannot be read: {error}")


class _Walk:
    def __init__(self, trust: Trust) -> None:
        self.report = Report()
        self._trusted = trust.key
        self._keys: list[VerifierKey] = []
        self._evidence = Evidence(trust, self.report.fault, self.report.notice)
        self._clock = Clock(self.report.notice)
        self._tree = Tree()
        self._covered = 0
        self._ended = False
        self._forked = False
        self._readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "place": self._leaf,
            "head": self._head,
            "handover": self._hand_over,
            "hygie_log": self._begin,
            "stray": self._stray,
            "end": self._end,
        }

    def read(self, line: dict[str, Any]) -> None:
        if self._ended:
            self.report.fault("lines follow the end of the export")
        for name, reader in self._readers.items():
            if name in line:
                reader(line)
                return
        self.report.fault(f"a line of unknown kind: {sorted(line)}")

    def finish(self) -> Report:
        report, size = self.report, self._tree.size
        if not self._keys:
            report.fault("the first line of an export is missing")
        elif self._trusted is not None and self._trusted not in self._keys:
            report.fault("the export is signed by another key than the trusted one")
        if not self._ended:
            report.fault("the export is cut: its last line is missing")
        if self._covered < size:
            report.fault(f"events {self._covered} to {size - 1} stand under no signed head")
        self._evidence.finish(size, self._keys, self._clock.before_the_last_minutes())
        report.leaves, report.root = size, self._tree.root()
        report.vouched = self._evidence.reach
        return report

    def _begin(self, line: dict[str, Any]) -> None:
        if line["hygie_log"] not in FORMATS:
            raise Refused(f"format {line['hygie_log']} is not known to this verifier")
        claimed = VerifierKey.parse(line["key"])
        self._keys = [claimed]
        if (self._trusted or claimed).name != line["origin"]:
            self.report.fault("the export is of another log than the trusted key")

    def _leaf(self, line: dict[str, Any]) -> None:
        place, stored = line["place"], bytes.fromhex(line["leaf"])
        if place != self._tree.size:
            self.report.fault(f"event {self._tree.size} was expected and event {place} came")
        if "header" in line:
            check_event(line, stored, report=self.report, clock=self._clock)
        else:
            self.report.fault(f"event {place}: the trace was removed")
        self._tree.append(stored)
        self._evidence.compare(self._tree.size, self._tree.root)

    def _head(self, line: dict[str, Any]) -> None:
        if not self._keys:
            raise Refused("a head came before the first line")
        checkpoint, size = line["head"], self._tree.size
        try:
            head = self._keys[-1].open(checkpoint)
        except Refused as error:
            self.report.fault(f"the head after event {size - 1} is refused: {error}")
            return
        if head.origin != self._keys[-1].name or head.size != size:
            self.report.fault(f"a head of size {head.size} stands after {size} events")
        elif head.root != self._tree.root():
            if not self._forked:
                self.report.fault(f"the first {head.size} events are not those that were signed")
            self._forked = True
        else:
            self.report.heads += 1
            self._vouch(checkpoint, line)
        self._covered = max(self._covered, min(head.size, size))

    def _vouch(self, checkpoint: str, line: dict[str, Any]) -> None:
        if "cosignatures" in line:
            self._evidence.cosigned(checkpoint, line["cosignatures"])
        if "timestamp" in line:
            self._evidence.stamped(checkpoint, base64.b64decode(line["timestamp"]))

    def _hand_over(self, line: dict[str, Any]) -> None:
        if not self._keys:
            raise Refused("a change of key came before the first line")
        try:
            key = self._keys[-1].next_of(line["handover"])
            head = key.open(line["handover"])
        except Refused as error:
            self.report.fault(f"the change of key after event {self._tree.size - 1}: {error}")
            return
        if (head.size, head.root) != (self._tree.size, self._tree.root()):
            self.report.fault(f"the key changes at size {head.size} of another tree")
        self._keys.append(key)

    def _stray(self, line: dict[str, Any]) -> None:
        self.report.fault(f"trace {line['stray']} claims a place that the log did not give it")

    def _end(self, line: dict[str, Any]) -> None:
        self._ended = True
        stated, size = line["end"]["leaves"], self._tree.size
        if stated != size:
            self.report.fault(f"the export announces {stated} events and holds {size}")


class Clock:
    """The instants of the events, in the order of their places."""

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._latest = ""
        self._jumps: list[tuple[int, str]] = []

    def tell(self, place: int, at: str, header: str) -> None:
        """Take the instant of an event; one that came from a spool is told to be late."""
        if at >= self._latest:
            if at[:15] != self._latest[:15]:  # another ten minutes have begun
                self._jumps.append((place, at))
            self._latest = at
        elif at[:13] != self._latest[:13] and _seconds(at, self._latest) > LATE:
            flags = json.loads(header).get("flags", 0)
            if not flags & _SPOOLED:
                self._notice(f"event {place}: the clock went back, from {self._latest} to {at}")

    def before_the_last_minutes(self) -> int:
        """Return how many events stand before the last quarter of an hour of the log."""
        for place, at in reversed(self._jumps):
            if _seconds(at, self._latest) > LATE:
                return place
        return 0


def check_event(line: dict[str, Any], stored: bytes, *, report: Report, clock: Clock) -> None:
    """Check the header of an event against its leaf hash, and its body against its header."""
    place, header = line["place"], line["header"]
    if leaf_hash(header.encode()) != stored:
        report.fault(f"event {place}: the header is not the one that was logged")
    found = _HEADER.match(header)
    expected = found[2] if found else json.loads(header)["body"]
    if found:
        clock.tell(place, found[1], header)
    if "body" not in line:
        report.erased += 1
        return
    salted = bytes.fromhex(line["salt"]) + line["body"].encode()
    if hashlib.sha256(salted).hexdigest() != expected:
        report.fault(f"event {place}: the body is not the one that was logged")


def _seconds(first: str, second: str) -> float:
    try:
        return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()
    except ValueError:
        return 0.0
