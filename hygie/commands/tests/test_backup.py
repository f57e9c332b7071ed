from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hygie.__main__ import main
from hygie.commands import archive
from hygie.commands.tests.conftest import Hygie
from hygie.kernel.config import Settings
from hygie.kernel.database import folders, roles, server
from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.database.installation import demo_password
from hygie.kernel.database.session import connect
from hygie.kernel.security.keys.recovery import load_or_draw, read_recovery
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

    @property
    def recovery(self) -> tuple[object, ...]:
        return "--recovery-key", self.data / "keys" / "recovery"


@pytest.fixture(scope="module")
def backed_up() -> Iterator[BackedUp]:
    """Give a data folder with rows and a blob, and its backup; tests leave both as they are."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("HYGIE_DATABASE_URL", raising=False)
        folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
        data = folder / "data"
        with server.running(Settings(data=data)) as ready:
            _fill(ready.dsn)
            digest = BlobStore(folders.blobs(data)).put(secrets.token_bytes(3_000_000))
            demo_password(data)
            assert main(["backup", str(folder / "backup"), "--data", str(data)]) == 0
        yield BackedUp(data, folder / "backup", digest)
        shutil.rmtree(folder)


@contextlib.contextmanager
def damaged(path: Path, place: float) -> Iterator[None]:
    """Flip one bit of a file, at a share of its length, for the length of a block."""

    def flip() -> None:
        with path.open("r+b") as stream:
            stream.seek(int(path.stat().st_size * place))
            byte = stream.read(1)[0]
            stream.seek(-1, 1)
            stream.write(bytes([byte ^ 1]))

    flip()
    yield
    flip()


def test_an_empty_machine_comes_back(backed_up: BackedUp, folder: Path, hygie: Hygie) -> None:
    code, out, err = hygie(
        "restore", backed_up.backup, *backed_up.recovery, "--data", folder / "new"
    )
    assert (code, err) == (0, "")
    assert "The erasure ledger is empty" in out
    with server.running(Settings(data=folder / "new")) as ready:
        assert _count(ready.dsn) == (ROWS, ROWS * (ROWS + 1) // 2, f"été {ROWS - 1}")
    before, after = (BlobStore(folders.blobs(each)) for each in (backed_up.data, folder / "new"))
    assert after.get(backed_up.digest) == before.get(backed_up.digest)
    assert demo_password(folder / "new") == demo_password(backed_up.data)


def test_a_backup_is_for_its_owner_only(backed_up: BackedUp) -> None:
    assert backed_up.backup.stat().st_mode & 0o077 == 0


def test_a_backup_holds_nothing_in_clear(backed_up: BackedUp) -> None:
    for name in ("data.hygie", "keys.hygie"):
        content = (backed_up.backup / name).read_bytes()
        assert f"été {ROWS - 1}".encode() not in content
        assert b"PG_VERSION" not in content
        assert demo_password(backed_up.data).encode() not in content


def test_nothing_of_a_backup_stays_on_the_machine_in_clear(backed_up: BackedUp) -> None:
    assert not list((backed_up.data / "run").glob("backup-*"))


@pytest.mark.parametrize("name", ["data.hygie", "keys.hygie"])
@pytest.mark.parametrize("place", [0.0, 0.001, 0.3, 0.7, 0.9999])
def test_a_flipped_bit_is_refused_and_nothing_is_left(
    backed_up: BackedUp, folder: Path, hygie: Hygie, name: str, place: float
) -> None:
    with damaged(backed_up.backup / name, place):
        code, _, err = hygie(
            "restore", backed_up.backup, *backed_up.recovery, "--data", folder / "new"
        )
    assert code == 1
    assert "damaged" in err or "not an archive" in err or "complete backup" in err
    assert not (folder / "new").exists() or not list((folder / "new").iterdir())


def test_a_backup_cut_short_is_refused(backed_up: BackedUp, folder: Path, hygie: Hygie) -> None:
    shutil.copytree(backed_up.backup, folder / "short")
    path = folder / "short" / "data.hygie"
    with path.open("r+b") as stream:
        header = stream.read(20)
        length = int.from_bytes(header[16:], "big")
        stream.truncate(20 + length + 2 * (1024 * 1024 + 16))
    code, _, err = hygie("restore", folder / "short", *backed_up.recovery, "--data", folder / "new")
    assert (code, "damaged or not whole" in err) == (1, True)


def test_a_damaged_copy_of_the_database_is_noticed_by_postgresql(
    backed_up: BackedUp, folder: Path, hygie: Hygie, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was damaged before it was encrypted."""
    unpack = archive.unpack

    def unpack_damaged(path: Path, place: Path, **keys: Any) -> None:
        unpack(path, place, **keys)
        for file in (place / "postgres").glob("base/*/PG_VERSION"):
            file.write_bytes(b"17\n")

    monkeypatch.setattr(archive, "unpack", unpack_damaged)
    code, _, err = hygie("restore", backed_up.backup, *backed_up.recovery, "--data", folder / "new")
    assert (code, "pg_verifybackup failed" in err) == (1, True)
    assert not list((folder / "new").iterdir())


def test_without_its_key_a_backup_says_which_one_opens_it(
    backed_up: BackedUp, folder: Path, hygie: Hygie
) -> None:
    code, _, err = hygie("restore", backed_up.backup, "--data", folder / "new")
    name = load_or_draw(backed_up.data).name
    assert (code, f"is opened by recovery key {name}" in err) == (1, True)


def test_another_recovery_key_does_not_open_it(
    backed_up: BackedUp, folder: Path, hygie: Hygie
) -> None:
    load_or_draw(folder / "other")
    other = folder / "other" / "keys" / "recovery"
    code, _, err = hygie(
        "restore", backed_up.backup, "--recovery-key", other, "--data", folder / "new"
    )
    assert (code, "is opened by recovery key" in err) == (1, True)


def test_a_recovery_key_typed_from_paper_opens_it(backed_up: BackedUp, tmp_path: Path) -> None:
    key = load_or_draw(backed_up.data)
    typed = tmp_path / "typed"
    typed.write_text(key.text.removeprefix("hygie-recovery-1 ").lower().replace("-", " "))
    assert read_recovery(typed).name == key.name


def test_the_two_archives_are_not_exchanged(
    backed_up: BackedUp, folder: Path, hygie: Hygie
) -> None:
    code, _, err = hygie(
        "restore", backed_up.backup, "--keys", backed_up.backup / "data.hygie",
        "--data", folder / "new",
    )  # fmt: skip
    assert (code, "were exchanged" in err) == (1, True)


def test_an_interrupted_backup_is_refused(folder: Path, hygie: Hygie) -> None:
    (folder / "backup").mkdir()
    (folder / "backup" / ".data.hygie.partial").touch()
    code, _, err = hygie("restore", folder / "backup", "--data", folder / "new")
    assert (code, "is not a complete backup" in err) == (1, True)


def test_nothing_is_restored_over_data(backed_up: BackedUp, hygie: Hygie) -> None:
    code, _, err = hygie("restore", backed_up.backup, "--data", backed_up.data)
    assert (code, "is not empty" in err) == (1, True)


def test_nothing_is_backed_up_over_files(folder: Path, hygie: Hygie) -> None:
    (folder / "file").touch()
    code, _, err = hygie("backup", folder, "--data", folder / "data")
    assert (code, "a folder of its own" in err) == (1, True)


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
    recovery = old.settings.data / "keys" / "recovery"
    restored = hygie(
        "restore", folder / "backup", "--recovery-key", recovery, "--data", folder / "new"
    )
    assert restored[0] == 0, restored
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
