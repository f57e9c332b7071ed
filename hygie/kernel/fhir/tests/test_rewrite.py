from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.errors import Malformed
from hygie.kernel.fhir.rewrite import attach_data, detach_data, replace_strings
from hygie.kernel.fhir.tests.written import resources, strings

OLD = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
NEW = "Patient/7"


def replaced(raw: str) -> str:
    return replace_strings(raw.encode(), {OLD: NEW}).decode()


def test_references_are_replaced_at_any_depth() -> None:
    raw = f'{{"a": [{{"b": {{"reference" :\n "{OLD}"}}}}], "url":"{OLD}"}}'
    assert replaced(raw) == raw.replace(OLD, NEW)


def test_other_members_are_left_alone() -> None:
    raw = f'{{"display":"{OLD}","valueString":"{OLD}","references":"{OLD}"}}'
    assert replaced(raw) == raw


def test_a_text_that_looks_like_a_member_is_left_alone() -> None:
    text = json.dumps(f'{{"reference":"{OLD}"}} "reference":"{OLD}"')
    assert replaced(f'{{"display":{text}}}') == f'{{"display":{text}}}'


def test_a_reference_written_with_escapes_is_replaced() -> None:
    raw = r'{"reference":"Patient\/1","r\u0065ference":"Patient\/1"}'
    expected = r'{"reference":"Patient/2","r\u0065ference":"Patient/2"}'
    assert replace_strings(raw.encode(), {"Patient/1": "Patient/2"}).decode() == expected


def test_a_value_beside_an_escaped_key_is_left_alone() -> None:
    raw = r'{"n\u0061me":"reference","x":["reference","Patient/1"]}'
    assert replace_strings(raw.encode(), {"Patient/1": "Patient/2"}).decode() == raw


@given(resources(), strings(), strings())
def test_replacing_there_and_back_restores_the_bytes(raw: bytes, before: str, behind: str) -> None:
    text = f'{{{before}:{behind},"reference":"{OLD}","inner":{raw.decode()}}}'.encode()
    there = replace_strings(text, {OLD: NEW})
    assert replace_strings(there, {NEW: OLD}) == text
    assert len(text) - len(there) == len(OLD) - len(NEW)


def attachment(data: bytes | str) -> bytes:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return f'{{"resourceType":"Binary", "data" : "{text}" }}'.encode()


def round_trip(raw: bytes, threshold: int) -> tuple[bytes, dict[str, bytes]]:
    short, pairs = detach_data(raw, threshold)
    blobs = dict(pairs)
    return attach_data(short, blobs.__getitem__), blobs


@given(st.binary(max_size=200), st.integers(0, 100))
def test_a_detached_text_comes_back_byte_for_byte(content: bytes, threshold: int) -> None:
    raw = attachment(content)
    assert round_trip(raw, threshold)[0] == raw


@given(st.text("ABab+/= \n", max_size=40).map(json.dumps), resources())
def test_any_text_comes_back_byte_for_byte(text: str, inner: bytes) -> None:
    raw = f'{{"data":{text},"valueBase64Binary":{text},"inner":{inner.decode()}}}'.encode()
    assert round_trip(raw, 1)[0] == raw


def test_a_large_text_leaves_the_resource() -> None:
    short, blobs = detach_data(attachment(b"x" * 90_000), 65_536)
    assert len(short) < 200
    assert [content for _, content in blobs] == [b"x" * 90_000]


def test_a_small_text_stays() -> None:
    raw = attachment(b"x" * 90)
    assert detach_data(raw, 65_536) == (raw, [])


@pytest.mark.parametrize("text", ["YWJ=", "YW Jj", "YWJj\\n", r"\/\/\/\/", "1.5 2.5"])
def test_a_text_that_could_not_be_rebuilt_exactly_stays(text: str) -> None:
    raw = attachment(text)
    assert detach_data(raw, 1) == (raw, [])


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_equal_contents_are_detached_once() -> None:
    text = base64.b64encode(b"x" * 99).decode()
    raw = f'{{"a":{{"data":"{text}"}},"b":{{"data":"{text}"}}}}'.encode()
    back, blobs = round_trip(raw, 10)
    assert (back, list(blobs.values())) == (raw, [b"x" * 99])


def test_a_forged_placeholder_is_refused() -> None:
    with pytest.raises(Malformed):
        detach_data(attachment("hygie-blob:" + EMPTY), 65_536)


def test_a_placeholder_elsewhere_is_only_text() -> None:
    raw = f'{{"display":"hygie-blob:{EMPTY}"}}'.encode()

    def never(_placeholder: str) -> Any:
        raise AssertionError

    assert attach_data(detach_data(raw, 0)[0], never) == raw
