from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hygie.kernel.audit.checkpoint import KEY_FILE, Signer, load_or_create_key
from hygie.kernel.errors import ConfigurationError
from hygie_verify.note import VerifierKey

ROOT = bytes(range(32))


@pytest.fixture
def signer() -> Signer:
    return Signer("hygie/trace/x", Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_a_checkpoint_is_read_by_the_verifier(signer: Signer) -> None:
    head = VerifierKey.parse(signer.verifier_key).open(signer.sign(70_000, ROOT))
    assert (head.origin, head.size, head.root) == ("hygie/trace/x", 70_000, ROOT)


def test_a_signer_knows_its_own_checkpoint(signer: Signer) -> None:
    checkpoint = signer.sign(3, ROOT)
    other = Signer(signer.origin, Ed25519PrivateKey.from_private_bytes(ROOT))
    assert signer.has_signed(checkpoint, size=3, root=ROOT)
    assert not signer.has_signed(checkpoint, size=4, root=ROOT)
    assert not signer.has_signed(checkpoint, size=3, root=bytes(32))
    assert not other.has_signed(checkpoint, size=3, root=ROOT)


def test_the_private_key_never_shows(signer: Signer) -> None:
    assert "key" not in repr(signer)


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = load_or_create_key(tmp_path), load_or_create_key(tmp_path)
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(load_or_create_key, [tmp_path] * 8))
    assert len({key.private_bytes_raw() for key in keys}) == 1


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_or_create_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_create_key(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        X25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    ],
)
def test_a_file_that_holds_no_ed25519_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / KEY_FILE
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="key"):
        load_or_create_key(tmp_path)
