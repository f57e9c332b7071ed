"""Walk through an export once, recompute everything, and list every fault found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from hygie_verify.note import Refused, VerifierKey
from hygie_verify.tree import Tree, leaf_hash

FORMAT = 1
_MOST_FAULTS = 100


@dataclass(slots=True)
class Report:
    """What was found.

    Attributes:
        leaves: events read.
        heads: signed heads accepted.
        erased: events whose body was erased; their place is still proved.
        faults: sentences, the first hundred; empty when the log is whole.
        root: root hash of all the events read.
    """

    leaves: int = 0
    heads: int = 0
    erased: int = 0
    faults: list[str] = field(default_factory=list)
    root: bytes = b""

    @property
    def is_whole(self) -> bool:
        """Return whether no fault was found."""
        return not self.faults


def verify(
    lines: Iterable[bytes], *, key: VerifierKey | None = None, known: Iterable[str] = ()
) -> Report:
    """Verify an export.

    Without ``key`` the key named by the export itself is used: that shows that the export is
    coherent, not who signed it. ``known`` are checkpoints of this log kept elsewhere: the log
    must begin with each of those trees, which is what shows a cut tail or a rewritten history.
    """
    walk = _Walk(key, list(known))
    for number, line in enumerate(lines, 1):
        try:
            walk.read(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, Refused) as error:
            walk.fault(f"line {number} cannot be read: {error}")
    return walk.finish()


class _Walk:
    def __init__(self, key: VerifierKey | None, known: list[str]) -> None:
        self.report = Report()
        self._key = key
        self._unopened = known
        self._known: dict[int, bytes] = {}
        self._tree = Tree()
        self._covered = 0
        self._began = False
        self._ended = False
        self._forked = False
        self._readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "hygie_log": self._begin,
            "place": self._leaf,
            "head": self._head,
            "stray": self._stray,
            "end": self._end,
        }

    def fault(self, sentence: str) -> None:
        if len(self.report.faults) < _MOST_FAULTS:
            self.report.faults.append(sentence)

    def read(self, line: dict[str, Any]) -> None:
        if self._ended:
            self.fault("lines follow the end of the export")
        for name, reader in self._readers.items():
            if name in line:
                reader(line)
                return
        self.fault(f"a line of unknown kind: {sorted(line)}")

    def finish(self) -> Report:
        size = self._tree.size
        if not self._began:
            self.fault("the first line of an export is missing")
        if not self._ended:
            self.fault("the export is cut: its last line is missing")
        if self._covered < size:
            self.fault(f"events {self._covered} to {size - 1} stand under no signed head")
        for known in sorted(self._known):
            self.fault(f"the log has {size} events, and a known head has {known}: the tail is gone")
        self.report.leaves, self.report.root = size, self._tree.root()
        return self.report

    def _begin(self, line: dict[str, Any]) -> None:
        if line["hygie_log"] != FORMAT:
            raise Refused(f"format {line['hygie_log']} is not known to this verifier")
        self._began = True
        self._key = self._key or VerifierKey.parse(line["key"])
        if self._key.name != line["origin"]:
            self.fault("the export is of another log than the trusted key")
        for checkpoint in self._unopened:
            try:
                head = self._key.open(checkpoint)
            except Refused as error:
                self.fault(f"a known checkpoint is refused: {error}")
                continue
            if head.size:
                self._known[head.size] = head.root

    def _leaf(self, line: dict[str, Any]) -> None:
        place, stored = line["place"], bytes.fromhex(line["leaf"])
        if place != self._tree.size:
            self.fault(f"event {self._tree.size} was expected and event {place} came")
        if "header" in line:
            header = line["header"].encode()
            if leaf_hash(header) != stored:
                self.fault(f"event {place}: the header is not the one that was logged")
            self._body(place, line, json.loads(header)["body"])
        else:
            self.fault(f"event {place}: the trace was removed")
        self._tree.append(stored)
        root = self._known.pop(self._tree.size, None)
        if root is not None and root != self._tree.root():
            self.fault(f"the first {self._tree.size} events are not those of a known head")

    def _body(self, place: int, line: dict[str, Any], expected: str) -> None:
        if "body" not in line:
            self.report.erased += 1
        else:
            salted = bytes.fromhex(line["salt"]) + line["body"].encode()
            if hashlib.sha256(salted).hexdigest() != expected:
                self.fault(f"event {place}: the body is not the one that was logged")

    def _head(self, line: dict[str, Any]) -> None:
        if self._key is None:
            raise Refused("a head came before the first line")
        try:
            head = self._key.open(line["head"])
        except Refused as error:
            self.fault(f"the head after event {self._tree.size - 1} is refused: {error}")
            return
        if head.origin != self._key.name or head.size != self._tree.size:
            self.fault(f"a head of size {head.size} stands after {self._tree.size} events")
        elif head.root != self._tree.root():
            if not self._forked:
                self.fault(f"the first {head.size} events are not those that were signed")
            self._forked = True
        else:
            self.report.heads += 1
        self._covered = max(self._covered, min(head.size, self._tree.size))

    def _stray(self, line: dict[str, Any]) -> None:
        self.fault(f"trace {line['stray']} claims a place that the log did not give it")

    def _end(self, line: dict[str, Any]) -> None:
        self._ended = True
        stated = line["end"]["leaves"]
        if stated != self._tree.size:
            self.fault(f"the export announces {stated} events and holds {self._tree.size}")
