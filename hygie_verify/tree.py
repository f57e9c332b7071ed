"""Hashes of RFC 6962, section 2.1, and the root of a tree that grows leaf by leaf."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


class Tree:
    """A growing tree, remembered by its perfect subtrees only."""

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the right."""
        left, subtree = self.size, leaf
        while left & 1:
            subtree = _node_hash(self._subtrees.pop(), subtree)
            left >>= 1
        self._subtrees.append(subtree)
        self.size += 1

    def root(self) -> bytes:
        """Return the root hash."""
        if not self._subtrees:
            return hashlib.sha256(b"").digest()
        root = self._subtrees[-1]
        for subtree in reversed(self._subtrees[:-1]):
            root = _node_hash(subtree, root)
        return root


def is_included(leaf: bytes, index: int, *, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether an audit path leads from a leaf hash at an index to the root (2.1.1)."""
    if not 0 <= index < size:
        return False
    first, second, found = index, size - 1, leaf
    for sibling in proof:
        if second == 0:
            return False
        if first & 1 or first == second:
            found = _node_hash(sibling, found)
            while first and not first & 1:
                first, second = first >> 1, second >> 1
        else:
            found = _node_hash(found, sibling)
        first, second = first >> 1, second >> 1
    return second == 0 and found == root


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
