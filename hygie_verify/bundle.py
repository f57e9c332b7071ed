"""Verify the traces that one person exports: each with the proof of its place in the log.

::

    {"hygie_proofs":1,"origin":"…","key":"…"}
    {"handover":"…"}                                   each change of key, oldest first
    {"head":"…","cosignatures":"…","timestamp":"…"}
    {"place":7,"header":"…","salt":"…","body":"…","proof":["…"]}
    {"end":{"events":1}}

Such an export shows that what it holds was logged so; only the export of the whole log shows that
nothing is missing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from hygie_verify.note import Head, Refused, VerifierKey
from hygie_verify.tree import is_included, leaf_hash
from hygie_verify.trust import Evidence, Trust
from hygie_verify.walk import Clock, Report, check_event, read_lines

FORMAT = 1


def verify_proofs(lines: Iterable[bytes], trust: Trust) -> Report:
    """Verify an export of one person; ``leaves`` counts the events that are proved."""
    bundle = _Bundle(trust)
    read_lines(lines, bundle.read, bundle.report)
    return bundle.finish()


class _Bundle:
    def __init__(self, trust: Trust) -> None:
        self.report = Report()
        self._trusted = trust.key
        self._evidence = Evidence(trust, self.report.fault, self.report.notice)
        self._clock = Clock(self.report.notice)
        self._keys: list[VerifierKey] = []
        self._head: Head | None = None
        self._ended = False
        self._readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "place": self._event,
            "head": self._open,
            "handover": self._hand_over,
            "hygie_proofs": self._begin,
            "end": self._end,
        }

    def read(self, line: dict[str, Any]) -> None:
        for name, reader in self._readers.items():
            if name in line:
                reader(line)
                return
        self.report.fault(f"a line of unknown kind: {sorted(line)}")

    def finish(self) -> Report:
        report = self.report
        if not self._ended:
            report.fault("the export is cut: its last line is missing")
        if self._trusted is not None and self._trusted not in self._keys:
            report.fault("the export is signed by another key than the trusted one")
        size = self._head.size if self._head else 0
        self._evidence.finish(size, self._keys, size)
        report.vouched = self._evidence.reach
        report.root = self._head.root if self._head else b""
        return report

    def _begin(self, line: dict[str, Any]) -> None:
        if line["hygie_proofs"] != FORMAT:
            raise Refused(f"format {line['hygie_proofs']} is not known to this verifier")
        self._keys = [VerifierKey.parse(line["key"])]
        if self._keys[0].name != line["origin"]:
            self.report.fault("the key is of another log")

    def _hand_over(self, line: dict[str, Any]) -> None:
        self._keys.append(self._keys[-1].next_of(line["handover"]))

    def _open(self, line: dict[str, Any]) -> None:
        self._head = head = self._keys[-1].open(line["head"])
        self.report.heads += 1
        self._evidence.compare(head.size, lambda: head.root)
        if "cosignatures" in line:
            self._evidence.cosigned(line["head"], line["cosignatures"])
        if "timestamp" in line:
            self._evidence.stamped(line["head"], base64.b64decode(line["timestamp"]))

    def _event(self, line: dict[str, Any]) -> None:
        if self._head is None:
            raise Refused("an event came before the head")
        leaf, place = leaf_hash(line["header"].encode()), line["place"]
        check_event(line, leaf, report=self.report, clock=self._clock)
        proof = [base64.b64decode(one) for one in line["proof"]]
        head = self._head
        if not is_included(leaf, place, size=head.size, proof=proof, root=head.root):
            self.report.fault(f"event {place}: the proof does not lead to the signed head")
        self.report.leaves += 1

    def _end(self, line: dict[str, Any]) -> None:
        self._ended = True
        stated, held = line["end"]["events"], self.report.leaves
        if stated != held:
            self.report.fault(f"the export announces {stated} events and holds {held}")
