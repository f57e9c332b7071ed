from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import note
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.handover import cross_sign
from hygie.kernel.audit.merkle import consistency_proof, root_of
from hygie.kernel.audit.witness.cosigner import cosigned_at
from hygie.kernel.audit.witness.folder import Kept, heads_name, read_heads, thin
from hygie.kernel.audit.witness.keeper import Answer, Witness
from hygie.kernel.errors import ConfigurationError, InvalidRequest

LOG = Signer("hygie/trace/test", Ed25519PrivateKey.from_private_bytes(bytes(32)))
NEXT = Signer("hygie/trace/test", Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
LEAVES = [hashlib.sha256(str(number).encode()).digest() for number in range(20)]
FORKED = [*LEAVES[:3], hashlib.sha256(b"x").digest(), *LEAVES[4:]]


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def witness(tmp_path: Path, clock: Hands) -> Iterator[Witness]:
    opened = Witness(tmp_path / "witness", clock=clock)
    opened.trust(LOG.verifier_key)
    yield opened
    opened.close()


def request(
    old: int,
    size: int,
    leaves: list[bytes] = LEAVES,
    *,
    signer: Signer = LOG,
    proof: int | None = None,
) -> bytes:
    """Return a request; ``proof`` is made from another old size."""
    start = old if proof is None else proof
    hashes = consistency_proof(leaves[:size], start) if start else []
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in hashes)
    return f"old {old}\n{lines}\n{signer.sign(size, root_of(leaves[:size]))}".encode()


def add(witness: Witness, old: int, size: int, leaves: list[bytes] = LEAVES) -> Answer:
    return witness.add_checkpoint(request(old, size, leaves))


def test_a_head_that_goes_on_is_cosigned(witness: Witness, clock: Hands) -> None:
    assert add(witness, 0, 3).status == 200
    answer = add(witness, 3, 7)
    text = note.checkpoint_text(LOG.origin, 7, root_of(LEAVES[:7]))
    key = note.parse_key(witness.cosigner.verifier_key, note.COSIGNATURE)
    assert cosigned_at(key, text, answer.body) == int(clock.at.timestamp())
    assert cosigned_at(key, text.replace("7", "8"), answer.body) is None


def test_the_same_head_is_cosigned_again(witness: Witness) -> None:
    assert [add(witness, *sizes).status for sizes in ((0, 5), (5, 5))] == [200, 200]


def test_an_unknown_log_is_not_found(witness: Witness) -> None:
    other = Signer("hygie/trace/other", LOG.key)
    assert witness.add_checkpoint(request(0, 3, signer=other)).status == 404


def test_another_key_is_forbidden(witness: Witness) -> None:
    assert witness.add_checkpoint(request(0, 3, signer=NEXT)).status == 403


def test_an_old_size_over_the_new_one_is_a_bad_request(witness: Witness) -> None:
    add(witness, 0, 3)
    assert witness.add_checkpoint(request(9, 3, proof=0)).status == 400


def test_another_old_size_is_told_the_known_one(witness: Witness) -> None:
    add(witness, 0, 3)
    answer = add(witness, 0, 7)
    assert answer == Answer(409, "3\n", "text/x.tlog.size")
    assert add(witness, 2, 7).status == 409


def test_another_root_of_the_same_size_is_a_conflict_and_is_kept(
    witness: Witness, tmp_path: Path
) -> None:
    add(witness, 0, 5)
    assert add(witness, 5, 5, FORKED).status == 409
    assert (tmp_path / "witness/forks").read_text().count("\n") == 1


def test_a_fork_is_not_cosigned_and_is_kept(witness: Witness, tmp_path: Path) -> None:
    """F54: another history of the same log, signed with the log's own key."""
    add(witness, 0, 5)
    assert add(witness, 5, 9, FORKED).status == 422
    assert add(witness, 5, 9).status == 200
    assert (tmp_path / "witness/forks").exists()


def test_a_wrong_proof_is_unprocessable(witness: Witness) -> None:
    add(witness, 0, 5)
    assert witness.add_checkpoint(request(5, 9, proof=4)).status == 422
    assert witness.add_checkpoint(request(5, 9, proof=0)).status == 422


def test_a_proof_from_nothing_is_empty(witness: Witness) -> None:
    assert witness.add_checkpoint(request(0, 9, proof=4)).status == 422


