"""A small log, signed here, in the form of an export."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie_verify.tree import Tree, leaf_hash

Line = dict[str, Any]
ORIGIN = "hygie/trace/sample"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def verifier_key(key: Ed25519PrivateKey = KEY) -> str:
    blob = b"\x01" + key.public_key().public_bytes_raw()
    return f"{ORIGIN}+{_key_id(blob).hex()}+{base64.b64encode(blob).decode()}"


def checkpoint(size: int, root: bytes, *, key: Ed25519PrivateKey = KEY) -> str:
    text = f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n"
    key_id = _key_id(b"\x01" + key.public_key().public_bytes_raw())
    signature = base64.b64encode(key_id + key.sign(text.encode())).decode()
    return f"{text}\n\N{EM DASH} {ORIGIN} {signature}\n"


WITNESS = "hygie/witness/sample"
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NEXT_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))


def witness_key(key: Ed25519PrivateKey = WITNESS_KEY) -> str:
    blob = b"\x04" + key.public_key().public_bytes_raw()
    encoded = base64.b64encode(blob).decode()
    return f"{WITNESS}+{_key_id(blob, WITNESS).hex()}+{encoded}"


def cosignature(signed: str, *, at: int, key: Ed25519PrivateKey = WITNESS_KEY) -> str:
    text = signed.rpartition("\n\n")[0] + "\n"
    message = f"cosignature/v1\ntime {at}\n{text}".encode()
    key_id = _key_id(b"\x04" + key.public_key().public_bytes_raw(), WITNESS)
    blob = base64.b64encode(key_id + at.to_bytes(8, "big") + key.sign(message)).decode()
    return f"\N{EM DASH} {WITNESS} {blob}\n"


def handover(
    size: int, root: bytes, *, old: Ed25519PrivateKey = KEY, new: Ed25519PrivateKey = NEXT_KEY
) -> str:
    text = f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\nnext {verifier_key(new)}\n"
    lines = ""
    for key in (old, new):
        key_id = _key_id(b"\x01" + key.public_key().public_bytes_raw())
        signature = base64.b64encode(key_id + key.sign(text.encode())).decode()
        lines += f"\N{EM DASH} {ORIGIN} {signature}\n"
    return f"{text}\n{lines}"


def leaf(place: int, *, word: str = "") -> Line:
    """Return the line of one event; ``word`` makes another event of the same place."""
    salt, body = bytes([place]) * 16, f'{{"agent":"Practitioner/{place}{word}"}}'
    hashed = hashlib.sha256(salt + body.encode()).hexdigest()
    header = f'{{"body":"{hashed}","id":{place + 10},"interaction":"read"}}'
    hashed_leaf = leaf_hash(header.encode()).hex()
    return {
        "place": place,
        "leaf": hashed_leaf,
        "header": header,
        "salt": salt.hex(),
        "body": body,
    }


def sample(
    leaves: Iterable[Line], *, heads: Iterable[int], key: Ed25519PrivateKey = KEY
) -> list[Line]:
    """Return the lines of a well-formed export with signed heads at these sizes."""
    lines: list[Line] = [{"hygie_log": 1, "origin": ORIGIN, "key": verifier_key(key)}]
    tree, wanted = Tree(), set(heads)
    for line in leaves:
        lines.append(line)
        tree.append(bytes.fromhex(line["leaf"]))
        if tree.size in wanted:
            lines.append({"head": checkpoint(tree.size, tree.root(), key=key)})
    return [*lines, {"end": {"leaves": tree.size, "heads": len(wanted)}}]


def encoded(lines: Iterable[Line]) -> list[bytes]:
    return [json.dumps(line, ensure_ascii=False).encode() for line in lines]


def _key_id(blob: bytes, name: str = ORIGIN) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]
