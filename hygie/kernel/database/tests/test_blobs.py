from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.errors import NotFound, Unavailable


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def test_content_comes_back_under_its_digest(store: BlobStore) -> None:
    digest = store.put(b"%PDF-1.7")
    assert digest == hashlib.sha256(b"%PDF-1.7").digest()
    assert store.get(digest) == b"%PDF-1.7"


def test_the_same_content_is_kept_once(store: BlobStore) -> None:
    assert store.put(b"twice") == store.put(b"twice")
    assert len([path for path in store.folder.rglob("*") if path.is_file()]) == 1


def test_unknown_content_is_not_found(store: BlobStore) -> None:
    with pytest.raises(NotFound):
        store.get(bytes(32))
    assert not store.exists(bytes(32))


def test_damaged_content_is_never_returned(store: BlobStore) -> None:
    digest = store.put(b"whole")
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
