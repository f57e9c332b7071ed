from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie_verify.note import VerifierKey
from hygie_verify.tests.sample import Line, checkpoint, encoded, leaf, sample, verifier_key
from hygie_verify.tree import Tree
from hygie_verify.walk import Report, verify

SIZE = 9
HEADS = (2, 3, 7, 9)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def whole() -> list[Line]:
    return sample(map(leaf, range(SIZE)), heads=HEADS)


def checked(lines: list[Line], *known: str) -> Report:
    return verify(encoded(lines), key=VerifierKey.parse(verifier_key()), known=known)


def known_head(size: int = SIZE) -> str:
    tree = Tree()
    for place in range(size):
        tree.append(bytes.fromhex(leaf(place)["leaf"]))
    return checkpoint(size, tree.root())


def at(lines: list[Line], place: int) -> int:
    return next(index for index, line in enumerate(lines) if line.get("place") == place)


def test_a_whole_log_is_whole() -> None:
    report = checked(whole(), known_head(), known_head(3))
    assert report.is_whole
    assert (report.leaves, report.heads, report.erased) == (SIZE, len(HEADS), 0)


def test_an_empty_log_is_whole() -> None:
    assert checked(sample([], heads=[])).is_whole


def test_an_erased_body_keeps_every_proof() -> None:
    lines = whole()
    erased = lines[at(lines, 4)]
    del erased["salt"], erased["body"]
    report = checked(lines, known_head())
    assert report.is_whole
    assert report.erased == 1


def edit_body(lines: list[Line]) -> None:
    line = lines[at(lines, 4)]
    line["body"] = line["body"].replace("Practitioner", "Patient")


def edit_body_and_header(lines: list[Line]) -> None:
    edited = leaf(4, word="x")
    edited["leaf"] = lines[at(lines, 4)]["leaf"]
    lines[at(lines, 4)] = edited


def edit_body_header_and_leaf(lines: list[Line]) -> None:
    lines[at(lines, 4)] = leaf(4, word="x")


def edit_header(lines: list[Line]) -> None:
    line = lines[at(lines, 0)]
    line["header"] = line["header"].replace("read", "vread")


def change_the_salt(lines: list[Line]) -> None:
    lines[at(lines, 4)]["salt"] = "00" * 16


def delete_from_the_middle(lines: list[Line]) -> None:
    del lines[at(lines, 4)]


def delete_and_renumber(lines: list[Line]) -> None:
    del lines[at(lines, 4)]
    for line in lines:
        if line.get("place", 0) > 4:
            line["place"] -= 1
    lines[-1]["end"]["leaves"] -= 1


def delete_only_the_row(lines: list[Line]) -> None:
    line = lines[at(lines, 4)]
    del line["header"], line["salt"], line["body"]


def swap_two(lines: list[Line]) -> None:
    first, second = at(lines, 4), at(lines, 5)
    lines[first], lines[second] = lines[second], lines[first]


def swap_two_and_renumber(lines: list[Line]) -> None:
    first, second = at(lines, 4), at(lines, 5)
    lines[first], lines[second] = lines[second] | {"place": 4}, lines[first] | {"place": 5}


def insert_in_the_middle(lines: list[Line]) -> None:
    lines.insert(at(lines, 4), leaf(4, word="x"))


def delete_the_tail_only(lines: list[Line]) -> None:
    del lines[at(lines, 7) : at(lines, 8) + 1]
    lines[-1]["end"]["leaves"] -= 2


def append_unsigned(lines: list[Line]) -> None:
    lines.insert(-1, leaf(SIZE))
    lines[-1]["end"]["leaves"] += 1


def drop_every_head(lines: list[Line]) -> None:
    lines[:] = [line for line in lines if "head" not in line]


def drop_the_last_head(lines: list[Line]) -> None:
    del lines[-2]


def change_the_root_of_a_head(lines: list[Line]) -> None:
    lines[-2]["head"] = lines[-2]["head"].replace("\n9\n", "\n9\nA", 1)


def a_head_signed_for_another_size(lines: list[Line]) -> None:
    lines[-2] = {"head": known_head(7)}


def cut_the_file(lines: list[Line]) -> None:
    del lines[-1]


def cut_after_a_head(lines: list[Line]) -> None:
    del lines[at(lines, 7) :]


def no_first_line(lines: list[Line]) -> None:
    del lines[0]


def go_on_after_the_end(lines: list[Line]) -> None:
    lines.append(leaf(SIZE))


def a_stray_trace(lines: list[Line]) -> None:
    lines.insert(-1, {"stray": 99})


def an_unknown_line(lines: list[Line]) -> None:
    lines.insert(3, {"comment": "nothing to see"})


def another_format(lines: list[Line]) -> None:
    lines[0]["hygie_log"] = 3


def another_log(lines: list[Line]) -> None:
    lines[0]["origin"] = "hygie/trace/other"


ATTACKS: list[Callable[[list[Line]], None]] = [
    edit_body,
    edit_body_and_header,
    edit_body_header_and_leaf,
    edit_header,
    change_the_salt,
    delete_from_the_middle,
    delete_and_renumber,
    delete_only_the_row,
    swap_two,
    swap_two_and_renumber,
    insert_in_the_middle,
    delete_the_tail_only,
    append_unsigned,
    drop_every_head,
    drop_the_last_head,
    change_the_root_of_a_head,
    a_head_signed_for_another_size,
    cut_the_file,
    cut_after_a_head,
    no_first_line,
    go_on_after_the_end,
    a_stray_trace,
    an_unknown_line,
    another_format,
    another_log,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_tampering_is_seen(attack: Callable[[list[Line]], None]) -> None:
    lines = whole()
    attack(lines)
    assert checked(lines).faults


def test_a_fault_names_the_event() -> None:
    lines = whole()
    edit_body(lines)
    assert checked(lines).faults == ["event 4: the body is not the one that was logged"]


def test_a_tail_removed_with_its_heads_is_seen_by_a_known_head_only() -> None:
    lines = sample(map(leaf, range(3)), heads=(2, 3))
    assert checked(lines).is_whole
    assert checked(lines, known_head()).faults


def test_a_history_rewritten_with_the_stolen_key_is_seen_by_a_known_head_only() -> None:
    lines = sample((leaf(place, word="x" * (place == 4)) for place in range(SIZE)), heads=(SIZE,))
    assert checked(lines).is_whole
    assert checked(lines, known_head(7)).faults


def test_a_history_rewritten_with_another_key_is_seen() -> None:
    lines = sample(map(leaf, range(SIZE)), heads=HEADS, key=OTHER_KEY)
    assert verify(encoded(lines)).is_whole
    assert checked(lines).faults


def test_a_known_head_of_another_signer_is_a_fault() -> None:
    assert checked(whole(), checkpoint(3, bytes(32), key=OTHER_KEY)).faults


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"3", b'{"place":0}', b'{"place":"a","leaf":3}',
                                  b"\xff", b'{"end":3}', b'{"head":7}'])  # fmt: skip
def test_a_line_that_cannot_be_read_is_a_fault(line: bytes) -> None:
    lines = encoded(whole())
    lines.insert(4, line)
    assert verify(lines).faults
