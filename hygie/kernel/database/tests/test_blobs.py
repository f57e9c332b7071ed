from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.errors import NotFound, Unavailable


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def plain(store: BlobStore, content: bytes) -> bytes:
    """Keep a plain file as earlier versions did; return its digest."""
    digest = hashlib.sha256(content).digest()
    store.path(digest).parent.mkdir(parents=True)
    store.path(digest).write_bytes(content)
    return digest


def test_content_comes_back_under_its_name(store: BlobStore) -> None:
    assert store.get(store.put(b"%PDF-1.7")) == b"%PDF-1.7"


def test_names_do_not_tell_equal_contents(store: BlobStore) -> None:
    assert store.put(b"twice") != store.put(b"twice")


def test_a_plain_file_of_an_earlier_version_is_read(store: BlobStore) -> None:
    digest = plain(store, b"old")
    assert store.get(digest) == b"old"


def test_unknown_content_is_not_found(store: BlobStore) -> None:
    with pytest.raises(NotFound):
        store.get(bytes(32))
    assert not store.exists(bytes(32))


def test_a_damaged_plain_file_is_never_returned(store: BlobStore) -> None:
    digest = plain(store, b"whole")
    store.path(digest).write_bytes(b"hole")
    with pytest.raises(Unavailable, match="damaged"):
        store.get(digest)


def test_deleted_content_is_gone_and_may_be_deleted_again(store: BlobStore) -> None:
    digest = store.put(b"short-lived")
    store.delete(digest)
    store.delete(digest)
    assert not store.exists(digest)


def test_nobody_else_may_read_the_files(store: BlobStore) -> None:
    path = store.path(store.put(b"secret"))
    assert path.stat().st_mode & 0o077 == 0
