from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.errors import Malformed
from hygie.kernel.fhir.rewrite import (
    attach_data,
    cut_data,
    replace_strings,
    text_of,
    withhold_data,
)
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


def round_trip(raw: bytes) -> tuple[bytes, list[bytes]]:
    short, contents = cut_data(raw)
    return attach_data(short, lambda number: text_of(contents[int(number)])), contents


@given(st.binary(max_size=200))
def test_a_text_comes_back_byte_for_byte(content: bytes) -> None:
    raw = attachment(content)
    assert round_trip(raw)[0] == raw


@given(st.text("ABab+/= \n", max_size=40).map(json.dumps), resources())
def test_any_text_comes_back_byte_for_byte(text: str, inner: bytes) -> None:
    raw = f'{{"data":{text},"valueBase64Binary":{text},"inner":{inner.decode()}}}'.encode()
    assert round_trip(raw)[0] == raw


@pytest.mark.parametrize("length", [1, 90, 90_000])
def test_texts_of_any_length_leave_the_resource(length: int) -> None:
    short, contents = cut_data(attachment(b"x" * length))
    assert short == attachment("hygie-blob:0")
    assert contents == [b"\x00" + b"x" * length]


@pytest.mark.parametrize("text", ["YWJ=", "YW Jj", "YWJj\\n", r"\/\/\/\/", "1.5 2.5"])
def test_a_text_in_another_form_leaves_as_it_was_written(text: str) -> None:
    raw = attachment(text)
    back, contents = round_trip(raw)
    assert (back, contents) == (raw, [b"\x01" + text.encode()])


def test_a_key_written_with_escapes_hides_nothing() -> None:
    raw = rb'{"resourceType":"Binary","d\u0061ta":"QUJD"}'
    back, contents = round_trip(raw)
    assert (back, contents) == (raw, [b"\x00ABC"])


def test_equal_contents_are_cut_once() -> None:
    text = base64.b64encode(b"x" * 99).decode()
    raw = f'{{"a":{{"data":"{text}"}},"b":{{"data":"{text}"}}}}'.encode()
    back, contents = round_trip(raw)
    assert (back, contents) == (raw, [b"\x00" + b"x" * 99])


def test_what_is_withheld_is_valid_and_says_so() -> None:
    short, _ = cut_data(attachment(b"secret"))
    told = json.loads(withhold_data(short))
    assert told["_data"]["extension"][0]["valueCode"] == "masked"
    assert set(told) == {"resourceType", "_data"}


def test_a_forged_placeholder_is_refused() -> None:
    with pytest.raises(Malformed):
        cut_data(attachment("hygie-blob:0"))
