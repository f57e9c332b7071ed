"""The test vectors that are shipped: made here, once, from fixed keys.

``python -m hygie_verify.tests.vectors`` prints them as they stand in ``vectors/vectors.json``.
Another verifier that agrees with all of them reads the exports of Hygie as this one does.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from hygie_verify.tests import sample
from hygie_verify.tests.sample import Line, checkpoint, cosignature, leaf, verifier_key, witness_key
from hygie_verify.tree import Tree

FIRST, SECOND = 3, 5


def vectors() -> list[dict[str, Any]]:
    """Return each vector: what is given, whether it is whole, and words of its first fault."""
    whole = export()
    tree, _ = grown(SECOND)
    kept = {"checkpoint": checkpoint(SECOND, tree.root())}
    kept["cosignature"] = cosignature(kept["checkpoint"], at=1_700_000_002)
    given: dict[str, Any] = {"key": verifier_key(), "witness_keys": [witness_key()], "required": 1}
    other = {"key": verifier_key(sample.NEXT_KEY)}
    return [
        vector("whole", whole, **given),
        vector("whole, and heads that a witness kept", whole, kept=[kept], **given),
        vector("a body was erased", erased(whole), **given),
        vector("the key changed", changed_key(), **given),
        vector("a body was edited", replaced(whole, '"agent\\"', '"agents\\"'), "body", **given),
        vector("the tail and its head are gone", cut(whole), "tail is gone", kept=[kept], **given),
        vector("the last line is missing", whole[:-1], "last line is missing", **given),
        vector("no head", [one for one in whole if "head" not in one], "no signed head", **given),
        vector("no cosignature", bare(whole), "must vouch", **given),
        vector("a false cosignature", export(is_false=True), "cosignature", **given),
        vector("another key", whole, "another key", **(given | other)),
        vector("a change of key by a thief", changed_key(honest=False), "change of key", **given),
    ]


def vector(name: str, lines: list[Line], fault: str = "", **given: Any) -> dict[str, Any]:
    """Return one vector; an empty ``fault`` means that the export is whole."""
    return {"name": name, "fault": fault, "given": given, "export": lines}


def grown(size: int) -> tuple[Tree, list[Line]]:
    """Return the tree of the first sample events, and their lines."""
    tree, lines = Tree(), [leaf(place) for place in range(size)]
    for line in lines:
        tree.append(bytes.fromhex(line["leaf"]))
    return tree, lines


def head(size: int, *, at: int, is_false: bool = False, **signer: Any) -> Line:
    """Return a head with its cosignature; a false one was made for another head."""
    signed = checkpoint(size, grown(size)[0].root(), **signer)
    cosigned = checkpoint(size, bytes(32)) if is_false else signed
    return {"head": signed, "cosignatures": cosignature(cosigned, at=at)}


def export(*, at: int = 1_700_000_000, is_false: bool = False) -> list[Line]:
    """Return an export of five events and two heads."""
    _, lines = grown(SECOND)
    return [
        {"hygie_log": 2, "origin": sample.ORIGIN, "key": verifier_key()},
        *lines[:FIRST],
        head(FIRST, at=at),
        *lines[FIRST:],
        head(SECOND, at=at + 1, is_false=is_false),
        {"end": {"leaves": SECOND, "heads": 2}},
    ]


def changed_key(*, honest: bool = True) -> list[Line]:
    """Return an export whose key changes after three events."""
    lines = export()
    old = sample.KEY if honest else sample.NEXT_KEY
    signed = sample.handover(FIRST, grown(FIRST)[0].root(), old=old)
    lines.insert(FIRST + 2, {"handover": signed})
    lines[-2] = head(SECOND, at=1_700_000_001, key=sample.NEXT_KEY)
    return lines


def erased(lines: list[Line]) -> list[Line]:
    """Return the export without one body."""
    gone = {"salt", "body"}
    return [
        {name: value for name, value in line.items() if line.get("place") != 1 or name not in gone}
        for line in lines
    ]


def replaced(lines: list[Line], old: str, new: str) -> list[Line]:
    """Return the export with a text replaced in one event."""
    text = json.dumps(lines[2])
    changed: Line = json.loads(text.replace(old, new))
    return [*lines[:2], changed, *lines[3:]]


def cut(lines: list[Line]) -> list[Line]:
    """Return the export up to its first head, as if there had been no more."""
    return [*lines[: FIRST + 2], {"end": {"leaves": FIRST, "heads": 1}}]


def bare(lines: list[Line]) -> list[Line]:
    """Return the export without cosignatures."""
    return [{k: v for k, v in line.items() if k != "cosignatures"} for line in lines]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1) + "\n")
