from __future__ import annotations

import pytest

from hygie_verify.note import Refused, VerifierKey

# The example of golang.org/x/mod/sumdb/note, the reference implementation of signed notes.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\N{EM DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
    "qdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_well_signed_note_that_is_no_checkpoint_is_refused_for_that() -> None:
    with pytest.raises(Refused, match="not a checkpoint"):
        VerifierKey.parse(NEUMANN).open(NOTE)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (NOTE.replace("answer", "Answer"), "signature of the trusted key is wrong"),
        (NOTE.replace("x08go/ZJ", "x08go/ZK"), "signature of the trusted key is wrong"),
        (NOTE.replace("\N{EM DASH} PeterNeumann", "\N{EM DASH} Somebody"), "no signature"),
        (NOTE.replace("x08g", "y08g"), "no signature"),
        (NOTE.partition("\n\n")[0], "no signature"),
        (NOTE.replace("x08go", "*"), "no signature"),
        ("", "no signature"),
    ],
)
def test_a_changed_note_is_refused(changed: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        VerifierKey.parse(NEUMANN).open(changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Other+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4",
        "PeterNeumann+c74f20a3+not base64",
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        VerifierKey.parse(text)
