from __future__ import annotations

import time
from decimal import Decimal

import pytest

from hygie.kernel.errors import Malformed, TooLarge
from hygie.kernel.fhir.scan import MAX_DEPTH, scan, strict_loads
from hygie.kernel.fhir.tests.refused import observation, patient, refused
from hygie.kernel.fhir.validate import parse


def nested_arrays(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_text_that_is_not_json_is_refused_with_its_byte() -> None:
    with pytest.raises(Malformed, match="byte 26"):
        parse(b'{"resourceType":"Patient",}')


def test_an_empty_body_is_refused() -> None:
    assert refused("") == (400, "structure", None)


def test_text_after_the_resource_is_refused() -> None:
    assert refused(patient('"active":true') + " {}") == (400, "structure", None)


def test_a_body_over_the_limit_is_refused_as_too_large() -> None:
    with pytest.raises(TooLarge):
        parse(patient('"active":true').encode(), max_bytes=20)


def test_a_byte_order_mark_is_refused() -> None:
    assert refused(b'\xef\xbb\xbf{"resourceType":"Patient"}') == (400, "structure", None)


def test_invalid_utf_8_is_refused() -> None:
    raw = b'{"resourceType":"Patient","name":[{"family":"\xff"}]}'
    assert refused(raw) == (400, "structure", None)


def test_utf_16_is_refused() -> None:
    assert refused(patient('"active":true').encode("utf-16"))[0] == 400


def test_half_a_surrogate_pair_in_utf_8_is_refused() -> None:
    raw = b'{"resourceType":"Patient","name":[{"family":"\xed\xa0\x80"}]}'
    assert refused(raw) == (400, "structure", None)


def test_an_escaped_half_surrogate_pair_is_refused_at_its_element() -> None:
    found = refused(patient(r'"name":[{"family":"a\ud800b"}]'))
    assert found == (400, "structure", "Patient.name[0].family")


def test_an_escaped_whole_surrogate_pair_is_accepted() -> None:
    parsed = parse(patient(r'"name":[{"family":"\ud83d\ude00"}]').encode())
    assert parsed.resource.name[0].family == "\U0001f600"


def test_a_raw_nul_is_refused() -> None:
    assert refused(patient('"name":[{"family":"a\x00b"}]'))[0] == 400


def test_an_escaped_nul_is_refused_at_its_element() -> None:
    found = refused(patient(r'"name":[{"family":"a\u0000b"}]'))
    assert found == (400, "structure", "Patient.name[0].family")


def test_an_escaped_nul_in_a_bundle_entry_is_refused_without_reading_the_entry() -> None:
    entry = patient(r'"id":"\u0000"')
    raw = f'{{"resourceType":"Bundle","type":"batch","entry":[{{"resource":{entry}}}]}}'
    assert refused(raw, nested=False) == (400, "structure", "Bundle.entry[0].resource.id")


def test_an_escaped_backslash_before_u0000_is_text_and_accepted() -> None:
    parsed = parse(patient(r'"name":[{"family":"a\\u0000b"}]').encode())
    assert parsed.resource.name[0].family == r"a\u0000b"


@pytest.mark.parametrize("escape", [r"\b", r"\f", r"\u001f", r"\u0008"])
def test_an_escaped_control_character_is_refused(escape: str) -> None:
    assert refused(patient(f'"name":[{{"family":"a{escape}"}}]'))[0] == 400


def test_tab_newline_and_return_are_accepted() -> None:
    assert parse(patient(r'"name":[{"text":"a\t\r\n\u000ab"}]').encode())


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_nan_and_infinity_are_refused(word: str) -> None:
    assert refused(observation(f'"valueQuantity":{{"value":{word}}}'))[0] == 400


def test_nan_as_text_in_a_decimal_is_refused() -> None:
    found = refused(observation('"valueQuantity":{"value":"NaN"}'))
    assert found == (400, "value", "Observation.value.value")


def test_a_decimal_in_quotes_is_refused() -> None:
    found = refused(observation('"valueQuantity":{"value":"1.10"}'))
    assert found == (400, "structure", "Observation.value.value")


def test_a_duplicate_member_at_the_top_is_refused() -> None:
    found = refused(patient('"gender":"male","gender":"male"'))
    assert found == (400, "structure", "Patient.gender")


def test_a_duplicate_member_deep_inside_is_refused() -> None:
    found = refused(patient('"contact":[{"name":{"given":["a"],"given":["b"]}}]'))
    assert found == (400, "structure", "Patient.contact[0].name.given")


def test_a_duplicate_resource_type_is_refused() -> None:
    assert refused(patient('"resourceType":"Patient"'))[0] == 400


def test_a_duplicate_member_written_with_an_escape_is_refused() -> None:
    found = refused(patient(r'"gender":"male","g\u0065nder":"male"'))
    assert found == (400, "structure", "Patient.gender")


def test_a_duplicate_hidden_behind_escaped_quotes_is_refused() -> None:
    found = refused(patient(r'"gender":"male","gender":"male","name":[{"text":"\u0022\u0022"}]'))
    assert found == (400, "structure", "Patient.gender")


def test_a_duplicate_hidden_behind_quoted_decimals_is_refused() -> None:
    members = '"status":"final","valueQuantity":{"value":"1.0"}'
    assert refused(observation(members))[0] == 400


def test_a_duplicate_member_in_a_contained_resource_is_refused() -> None:
    found = refused(patient('"contained":[{"resourceType":"Patient","id":"a","id":"b"}]'))
    assert found[0] == 400


def test_an_empty_object_is_refused_at_its_place() -> None:
    found = refused(patient('"name":[{ }]'))
    assert found == (400, "structure", "Patient.name[0]")


def test_braces_in_a_text_are_accepted() -> None:
    assert parse(patient('"name":[{"text":"{}"}]').encode())


@pytest.mark.parametrize("number", ["9" * 5000, "1e999999999", "-1e999999999", "1e-999999999"])
def test_an_absurd_decimal_is_refused(number: str) -> None:
    found = refused(observation(f'"valueQuantity":{{"value":{number}}}'))
    assert found == (400, "value", "Observation.value.value")


def test_an_absurd_integer_is_refused() -> None:
    found = refused(observation('"valueInteger":' + "9" * 5000))
    assert found == (400, "value", "Observation.value")


def test_a_decimal_of_one_million_digits_is_refused_quickly() -> None:
    raw = observation('"valueQuantity":{"value":' + "9" * 1_000_000 + "}")
    begun = time.perf_counter()
    assert refused(raw)[0] == 400
    assert time.perf_counter() - begun < 0.5


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        nested_arrays(100_000),
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"resourceType":"Basic","extension":' + nested_arrays(100_000) + b"}",
    ],
    ids=["open", "arrays", "objects", "in a resource"],
)
def test_a_depth_of_one_hundred_thousand_is_refused_within_50_milliseconds(raw: bytes) -> None:
    begun = time.perf_counter()
    assert refused(raw)[0] == 400
    assert time.perf_counter() - begun < 0.05


def test_the_deepest_allowed_nesting_is_accepted() -> None:
    scan(nested_arrays(MAX_DEPTH))


def test_one_level_more_is_refused() -> None:
    with pytest.raises(Malformed, match="nests deeper"):
        scan(nested_arrays(MAX_DEPTH + 1))


def test_brackets_in_texts_are_not_levels() -> None:
    scan(b'["' + b"[" * 1000 + b'\\"[[\\\\", "' + b"[" * 1000 + b'"]')


def test_many_brackets_side_by_side_are_not_deep() -> None:
    scan(b"[" + b",".join([b"[]"] * 100_000) + b"]")


def test_strict_loads_keeps_the_digits_of_decimals() -> None:
    assert strict_loads(b'{"a": 1.10}') == {"a": Decimal("1.10")}
    assert str(strict_loads(b"[1.10]")[0]) == "1.10"


@pytest.mark.parametrize(
    "raw", [b'{"a":1,"a":2}', b"[NaN]", b"[1e999999999]", b'["\\u0000"]', b"[" + b"9" * 5000 + b"]"]
)
def test_strict_loads_refuses_what_is_not_strict(raw: bytes) -> None:
    with pytest.raises(Malformed):
        strict_loads(raw)