@pytest.mark.parametrize(
    "body",
    [b"", b"old 0", b"old 0\n\n", b"old 00\n\n", b"old -1\n\n", b"new 0\n\n", b"old 0\nxx\n\n",
     b"old 0\n" + b"AAAA\n" * 3 + b"\n", b"\xff", b"old 99999999999999999999\n\n",
     b"old 0\n" + base64.b64encode(bytes(32)) + b"\n" * 64],
)  # fmt: skip
def test_a_malformed_request_is_a_bad_request(witness: Witness, body: bytes) -> None:
    signed = request(0, 3).partition(b"\n\n")[2]
    assert witness.add_checkpoint(body).status == 400
    assert witness.add_checkpoint(body.replace(b"old 0\n\n", b"old x\n\n") + signed).status == 400


def test_too_long_a_proof_is_a_bad_request(witness: Witness) -> None:
    line = base64.b64encode(bytes(32)) + b"\n"
    start, _, signed = request(0, 3).partition(b"\n")
    assert witness.add_checkpoint(start + b"\n" + line * 64 + signed).status == 400


def test_a_restarted_witness_knows_what_it_cosigned(witness: Witness, tmp_path: Path) -> None:
    add(witness, 0, 5)
    witness.close()
    path = tmp_path / "witness" / heads_name(LOG.origin)
    path.write_bytes(path.read_bytes() + b'{"checkpoint":"cut')
    again = Witness(tmp_path / "witness")
    assert again.cosigner.verifier_key == witness.cosigner.verifier_key
    assert add(again, 0, 9).body == "5\n"
    assert add(again, 5, 9).status == 200
    again.close()
    assert [one.checkpoint.split("\n")[1] for one in read_heads(path)] == ["5", "9"]


def test_two_witnesses_never_share_a_folder(witness: Witness, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="already runs"):
        Witness(tmp_path / "witness")


def test_a_clock_that_goes_back_moves_no_cosignature_back(witness: Witness, clock: Hands) -> None:
    """F23, F24."""
    key = note.parse_key(witness.cosigner.verifier_key, note.COSIGNATURE)
    first = add(witness, 0, 3)
    clock.at -= timedelta(hours=1)
    second = add(witness, 3, 5)
    times = [
        cosigned_at(key, note.checkpoint_text(LOG.origin, size, root_of(LEAVES[:size])), one.body)
        for size, one in ((3, first), (5, second))
    ]
    assert times[0] == times[1]


def test_the_witness_follows_a_cross_signed_change_of_key(witness: Witness) -> None:
    add(witness, 0, 5)
    handover = cross_sign(LOG, NEXT, size=5, root=root_of(LEAVES[:5]))
    assert witness.add_checkpoint(f"old 5\n\n{handover}".encode()).status == 200
    assert witness.add_checkpoint(request(5, 9)).status == 403
    assert witness.add_checkpoint(request(5, 9, signer=NEXT)).status == 200


def test_the_witness_follows_no_change_of_key_that_the_old_key_did_not_sign(
    witness: Witness,
) -> None:
    add(witness, 0, 5)
    handover = cross_sign(NEXT, NEXT, size=5, root=root_of(LEAVES[:5]))
    assert witness.add_checkpoint(f"old 5\n\n{handover}".encode()).status == 403


def test_another_key_for_a_known_log_is_refused(witness: Witness) -> None:
    with pytest.raises(InvalidRequest, match="cross-signed"):
        witness.trust(NEXT.verifier_key)


def test_the_first_log_alone_is_trusted_at_first_use(tmp_path: Path) -> None:
    first = Witness(tmp_path / "own", first_use=True)
    assert first.introduce(LOG.verifier_key).status == 200
    assert first.introduce(Signer("hygie/trace/other", NEXT.key).verifier_key).status == 403
    assert first.introduce("nonsense").status == 400
    first.close()


def test_old_heads_are_thinned_to_one_an_hour(clock: Hands) -> None:
    now = int(clock.at.timestamp())
    month = now - now % 3600 - 30 * 86_400
    heads = [Kept("c", "l", month + second) for second in (0, 10, 3599, 3600)] + [
        Kept("c", "l", now)
    ]
    heads.insert(1, Kept("c\nnext key", "l", month + 5))
    assert [one.time - month for one in thin(heads, now=clock.at)[:3]] == [5, 3599, 3600]


def test_the_folder_is_its_owners_alone(witness: Witness, tmp_path: Path) -> None:
    add(witness, 0, 3)
    assert (tmp_path / "witness").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "witness").iterdir():
        assert path.stat().st_mode & 0o077 == 0 or path.name == "logs"
