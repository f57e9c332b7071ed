from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hygie.__main__ import main
from hygie.commands.tests.conftest import Hygie
from hygie.kernel.config import Settings
from hygie.kernel.database import folders, roles, server
from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.database.installation import demo_password
from hygie.kernel.database.session import connect
from hygie.testing.database import ScratchServer
from hygie.testing.real_server import real_server, system_binaries

ROWS = 1000


def _fill(dsn: str) -> None:
    with connect(dsn, role=roles.OWNER) as session:
        session.execute("CREATE TABLE hygie.counted (n int PRIMARY KEY, text text)")
        session.execute(
            "INSERT INTO hygie.counted SELECT n, 'été ' || n FROM generate_series(1, %s) n", (ROWS,)
        )


def _count(dsn: str) -> tuple[object, ...] | None:
    with connect(dsn, role=roles.OWNER) as session:
        return session.execute("SELECT count(*), sum(n), max(text) FROM hygie.counted").fetchone()


@dataclass(frozen=True)
class BackedUp:
    data: Path
    backup: Path
    digest: bytes


@pytest.fixture(scope="module")
def backed_up() -> Iterator[BackedUp]:
    """Give a data folder with rows and a blob, and its backup; tests leave both as they are."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("HYGIE_DATABASE_URL", raising=False)
        folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
        data = folder / "data"
        with server.running(Settings(data=data)) as ready:
            _fill(ready.dsn)
            digest = BlobStore(folders.blobs(data)).put(secrets.token_bytes(100_000))
            demo_password(data)
            assert main(["backup", str(folder / "backup"), "--data", str(data)]) == 0
        yield BackedUp(data, folder / "backup", digest)
        shutil.rmtree(folder)


@contextlib.contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Change one byte in the middle of a file for the length of a block."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    yield
    path.write_bytes(content)


def test_an_empty_machine_comes_back(backed_up: BackedUp, folder: Path, hygie: Hygie) -> None:
    code, _, err = hygie("restore", backed_up.backup, "--data", folder / "new")
    assert (code, err) == (0, "")
    with server.running(Settings(data=folder / "new")) as ready:
        assert _count(ready.dsn) == (ROWS, ROWS * (ROWS + 1) // 2, f"été {ROWS - 1}")
    before, after = (BlobStore(folders.blobs(each)) for each in (backed_up.data, folder / "new"))
    assert after.get(backed_up.digest) == before.get(backed_up.digest)
    assert demo_password(folder / "new") == demo_password(backed_up.data)


def test_a_backup_is_for_its_owner_only(backed_up: BackedUp) -> None:
    assert backed_up.backup.stat().st_mode & 0o077 == 0


def test_a_damaged_blob_is_noticed(backed_up: BackedUp, folder: Path, hygie: Hygie) -> None:
    (blob,) = [path for path in (backed_up.backup / "blobs").rglob("*") if path.is_file()]
    with damaged(blob):
        code, _, err = hygie("restore", backed_up.backup, "--data", folder / "new")
    assert (code, "missing or damaged" in err) == (1, True)


def test_a_damaged_database_file_is_noticed(
    backed_up: BackedUp, folder: Path, hygie: Hygie
) -> None:
    files = (backed_up.backup / "postgres" / "base").rglob("*")
    with damaged(max(files, key=lambda path: path.stat().st_size)):
        code, _, err = hygie("restore", backed_up.backup, "--data", folder / "new")
    assert (code, "pg_verifybackup failed" in err) == (1, True)


def test_an_interrupted_backup_is_refused(folder: Path, hygie: Hygie) -> None:
    (folder / "backup" / "postgres").mkdir(parents=True)
    code, _, err = hygie("restore", folder / "backup", "--data", folder / "new")
    assert (code, "is not a complete backup" in err) == (1, True)


def test_nothing_is_restored_over_data(backed_up: BackedUp, hygie: Hygie) -> None:
    code, _, err = hygie("restore", backed_up.backup, "--data", backed_up.data)
    assert (code, "is not empty" in err) == (1, True)


def test_nothing_is_backed_up_over_files(folder: Path, hygie: Hygie) -> None:
    (folder / "file").touch()
    code, _, err = hygie("backup", folder, "--data", folder / "data")
    assert (code, "a folder of its own" in err) == (1, True)


def test_the_manifest_names_every_file(backed_up: BackedUp) -> None:
    manifest = json.loads((backed_up.backup / "manifest.json").read_text())
    inside = {
        str(p.relative_to(backed_up.backup)) for p in backed_up.backup.rglob("*") if p.is_file()
    }
    outside_postgres = {name for name in inside if not name.startswith("postgres/")}
    assert set(manifest["files"]) == outside_postgres - {"manifest.json"}


@pytest.fixture
def real(folder: Path) -> Iterator[ScratchServer]:
    programs = system_binaries()
    if programs is None:
        pytest.skip("the system has no PostgreSQL: apt-get install postgresql")
    with real_server(programs) as url:
        yield ScratchServer(dsn=url, admin_dsn=url, folder=folder)


def test_a_real_server_is_dumped_and_restored(
    real: ScratchServer, folder: Path, hygie: Hygie, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = real.create(migrated=False), real.create(migrated=False)
    monkeypatch.setenv("HYGIE_DATABASE_URL", old.dsn)
    with server.running(old.settings) as ready:
        _fill(ready.dsn)
    assert hygie("backup", folder / "backup", "--data", old.settings.data)[0] == 0
    monkeypatch.setenv("HYGIE_DATABASE_URL", new.dsn)
    assert hygie("restore", folder / "backup", "--data", folder / "new")[0] == 0
    assert _count(new.dsn) == _count(old.dsn)
    real.drop_all()


def test_the_two_kinds_of_backup_are_not_mixed(
    backed_up: BackedUp,
    folder: Path,
    hygie: Hygie,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HYGIE_DATABASE_URL", "postgresql://nobody@/nothing?host=/nonexistent")
    code, _, err = hygie("restore", backed_up.backup, "--data", folder / "new")
    assert (code, "without HYGIE_DATABASE_URL" in err) == (1, True)
