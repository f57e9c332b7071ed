from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hygie.kernel.config import Settings
from hygie.kernel.database import leftovers, server
from hygie.kernel.database.process import servers_of
from hygie.kernel.database.session import connect
from hygie.supervisor.tests.served import Served


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("HYGIE_DATABASE_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
    yield folder / "data"
    leftovers.stop_servers(folder / "data" / "postgres")
    shutil.rmtree(folder)


@pytest.fixture
def served(data: Path) -> Iterator[Served]:
    started = Served(data)
    yield started
    if started.process.poll() is None:
        started.stop()


def test_it_starts_answers_and_stops_in_order_within_fifteen_seconds(served: Served) -> None:
    served.wait_until(200)
    children = served.children()
    assert served.stop(signal.SIGINT) < 15
    assert not any(child.is_running() for child in children)
    assert not list(served.data.glob("postgres/postmaster.pid"))


def test_the_reason_is_published_before_it_is_ready(served: Served) -> None:
    while served.health()[0] == 0:
        time.sleep(0.01)
    status, body = served.health()
    assert (status, bool(body["reason"])) in {(503, True), (200, False)}
    served.wait_until(200)


def test_a_second_start_on_the_same_folder_is_refused(served: Served) -> None:
    served.wait_until(200)
    second = Served(served.data)
    assert second.process.wait(20) != 0
    assert "already runs on" in second.output.read_text()
    assert served.health()[0] == 200


def test_a_second_start_on_the_same_port_is_refused(served: Served, tmp_path: Path) -> None:
    served.wait_until(200)
    second = Served(tmp_path / "other", port=served.port)
    assert second.process.wait(20) != 0
    assert "choose another with --port" in second.output.read_text()


def test_a_killed_database_comes_back(served: Served) -> None:
    served.wait_until(200)
    first = served.postmaster()
    first.kill()
    served.wait_until(503)
    served.wait_until(200)
    assert served.postmaster().pid != first.pid


def test_killed_serving_processes_come_back_and_their_orphans_are_collected(
    served: Served,
) -> None:
    served.wait_until(200)
    (master,) = [child for child in served.children() if "serving" in " ".join(child.cmdline()[:3])
                 and child.ppid() == served.process.pid]  # fmt: skip
    (worker,) = master.children()
    master.kill()
    psutil.wait_procs([master, worker], timeout=10)
    time.sleep(0.5)
    served.wait_until(200)
    assert worker.pid not in {child.pid for child in served.children()}
    assert psutil.STATUS_ZOMBIE not in {child.status() for child in served.children()}


def test_everything_ends_when_the_supervisor_alone_is_killed(served: Served) -> None:
    served.wait_until(200)
    children = served.children()
    served.process.kill()
    served.process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=pytest.mark.long)])
def test_data_survive_a_kill_of_everything(data: Path, rounds: int) -> None:
    dsn = server.admin_dsn(Settings(data=data))
    for number in range(rounds):
        served = Served(data)
        served.wait_until(200)
        with connect(dsn) as session:
            session.execute("CREATE TABLE IF NOT EXISTS public.kept (number int)")
            kept = session.execute("SELECT number FROM public.kept ORDER BY 1").fetchall()
            assert [row[0] for row in kept] == list(range(number))
            session.execute("INSERT INTO public.kept VALUES (%s)", (number,))
        served.kill_everything()


def test_ctrl_c_in_the_middle_of_the_start_is_clean(data: Path) -> None:
    for pause in (0.3, 0.6, 0.9):
        served = Served(data)
        time.sleep(pause)
        served.process.send_signal(signal.SIGINT)
        # Before Python listens to signals it ends with KeyboardInterrupt; after, with 0.
        assert served.process.wait(20) in {0, 1, -signal.SIGINT}
        assert not list(servers_of(data / "postgres"))
    last = Served(data)
    last.wait_until(200)
    last.stop()
