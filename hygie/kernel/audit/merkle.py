"""Merkle tree of the access log: RFC 6962, section 2.1.

A tree is told by its leaf hashes in order. The sequencer keeps only a :class:`CompactRange`;
proofs are made from the stored leaf hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
TILE_HEIGHT = 8
"""Levels between the subtrees that are stored: tiles of 256 hashes (C2SP tlog-tiles)."""

Node = tuple[int, int, bytes]
"""A perfect subtree: its level (0 for a leaf), its index among those of the level, its hash."""
Span = tuple[int, int]
"""Leaves from the first, to before the second."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class CompactRange:
    """The hashes of a tree's perfect subtrees, largest first: all that appending needs.

    There are as many of them as bits set in ``size``.
    """

    size: int
    subtrees: list[bytes]

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> CompactRange:
        """Return the range that :meth:`to_bytes` packed.

        Raises:
            ValueError: the bytes are not those of a tree of this size.
        """
        if len(packed) != HASH_SIZE * size.bit_count():
            raise ValueError(f"a tree of size {size} has {size.bit_count()} perfect subtrees")
        cuts = range(0, len(packed), HASH_SIZE)
        return cls(size, [packed[cut : cut + HASH_SIZE] for cut in cuts])

    def to_bytes(self) -> bytes:
        """Return the subtrees one after the other."""
        return b"".join(self.subtrees)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        carried, subtree = self.size, leaf
        while carried & 1:
            subtree = node_hash(self.subtrees.pop(), subtree)
            carried >>= 1
        self.subtrees.append(subtree)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> list[Node]:
        """Add leaf hashes; return the subtrees of 256, 65,536... leaves that they complete."""
        completed: list[Node] = []
        for leaf in leaves:
            carried, subtree, level = self.size, leaf, 0
            while carried & 1:
                subtree = node_hash(self.subtrees.pop(), subtree)
                carried >>= 1
                level += 1
                if not level % TILE_HEIGHT:
                    completed.append((level, carried, subtree))
            self.subtrees.append(subtree)
            self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the root hash."""
        if not self.subtrees:
            return EMPTY_ROOT
        root = self.subtrees[-1]
        for subtree in reversed(self.subtrees[:-1]):
            root = node_hash(subtree, root)
        return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root hash of a tree."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    cut = _split(len(leaves))
    return node_hash(root_of(leaves[:cut]), root_of(leaves[cut:]))


def inclusion_spans(index: int, size: int) -> list[Span]:
    """Return the leaves under each hash of an inclusion proof, from the leaf up (2.1.1).

    >>> inclusion_spans(2, 5)
    [(3, 4), (0, 2), (4, 5)]

    Raises:
        IndexError: no leaf stands at this index.
    """
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} of a tree of {size}")
    low, high, spans = 0, size, []
    while high - low > 1:
        cut = low + _split(high - low)
        spans.append((cut, high) if index < cut else (low, cut))
        low, high = (low, cut) if index < cut else (cut, high)
    return spans[::-1]


def consistency_spans(old_size: int, size: int) -> list[Span]:
    """Return the leaves under each hash of a consistency proof, in its order (2.1.2).

    >>> consistency_spans(3, 5)
    [(2, 3), (3, 4), (0, 2), (4, 5)]

    Raises:
        IndexError: the old size is zero or over the size of the tree.
    """
    if not 0 < old_size <= size:
        raise IndexError(f"size {old_size} of a tree of {size}")
    low, high, spans = 0, size, []
    while old_size != high:
        cut = low + _split(high - low)
        spans.append((cut, high) if old_size <= cut else (low, cut))
        low, high = (low, cut) if old_size <= cut else (cut, high)
    return ([(low, high)] if low else []) + spans[::-1]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of one leaf, from the leaf up (RFC 6962, 2.1.1).

    Raises:
        IndexError: no leaf stands at this index.
    """
    spans = inclusion_spans(index, len(leaves))
    return [root_of(leaves[low:high]) for low, high in spans]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the tree begins with its first ``old_size`` leaves (2.1.2).

    Raises:
        IndexError: the old size is zero or over the size of the tree.
    """
    spans = consistency_spans(old_size, len(leaves))
    return [root_of(leaves[low:high]) for low, high in spans]


def is_included(leaf: bytes, index: int, *, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether a proof shows that the tree holds the leaf hash at the index."""
    if not 0 <= index < size:
        return False
    sides = _sides(index, size - 1, len(proof))
    found = leaf
    for is_left, sibling in zip(sides or (), proof, strict=False):
        found = node_hash(sibling, found) if is_left else node_hash(found, sibling)
    return sides is not None and found == root


def is_consistent(
    *, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether a proof shows that the new tree begins with the old one."""
    if old_size == size:
        return not proof and old_root == root
    if not 0 < old_size < size or not proof:
        return False
    is_power_of_two = old_size & (old_size - 1) == 0
    path = [old_root, *proof] if is_power_of_two else list(proof)
    first, second = old_size - 1, size - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    sides = _sides(first, second, len(path) - 1)
    old = new = path[0]
    for is_left, sibling in zip(sides or (), path[1:], strict=False):
        old = node_hash(sibling, old) if is_left else old
        new = node_hash(sibling, new) if is_left else node_hash(new, sibling)
    return sides is not None and old == old_root and new == root


def _sides(first: int, second: int, count: int) -> list[bool] | None:
    """Return, for each sibling on the way up, whether it stands on the left.

    ``first`` is the index of the node and ``second`` that of the last node of its level. None
    means that a path from there has another length than ``count``.
    """
    sides = []
    for _ in range(count):
        if second == 0:
            return None
        is_left = bool(first & 1) or first == second
        sides.append(is_left)
        while is_left and first and not first & 1:
            first, second = first >> 1, second >> 1
        first, second = first >> 1, second >> 1
    return sides if second == 0 else None


def _split(size: int) -> int:
    """Return the largest power of two under ``size``."""
    return 1 << ((size - 1).bit_length() - 1)
