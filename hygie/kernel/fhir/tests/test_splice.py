from __future__ import annotations

from hypothesis import given

from hygie.kernel.fhir.spans import spans
from hygie.kernel.fhir.splice import (
    keep_members,
    server_fields,
    stamp,
    without_members,
)
from hygie.kernel.fhir.tests.written import read, resources

STAMPS = {"rid": "new-1", "version": "12", "updated": "2026-01-02T03:04:05.678Z"}


def stamped(raw: bytes) -> bytes:
    return stamp(raw, **STAMPS)


@given(resources())
def test_a_stamped_resource_says_its_id_version_and_date(raw: bytes) -> None:
    fields = server_fields(stamped(raw))
    assert (fields.resource_type, fields.id) == ("Basic", "new-1")
    assert (fields.version_id, fields.last_updated) == ("12", "2026-01-02T03:04:05.678Z")


@given(resources())
def test_stamping_changes_nothing_else(raw: bytes) -> None:
    before, after = read(raw), read(stamped(raw))
    for value in (before, after):
        value.pop("id", None)
        meta = value.pop("meta", {})
        value["rest of meta"] = {
            name: inner for name, inner in meta.items() if name not in {"versionId", "lastUpdated"}
        }
    assert before == after


@given(resources())
def test_every_other_member_keeps_its_bytes(raw: bytes) -> None:
    new, places = stamped(raw), spans(raw)
    again = spans(new)
    for name in places.keys() - {"id", "meta"}:
        old, now = places[name], again[name]
        assert raw[old.start : old.end] == new[now.start : now.end]


@given(resources())
def test_stamping_twice_gives_the_same_bytes(raw: bytes) -> None:
    assert stamped(stamped(raw)) == stamped(raw)


@given(resources())
def test_restoring_the_stamps_restores_the_bytes(raw: bytes) -> None:
    once = stamp(raw, rid="a", version="1", updated="2020")
    assert stamp(stamped(once), rid="a", version="1", updated="2020") == once


@given(resources())
def test_kept_members_keep_their_bytes(raw: bytes) -> None:
    places = spans(raw)
    names = {name for name in places if len(name) % 2}
    kept = keep_members(raw, names)
    expected = {*names, "resourceType", "id", "meta"} & places.keys()
    assert expected <= spans(kept).keys() <= expected | {"meta"}
    for name in expected - {"meta"}:
        old, now = places[name], spans(kept)[name]
        assert raw[old.start : old.end] == kept[now.start : now.end]


@given(resources())
def test_a_resource_that_lost_members_is_tagged_once(raw: bytes) -> None:
    if len(spans(raw).keys() - {"resourceType", "id", "meta"}) == 0:
        return
    tags = read(keep_members(raw, ()))["meta"]["tag"]
    assert [tag["code"] for tag in tags].count("SUBSETTED") == 1


def test_a_resource_that_loses_nothing_is_unchanged() -> None:
    raw = b'{ "resourceType" : "Basic" , "id":"1" }'
    assert keep_members(raw, ()) == raw


def test_a_tag_that_is_there_is_not_added_again() -> None:
    once = without_members(b'{"resourceType":"Basic","text":1,"code":2}', {"text"})
    twice = without_members(once, {"code"})
    assert twice.count(b"SUBSETTED") == 1


def test_the_type_id_and_meta_cannot_be_taken_away() -> None:
    raw = b'{"resourceType":"Basic","id":"1","meta":{},"text":1}'
    assert {"resourceType", "id", "meta"} <= spans(without_members(raw, {"id", "meta"})).keys()


def test_missing_stamps_are_inserted_behind_the_type() -> None:
    raw = b'{\n  "resourceType": "Basic",\n  "code": 1.00E2\n}\n'
    inserted = b'"Basic","id":"7","meta":{"versionId":"1","lastUpdated":"2026"},'
    expected = raw.replace(b'"Basic",', inserted)
    assert stamp(raw, rid="7", version="1", updated="2026") == expected


def test_stamps_that_are_there_are_replaced_in_place() -> None:
    raw = b'{"id" : "x", "meta" : { "versionId":"9" }, "resourceType":"Basic"}'
    meta = b'{"lastUpdated":"2026", "versionId":"1" }'
    expected = b'{"id" : "7", "meta" : ' + meta + b', "resourceType":"Basic"}'
    assert stamp(raw, rid="7", version="1", updated="2026") == expected
