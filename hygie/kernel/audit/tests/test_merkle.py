from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.audit.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    root_of,
)

LARGEST = 65
LEAVES = [leaf_hash(str(index).encode()) for index in range(LARGEST)]
ROOTS = [root_of(LEAVES[:size]) for size in range(LARGEST + 1)]
WRONG = leaf_hash(b"wrong")


@pytest.mark.parametrize(
    ("entries", "root"),
    [
        ("", EMPTY_ROOT.hex()),
        ("abc", "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1"),
        ("abcde", "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b"),
    ],
)
def test_known_roots(entries: str, root: str) -> None:
    assert root_of([leaf_hash(entry.encode()) for entry in entries]).hex() == root


def test_a_compact_range_has_the_root_of_the_whole_tree_at_every_size() -> None:
    compact = CompactRange(0, [])
    for size in range(LARGEST):
        assert compact.root() == ROOTS[size]
        compact = CompactRange.from_bytes(compact.size, compact.to_bytes())
        compact.append(LEAVES[size])
    assert compact.root() == ROOTS[LARGEST]


@pytest.mark.parametrize("packed", [b"", b"x" * 32, b"x" * 65, b"x" * 96])
def test_bytes_of_another_size_are_no_compact_range(packed: bytes) -> None:
    with pytest.raises(ValueError, match="2 perfect subtrees"):
        CompactRange.from_bytes(3, packed)


@pytest.mark.parametrize("size", range(1, LARGEST + 1))
def test_every_leaf_is_proved_and_at_its_index_only(size: int) -> None:
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        root = ROOTS[size]
        assert is_included(LEAVES[index], index, size=size, proof=proof, root=root)
        assert not is_included(WRONG, index, size=size, proof=proof, root=root)
        assert not is_included(LEAVES[index], index, size=size, proof=proof, root=WRONG)
        assert not is_included(LEAVES[index], index, size=size, proof=[*proof, WRONG], root=root)
        if proof:
            assert not is_included(LEAVES[index], index, size=size, proof=proof[:-1], root=root)
        others = (other for other in range(-1, size + 1) if other != index)
        assert not any(
            is_included(LEAVES[index], other, size=size, proof=proof, root=root) for other in others
        )


@pytest.mark.parametrize("size", range(1, LARGEST + 1))
def test_every_tree_begins_with_each_smaller_one_and_no_other(size: int) -> None:
    for old in range(1, size + 1):
        proof, root = consistency_proof(LEAVES[:size], old), ROOTS[size]

        def holds(
            *,
            old_size: int = old,
            old_root: bytes = ROOTS[old],
            root: bytes = root,
            proof: list[bytes] = proof,
        ) -> bool:
            return is_consistent(
                old_size=old_size, old_root=old_root, size=size, root=root, proof=proof
            )

        assert holds()
        assert not holds(old_root=WRONG)
        assert not holds(root=WRONG)
        assert not holds(proof=[*proof, WRONG])
        assert not holds(old_size=old - 1)
        assert not proof or not holds(proof=proof[:-1])
        assert all(
            not holds(proof=[*proof[:at], WRONG, *proof[at + 1 :]]) for at in range(len(proof))
        )


@pytest.mark.parametrize("index", [-1, 3])
def test_no_proof_is_made_for_an_absent_leaf(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES[:3], index)


@pytest.mark.parametrize("old_size", [0, 4])
def test_no_proof_is_made_for_a_tree_that_never_was(old_size: int) -> None:
    with pytest.raises(IndexError):
        consistency_proof(LEAVES[:3], old_size)


def test_an_empty_tree_proves_nothing() -> None:
    assert not is_included(LEAVES[0], 0, size=0, proof=[], root=EMPTY_ROOT)
    assert not is_consistent(old_size=0, old_root=EMPTY_ROOT, size=3, root=ROOTS[3], proof=[])


@given(st.integers(66, 700), st.data())
def test_larger_trees_agree_too(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(index.to_bytes(2, "big")) for index in range(size)]
    index = data.draw(st.integers(0, size - 1))
    compact = CompactRange(0, [])
    for leaf in leaves[: index + 1]:
        compact.append(leaf)
    old_root = compact.root()
    for leaf in leaves[index + 1 :]:
        compact.append(leaf)
    root = compact.root()
    proof = inclusion_proof(leaves, index)
    assert is_included(leaves[index], index, size=size, proof=proof, root=root)
    proof = consistency_proof(leaves, index + 1)
    assert is_consistent(
        old_size=index + 1, old_root=old_root, size=size, root=root, proof=proof
    )  # fmt: skip
