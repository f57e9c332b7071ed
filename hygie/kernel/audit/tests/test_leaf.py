from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hygie.kernel.audit import leaf

ROW: dict[str, Any] = {
    "id": 42,
    "at": datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC),
    "request": UUID("0c2f1c9e-6f0a-4a53-9a0e-6d4b8d9a7f10"),
    "kind": 2,
    "interaction": "read",
    "outcome": 200,
    "purpose": "TREAT",
    "rule": "équipe-de-soins",
    "rt": 3,
    "agent": "Practitioner/1",
    "detail": None,
    "party": 5,
    "pat": 7,
    "peer": "192.0.2.7",
    "query": b"a=\xff",
    "uid": UUID("11111111-1111-4111-8111-111111111111"),
    "ver": 2,
    "v": 1,
    "label": 0,
    "flags": 0,
    "agent_role": None,
    "agent_structure": None,
    "pats": None,
}
SECOND = ROW | {
    "v": 2,
    "label": 32,
    "flags": 1,
    "agent_role": "10",
    "agent_structure": 8,
    "pats": [7, 9],
}
SALT = UUID("22222222-2222-4222-8222-222222222222")


def test_the_bytes_of_a_body_never_change() -> None:
    assert leaf.body(ROW).decode() == (
        '{"agent":"Practitioner/1","party":5,"pat":7,"peer":"192.0.2.7","query":"YT3/",'
        '"uid":"11111111-1111-4111-8111-111111111111","ver":2}'
    )


def test_the_bytes_of_a_header_never_change() -> None:
    hashed = leaf.body_hash(SALT, leaf.body(ROW))
    assert leaf.header(ROW, hashed).decode() == (
        '{"at":"2026-03-04T05:06:07.000089Z",'
        f'"body":"{hashed.hex()}","id":42,"interaction":"read","kind":2,"outcome":200,'
        '"purpose":"TREAT","request":"0c2f1c9e-6f0a-4a53-9a0e-6d4b8d9a7f10","rt":3,'
        '"rule":"équipe-de-soins","v":1}'
    )


def test_the_bytes_of_the_second_version_never_change() -> None:
    assert leaf.body(SECOND).decode() == (
        '{"agent":"Practitioner/1","agent_role":"10","agent_structure":8,"party":5,"pat":7,'
        '"pats":[7,9],"peer":"192.0.2.7","query":"YT3/",'
        '"uid":"11111111-1111-4111-8111-111111111111","ver":2}'
    )
    hashed = leaf.body_hash(SALT, leaf.body(SECOND))
    assert leaf.header(SECOND, hashed).decode() == (
        '{"at":"2026-03-04T05:06:07.000089Z",'
        f'"body":"{hashed.hex()}","flags":1,"id":42,"interaction":"read","kind":2,"label":32,'
        '"outcome":200,"purpose":"TREAT","request":"0c2f1c9e-6f0a-4a53-9a0e-6d4b8d9a7f10","rt":3,'
        '"rule":"équipe-de-soins","v":2}'
    )


def test_the_salt_changes_the_hash() -> None:
    body = leaf.body(ROW)
    assert leaf.body_hash(SALT, body) != leaf.body_hash(UUID(int=0), body)


def test_the_header_names_nobody() -> None:
    header = leaf.header(ROW, bytes(32)).decode()
    assert not [
        word for word in ("Practitioner", "192.0.2.7", "11111111", "YT3/") if word in header
    ]
