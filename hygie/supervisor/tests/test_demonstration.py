from __future__ import annotations

import json
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygie.kernel.config import Settings
from hygie.kernel.database import leftovers, roles, server
from hygie.kernel.database.installation import demo_password
from hygie.kernel.database.session import connect
from hygie.supervisor.tests.served import Served

PATIENTS = 20
SERVE = ("-m", "hygie", "serve", "--demo", str(PATIENTS))


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("HYGIE_DATABASE_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
    yield folder / "data"
    leftovers.stop_servers(folder / "data" / "postgres")
    shutil.rmtree(folder)


def _reason(served: Served) -> str:
    return str(served.health()[1].get("reason", ""))


def test_an_interrupted_first_start_goes_on_and_ends_with_accounts(data: Path) -> None:
    first = Served(data, command=SERVE)
    while "demonstration population" not in _reason(first):
        assert first.process.poll() is None, first.output.read_text()
        time.sleep(0.02)
    assert f"of {PATIENTS} patients" in _reason(first)
    first.kill_everything()

    second = Served(data, command=SERVE)
    second.wait_until(200, patience=90)
    time.sleep(0.5)
    said = second.output.read_text()
    assert f"Hygie answers at http://127.0.0.1:{second.port}/" in said
    assert demo_password(data) in said
    assert (data / "keys" / "demo-password").stat().st_mode & 0o077 == 0
    assert _patients(data) == PATIENTS
    with urllib.request.urlopen(f"http://127.0.0.1:{second.port}/", timeout=10) as page:
        assert demo_password(data) in page.read().decode()
    second.stop()

    refused = Served(data, command=("-m", "hygie", "serve"))
    assert refused.process.wait(20) == 2
    assert "holds demonstration accounts" in refused.output.read_text()


def _patients(data: Path) -> int:
    assert json.loads((data / "demonstration.json").read_text())["patients"] == PATIENTS
    with connect(server.admin_dsn(Settings(data=data)), role=roles.LOADER) as session:
        row = session.execute(
            "SELECT count(DISTINCT pat) FROM hygie.resource WHERE pat IS NOT NULL"
        ).fetchone()
    return int(row[0]) if row else 0
