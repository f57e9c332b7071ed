"""Merkle tree of the access log: RFC 6962, section 2.1.

A tree is told by its leaf hashes in order. The sequencer keeps only a :class:`CompactRange`;
proofs are made from the stored leaf hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


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


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of one leaf, from the leaf up (RFC 6962, 2.1.1).

    Raises:
        IndexError: no leaf stands at this index.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of a tree of {len(leaves)}")
    if len(leaves) == 1:
        return []
    cut = _split(len(leaves))
    if index < cut:
        return [*inclusion_proof(leaves[:cut], index), root_of(leaves[cut:])]
    return [*inclusion_proof(leaves[cut:], index - cut), root_of(leaves[:cut])]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the tree begins with its first ``old_size`` leaves (2.1.2).

    Raises:
        IndexError: the old size is zero or over the size of the tree.
    """
    if not 0 < old_size <= len(leaves):
        raise IndexError(f"size {old_size} of a tree of {len(leaves)}")
    return _consistency(leaves, old_size, known=True)


def _consistency(leaves: Sequence[bytes], old_size: int, *, known: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if known else [root_of(leaves)]
    cut = _split(len(leaves))
    if old_size <= cut:
        return [*_consistency(leaves[:cut], old_size, known=known), root_of(leaves[cut:])]
    right = _consistency(leaves[cut:], old_size - cut, known=False)
    return [*right, root_of(leaves[:cut])]


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
