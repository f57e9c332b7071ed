"""``Patient/[id]/$personal-copy`` over HTTP: asked, followed, downloaded, refused, given up."""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zipfile import ZipFile

import msgspec

from hygie.domains.rights.api import FILES
from hygie.domains.rights.jobs import prepare_exports
from hygie.domains.rights.service.exports import end, folder_of
from hygie.domains.rights.service.prepared import GONE
from hygie.domains.rights.tests.conftest import Over
from hygie.kernel.api.tests.client import Client, Reply
from hygie.kernel.fhir.validate import parse
from hygie.kernel.store import open_repository
from hygie.testing.stories import HELENE, LUCIE, NORA, PAUL, ZOE

ASYNC = {"Prefer": "respond-async"}
NEVER = "00000000-0000-4000-8000-000000000000"


def address(who: str) -> str:
    return f"Patient/{who}/$personal-copy"


def asked(client: Client, who: str) -> str:
    """Ask for a copy; return the address of its status."""
    reply = client("POST", address(who), None, ASYNC)
    assert reply.status == 202, reply.body
    return reply.headers["content-location"]


def prepared(over: Over, client: Client, who: str) -> str:
    """Ask for a copy and let it be prepared; return the address of its status."""
    status = asked(client, who)
    over.run(prepare_exports(over.service.platform))
    return status


def urls(manifest: Any) -> list[str]:
    more = manifest["extension"][FILES]
    listed = [*manifest["output"], *more["files"], more["archive"]]
    return [one["url"] for one in listed]


def gone(reply: Reply) -> bool:
    return (reply.status, reply.issue["diagnostics"]) == (404, GONE)


def test_a_copy_is_asked_followed_and_downloaded(over: Over) -> None:
    me = over.person(NORA)
    status = asked(me, NORA)
    waiting = me("GET", status)
    assert (waiting.status, waiting.headers["x-progress"]) == (202, "being prepared")
    assert waiting.headers["retry-after"].isdecimal()
    for early in ("dossier.pdf", "archive.zip"):
        assert gone(me("GET", f"{status}/{early}"))
    over.run(prepare_exports(over.service.platform))
    done = me("GET", status)
    assert (done.status, done.headers["content-type"]) == (200, "application/json")
    assert done.headers["expires"].endswith("GMT")
    told = done.json
    assert told["requiresAccessToken"] is True
    assert told["error"] == []
    assert told["request"] == f"{over.service.base}/{address(NORA)}"
    assert datetime.fromisoformat(told["transactionTime"]).tzinfo is not None
    types = [one["type"] for one in told["output"]]
    assert {"Patient", "Observation", "Consent", "Practitioner", "AuditEvent"} <= set(types)
    for one in told["output"]:
        file = me("GET", one["url"])
        assert (file.status, file.headers["content-type"]) == (200, "application/fhir+ndjson")
        resources = [msgspec.json.decode(line) for line in file.body.splitlines()]
        assert {resource["resourceType"] for resource in resources} <= {one["type"]}
        assert len(resources) == one["count"]


def test_documents_traces_proofs_and_the_readable_pdf_are_there(over: Over) -> None:
    me = over.person(NORA)
    status = prepared(over, me, NORA)
    more = me("GET", status).json["extension"][FILES]
    names = {one["name"] for one in more["files"]}
    assert more["complete"] is True
    assert {"dossier.pdf", "index.html", "README.txt", "traces/proofs.ndjson"} <= names
    for one in more["files"]:
        file = me("GET", one["url"])
        assert (file.status, len(file.body)) == (200, one["size"]), one
        assert hashlib.sha256(file.body).hexdigest() == one["sha256"]
        assert file.headers["content-type"] == one["contentType"]
        assert file.headers["content-disposition"].startswith("attachment;")
    archive = me("GET", more["archive"]["url"])
    assert ZipFile(io.BytesIO(archive.body)).testzip() is None
    assert len(archive.body) == more["archive"]["size"]


def test_the_language_of_the_readable_parts_is_chosen(over: Over) -> None:
    me = over.person(NORA)
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "language", "valueCode": "en"}],
    }
    status = me("POST", address(NORA), body, ASYNC).headers["content-location"]
    over.run(prepare_exports(over.service.platform))
    assert b'lang="en"' in me("GET", f"{status}/index.html").body
    body["parameter"] = [{"name": "language", "valueCode": "de"}]
    assert me("POST", address(NORA), body, ASYNC).issue["code"] == "invalid"


def test_who_waits_for_the_answer_is_told_what_to_send(over: Over) -> None:
    reply = over.person(NORA)("POST", address(NORA))
    assert (reply.status, reply.issue["code"]) == (400, "invalid")
    assert "Prefer: respond-async" in reply.issue["diagnostics"]
    assert over.person(NORA)("GET", address(NORA), None, ASYNC).status == 405


