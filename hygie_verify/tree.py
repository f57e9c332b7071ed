"""Hashes of RFC 6962, section 2.1, and the root of a tree that grows leaf by leaf."""

from __future__ import annotations

import hashlib


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


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
