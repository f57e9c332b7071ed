"""The simulators on a port of their own, for tests; the browser and our client reach them there."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hygie.testing.ports import free_port, wait_for
from hygie.testing.simulators import Simulators, described
from hygie.testing.simulators.people import (
    Activity,
    Citizen,
    Exercise,
    Professional,
    write_people,
)

CABINET, HOSPITAL = (
    Activity(finess="410000012", name="Cabinet de la Loire", sector="SA07"),
    Activity(finess="410000020", name="Hôpital de Blois", sector="SA01"),
)
CITIZENS = (
    Citizen(
        key="jeanne",
        family="Brun-Été",
        given="Jeanne Marie-Lou",
        birth_date="1971-03-09",
        gender="female",
        birth_place="41018",
        ins="271034101800130",
    ),
    Citizen(
        key="dominique",
        family="Santini",
        given="Dominique",
        birth_date="1960-01-01",
        gender="male",
        birth_place="2A004",
    ),
    Citizen(
        key="nobody",
        family="Personne",
        given="Ulysse",
        birth_date="1980-02-02",
        gender="male",
        birth_place="",
        birth_country="99126",
    ),
)
PROFESSIONALS = (
    Professional(
        key="iris",
        family="Faure",
        given="Iris",
        national_id="810000000017",
        rpps="10000000017",
        exercises=(Exercise(profession="10", specialty="SM54", activities=(CABINET, HOSPITAL)),),
    ),
    Professional(
        key="unknown",
        family="Inconnu",
        given="Jean",
        national_id="810000000025",
        rpps="10000000025",
        exercises=(Exercise(profession="60", activities=(CABINET,)),),
    ),
)


class Outside:
    """The running simulators. ``base`` is where they answer, ``folder`` where they keep things."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.simulators = Simulators(folder, self.base)
        self.forget()

    def forget(self) -> None:
        """List the usual people again, switch every fault off, end what had begun."""
        write_people(self.folder / "people.json", CITIZENS, PROFESSIONALS)
        for one in self.simulators.by_name.values():
            one.faults.clear()
            one.drawer.empty()

    def described(self) -> str:
        """Return what makes Hygie their client."""
        return described(self.folder, self.base)


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    """Serve the simulators with the product's own server, in a thread of their own."""
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.server.embed import Server  # noqa: PLC0415

    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hygie-simulators-") as folder:
        running = Outside(Path(folder), port)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="simulators", daemon=True)
        thread.start()
        server = Server(
            running.simulators, address="127.0.0.1", port=port, interface=Interfaces.ASGINL
        )
        serving = asyncio.run_coroutine_threadsafe(server.serve(), loop)
        wait_for(port)
        yield running
        loop.call_soon_threadsafe(server.stop)
        serving.result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
