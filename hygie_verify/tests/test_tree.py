from __future__ import annotations

import pytest

from hygie_verify.tree import Tree, leaf_hash


def test_the_empty_entry() -> None:
    empty_entry = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"").hex() == empty_entry


@pytest.mark.parametrize(
    ("entries", "root"),
    [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1"),
        ("abcde", "fe14a5426fbd70c0fa73f52342afed0da0bd23c4838662ccf6b88a3070ead97b"),
    ],
)
def test_known_roots(entries: str, root: str) -> None:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry.encode()))
    assert tree.root().hex() == root