def test_the_operation_is_defined_where_the_statement_says(over: Over) -> None:
    nobody = Client(over.service, None)
    types = {one["type"]: one for one in nobody("GET", "metadata").json["rest"][0]["resource"]}
    named = types["Patient"]["operation"]
    told = {one["name"]: one["definition"] for one in named}
    assert len(told) == len(named)
    for name in ("personal-copy", "identify"):
        found = nobody("GET", told[name])
        assert found.status == 200, name
        assert (found.json["url"], found.json["code"]) == (told[name], name)
        parse(found.body, expect="OperationDefinition")
    operator = over.operator()
    replaced = operator("PUT", told["personal-copy"], {"resourceType": "OperationDefinition"})
    assert (replaced.status, replaced.headers["allow"]) == (405, "GET, HEAD")


def test_a_professional_is_refused_with_the_reason(over: Over) -> None:
    refused = over.doctor(HELENE)("POST", address(NORA), None, ASYNC)
    assert (refused.status, refused.issue["code"]) == (403, "forbidden")
    assert "Only the person" in refused.issue["diagnostics"]
    operator = over.operator()("POST", address(NORA), None, ASYNC)
    assert operator.status == 403
    assert "hygie export-person" in operator.issue["diagnostics"]


def test_a_helper_who_only_reads_is_refused_with_the_reason(over: Over) -> None:
    refused = over.person(LUCIE)("POST", address(NORA), None, ASYNC)
    assert (refused.status, refused.issue["code"]) == (403, "forbidden")


def test_without_a_token_nothing_is_answered(over: Over) -> None:
    nobody = Client(over.service, None)
    status = prepared(over, over.person(NORA), NORA)
    assert nobody("POST", address(NORA), None, ASYNC).status == 401
    assert nobody("GET", status).status == 401
    assert nobody("GET", f"{status}/dossier.pdf").status == 401
    assert nobody("DELETE", status).status == 401


def test_a_hidden_person_and_an_absent_one_answer_alike(over: Over) -> None:
    for client in (over.person(PAUL), over.doctor(ZOE)):
        hidden = client("POST", address(NORA), None, ASYNC)
        absent = client("POST", address("nora-martim"), None, ASYNC)
        assert (hidden.status, absent.status) == (404, 404)
        assert hidden.body.replace(NORA.encode(), b"") == absent.body.replace(b"nora-martim", b"")
        assert set(hidden.headers) == set(absent.headers)


def test_the_copy_of_somebody_else_answers_like_none(over: Over) -> None:
    status = prepared(over, over.person(NORA), NORA)
    made = status.rpartition("/")[2]
    for client in (over.person(PAUL), over.person(LUCIE), over.doctor(HELENE), over.operator()):
        for path in ("", "/dossier.pdf", "/archive.zip", "/fhir/Patient.ndjson"):
            theirs = client("GET", f"{status}{path}")
            none = client("GET", f"{status.replace(made, NEVER)}{path}")
            assert gone(theirs)
            assert theirs.body == none.body
        assert client("DELETE", status).body == client("DELETE", status.replace(made, NEVER)).body
    assert over.person(NORA)("GET", status).status == 200


def test_tampered_addresses_lead_nowhere(over: Over) -> None:
    me = over.person(NORA)
    status = prepared(over, me, NORA)
    made = status.rpartition("/")[2]
    for path in (
        f"{address(PAUL)}/{made}",
        f"{address('nora-martim')}/{made}",
        f"{address(NORA)}/{uuid.uuid4()}",
        f"{address(NORA)}/{made}0",
        f"{address(NORA)}/../{made}",
        f"{address(NORA)}/%27%20OR%201=1",
        f"{status}/fhir/Binary.ndjson/x",
        f"{status}/../../../etc/passwd",
        f"{status}/%2e%2e/%2e%2e/{made}",
        f"{status}/manifest.xml",
    ):
        assert me("GET", path).status == 404, path
    assert me("GET", f"{address(NORA)}/{made.upper()}").status == 200
    assert me("PUT", status, {}).status == 405
    assert me("DELETE", f"{status}/dossier.pdf").status == 400


def test_each_look_and_each_download_is_traced(over: Over) -> None:
    me = over.person(NORA)
    status = prepared(over, me, NORA)

    async def traces(after: int) -> list[Any]:
        async with over.service.repository.database.transaction(system=True) as connection:
            return list(
                await connection.fetch(
                    "SELECT id, agent, outcome, query FROM trace WHERE id > $1 ORDER BY id", after
                )
            )

    last = over.run(traces(0))[-1]["id"]
    me("GET", status)
    me("GET", f"{status}/dossier.pdf")
    over.person(PAUL)("GET", f"{status}/dossier.pdf")
    over.doctor(HELENE)("POST", address(NORA), None, ASYNC)
    me("DELETE", status)
    found = [(one["agent"], one["outcome"], one["query"]) for one in over.run(traces(last))]
    mark = b"export-person"
    assert found == [
        (f"Patient/{NORA}", 200, mark),
        (f"Patient/{NORA}", 200, mark),
        (f"Patient/{PAUL}", 404, mark),
        (f"Practitioner/{HELENE}", 403, mark),
        (f"Patient/{NORA}", 200, mark),
    ]


