"""``hygie serve`` with its key in a PKCS#11 token, as docs/how-to/keys.md says it: end to end.

The token is SoftHSM2, a hardware module in software. Every step is the command an operator types,
in a process of its own; what is read comes over HTTP.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hygie.supervisor.tests.served import Served

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
LETTER = b"A private letter, in clear nowhere on the disk. " * 3
SCAN = bytes(range(256)) * 400
PEOPLE = ("ann", "bob", "eve")
pytestmark = pytest.mark.long


@dataclass(slots=True)
class Installation:
    """One machine with a token, and what runs on it."""

    folder: Path
    data: Path
    environment: dict[str, str]
    running: list[Served] = field(default_factory=list)

    def run(self, *arguments: object) -> str:
        """Run one command to its end and return what it printed."""
        done = subprocess.run(  # noqa: S603 - our own programme
            [sys.executable, "-m", "hygie", *map(str, arguments), "--data", str(self.data)],
            env={**os.environ, **self.environment}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self) -> Served:
        """Start Hygie and wait until it is ready."""
        served = Served(self.data, command=("-m", "hygie", "serve"))
        self.running.append(served)
        served.wait_until(200, patience=60.0)
        return served

    def stop(self) -> None:
        """Stop what runs."""
        self.running.pop().stop()

    def ask(self, path: str, body: object | None = None) -> dict[str, object]:
        """Read, or write, over HTTP as the operator."""
        token = self.run("token", "--as", "system").strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.running[-1].port}/fhir/{path}",
            data=None if body is None else json.dumps(body).encode(),
            method="GET" if body is None else "PUT",
            headers={"authorization": f"Bearer {token}", "content-type": "application/fhir+json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - this machine
            found: dict[str, object] = json.loads(answer.read())
        return found

    def reads(self, rid: str) -> bytes:
        """Return the first attachment of a document."""
        found = json.dumps(self.ask(f"DocumentReference/{rid}")["content"])
        return base64.b64decode(json.loads(found)[0]["attachment"]["data"])


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Give an empty machine whose token has been initialised."""
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed: apt-get install softhsm2")
    pytest.importorskip("pkcs11", reason="install hygie[pkcs11]")
    folder = Path(tempfile.mkdtemp(prefix="hygie-token-"))
    (folder / "tokens").mkdir(mode=0o700)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    pin = folder / "pin"
    pin.touch(mode=0o600)
    pin.write_text("1234\n")
    environment = {
        "SOFTHSM2_CONF": str(folder / "softhsm2.conf"),
        "HYGIE_KEYS": f"pkcs11:token=hygie?module-path={module}&pin-source={pin}",
    }
    monkeypatch.delenv("HYGIE_DATABASE_URL", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "hygie",  # noqa: S607
         "--pin", "1234", "--so-pin", "4321"],
        check=True, capture_output=True,
    )  # fmt: skip
    made = Installation(folder, folder / "data", environment)
    yield made
    for served in made.running:
        served.kill_everything()
    shutil.rmtree(folder)


def _people(folder: Path) -> Path:
    """Write people with a short and a long document each, as a file that ``hygie load`` reads."""
    path = folder / "people.ndjson"
    resources = [{"resourceType": "Patient", "id": one, "name": [{"text": one}]} for one in PEOPLE]
    lines = [*resources, *(_document(one, size) for one in PEOPLE for size in ("short", "long"))]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def _document(person: str, size: str) -> dict[str, object]:
    content = LETTER + person.encode() if size == "short" else SCAN + person.encode()
    attachment = {
        "contentType": "application/octet-stream", "data": base64.b64encode(content).decode()
    }  # fmt: skip
    return {
        "resourceType": "DocumentReference",
        "id": f"{person}-{size}",
        "status": "current",
        "subject": {"reference": f"Patient/{person}"},
        "content": [{"attachment": attachment}],
    }


def _check_all(machine: Installation) -> None:
    for person in PEOPLE:
        assert machine.reads(f"{person}-short") == LETTER + person.encode()
        assert machine.reads(f"{person}-long") == SCAN + person.encode()


def test_documents_under_a_token_are_read_after_a_restart_a_rotation_and_a_restore(
    installation: Installation,
) -> None:
    machine = installation
    machine.serve()
    machine.run("load", _people(machine.folder))
    _check_all(machine)
    assert "the PKCS#11 token" in machine.run("keys", "status")
    assert not (machine.data / "keys" / "kek").exists()

    machine.stop()
    machine.serve()
    _check_all(machine)

    assert "data keys were wrapped anew" in machine.run("keys", "rotate")
    _check_all(machine)
    machine.ask("DocumentReference/ann-new", {**_document("ann", "short"), "id": "ann-new"})
    assert machine.reads("ann-new") == LETTER + b"ann"
    assert "Key-encryption keys: 1, 2" in machine.run("keys", "status")

    machine.run("backup", machine.folder / "backup")
    assert "Destroyed for ever: key-encryption keys 1" in machine.run("keys", "destroy", "--now")
    _check_all(machine)
    machine.stop()

    machine.data = machine.folder / "again"
    machine.run("restore", machine.folder / "backup")
    machine.serve()
    _check_all(machine)
    assert machine.reads("ann-new") == LETTER + b"ann"
    machine.stop()