def test_a_copy_that_is_given_up_is_destroyed(over: Over) -> None:
    me, data = over.person(NORA), over.service.platform.settings.data
    status = prepared(over, me, NORA)
    file = folder_of(data) / status.rpartition("/")[2]
    assert file.exists()
    assert me("DELETE", status).status == 202
    assert not file.exists()
    assert gone(me("GET", status))
    assert gone(me("DELETE", status))


def test_a_copy_that_is_given_up_while_it_waits_is_never_prepared(over: Over) -> None:
    me, data = over.person(NORA), over.service.platform.settings.data
    status = asked(me, NORA)
    assert me("DELETE", status).status == 202
    over.run(prepare_exports(over.service.platform))
    assert gone(me("GET", status))
    assert not (folder_of(data) / status.rpartition("/")[2]).exists()


def test_two_copies_at_once_are_two_and_a_third_waits(over: Over) -> None:
    me = over.person(NORA)
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: me("POST", address(NORA), None, ASYNC), range(4)))
    assert sorted(reply.status for reply in replies) == [202, 202, 409, 409]
    over.run(prepare_exports(over.service.platform))
    made = [one.headers["content-location"] for one in replies if one.status == 202]
    assert len(set(made)) == 2
    assert [me("GET", one).status for one in made] == [200, 200]


def test_two_workers_at_once_leave_one_copy_that_opens(over: Over) -> None:
    me, data = over.person(NORA), over.service.platform.settings.data
    status = asked(me, NORA)

    async def both() -> None:
        work = (prepare_exports(over.service.platform) for _ in range(2))
        await asyncio.gather(*work)

    over.run(both())
    assert me("GET", f"{status}/dossier.pdf").body.startswith(b"%PDF")
    assert not list(folder_of(data).glob("*.part"))


def test_what_a_killed_worker_left_is_removed_a_day_later(over: Over) -> None:
    service, data = over.service, over.service.platform.settings.data
    prepared(over, over.person(NORA), NORA)
    left = folder_of(data) / "x.part"
    left.write_bytes(b"x")
    over.run(end(service.repository, data, at=datetime.now(UTC)))
    assert left.exists()
    over.run(end(service.repository, data, at=datetime.now(UTC) + timedelta(days=2)))
    assert not left.exists()


def test_a_copy_that_could_not_be_prepared_says_so(over: Over) -> None:
    me, service = over.person(NORA), over.service
    status = asked(me, NORA)

    async def fail() -> None:
        async with service.repository.database.transaction(system=True) as connection:
            await connection.execute("UPDATE rights_export SET state = 2 WHERE state = 0")

    over.run(fail())
    refused = me("GET", status)
    assert (refused.status, refused.json["resourceType"]) == (500, "OperationOutcome")
    assert "Ask for a new one" in refused.issue["diagnostics"]
    assert me("GET", f"{status}/dossier.pdf").status == 404
    assert me("DELETE", status).status == 202


def test_a_copy_outlives_a_restart(over: Over) -> None:
    me, service = over.person(NORA), over.service
    status = asked(me, NORA)

    async def prepare_elsewhere() -> None:
        """Prepare with a programme of its own, that ends."""
        again = replace(
            service.platform,
            repository=await open_repository(service.platform.settings, law=service.repository.law),
        )
        try:
            await prepare_exports(again)
        finally:
            assert again.repository
            await again.repository.database.close()

    over.run(prepare_elsewhere())
    assert me("GET", f"{status}/dossier.pdf").body.startswith(b"%PDF")


def test_after_seven_days_nothing_answers(over: Over) -> None:
    me, data = over.person(NORA), over.service.platform.settings.data
    status = prepared(over, me, NORA)
    over.run(end(over.service.repository, data, at=datetime.now(UTC) + timedelta(days=8)))
    assert gone(me("GET", status))
    assert gone(me("GET", f"{status}/dossier.pdf"))


def test_a_damaged_file_is_refused_whole(over: Over) -> None:
    me, data = over.person(NORA), over.service.platform.settings.data
    status = prepared(over, me, NORA)
    file = folder_of(data) / status.rpartition("/")[2]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert me("GET", status).status == 503
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert me("GET", f"{status}/archive.zip").status == 503
