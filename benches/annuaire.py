"""Import and search of the annuaire on this machine: lines a second, milliseconds a search.

``python benches/annuaire.py [PEOPLE]`` makes an extraction of invented people (100,000 by default),
imports it twice into a database of its own, and searches it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import quantiles

from hygie.app import compose
from hygie.domains.annuaire.model.nomenclature import columns, professions, specialties
from hygie.domains.annuaire.model.places import communes
from hygie.domains.annuaire.service.asking import Asked
from hygie.domains.annuaire.service.extractions import Reading
from hygie.domains.annuaire.service.finding import find
from hygie.domains.annuaire.service.importing import Wish, import_extraction
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository, open_repository

PEOPLE = 100_000
SEARCHES = 60
DAY = date(2026, 11, 1)
GIVEN = ("Marie", "Jean", "Hélène", "Louis", "Zoé", "Paul", "Inès", "Hugo", "Léa", "Émile", "Noé")
SOUNDS = (
    *("ber", "mar", "tin", "le", "du", "goff", "rou", "vau", "cha", "lan", "pet"),
    *("vid", "ger", "ric", "mon", "bel", "fon", "tai", "nel", "dra", "sou", "ret"),
)
READER = Caller(Kind.PATIENT, 0, "Patient/nobody", purpose="PATRQT")


def write(path: Path, people: int) -> None:
    """Write an activities extraction of invented people, one place of practice each."""
    rng = random.Random(31)
    heads = {field: head for field, (head, _) in columns("activities", at=DAY).items()}
    towns = rng.sample(list(communes().values()), 3_000)
    codes, skills = list(professions("fr")), [c for c in specialties() if c.startswith("SM")]
    with path.open("w", encoding="utf-8") as file:
        file.write("|".join(heads.values()) + "\n")
        for number in range(people):
            town = towns[int(len(towns) * rng.random() ** 3)]
            code = "10" if number % 4 == 0 else rng.choice(codes)
            row = {
                "type": "8",
                "number": f"1{number:010}",
                "national_id": f"81{number:010}",
                "family": "".join(rng.choices(SOUNDS, k=rng.randint(2, 4))).upper(),
                "given": rng.choice(GIVEN),
                "profession": code,
                "skill": rng.choice(skills) if code == "10" else "",
                "mode": "L",
                "structure": f"C{number // 3:011}",
                "name": f"CABINET {number // 3}",
                "postal_code": town.postal_codes[0],
                "insee": town.insee,
                "city": town.name,
                "sector": "SA08",
            }
            file.write("|".join(row.get(field, "") for field in heads) + "\n")


async def measure(settings: Settings, path: Path) -> None:
    """Import twice, then search."""
    repository = await open_repository(settings, law=compose(settings).law)
    began = time.perf_counter()
    with path.open(encoding="utf-8") as file:
        lines = sum(len(one.activities) for one in Reading(lambda _: None, DAY).people(file))
    print(f"baseline, reading alone: {lines / (time.perf_counter() - began):.0f} lines/s")
    try:
        for name in ("first import", "same file again"):
            began, cpu = time.perf_counter(), time.process_time()
            outcome = await import_extraction(repository, Wish(path, DAY), tell=lambda _: None)
            spent = time.perf_counter() - began
            each = (time.process_time() - cpu) / outcome.lines * 1e6
            print(
                f"{name}: {outcome.lines} lines in {spent:.1f} s, {outcome.lines / spent:.0f}/s, "
                f"{each:.0f} µs of CPU each beside the database's"
            )
        await searches(repository)
    finally:
        await repository.database.close()


async def searches(repository: Repository) -> None:
    """Print the median and the 95th percentile of each kind of question."""
    rng = random.Random(7)
    towns = [one.name for one in rng.sample(list(communes().values()), SEARCHES)]
    kinds: dict[str, Callable[[], Asked]] = {
        "name": lambda: Asked(text="".join(rng.choices(SOUNDS, k=3))),
        "misspelt name": lambda: Asked(
            text="x".join(rng.choices(SOUNDS, k=2)) + rng.choice(SOUNDS)
        ),
        "name and first name": lambda: Asked(
            text=f"{rng.choice(GIVEN)} {''.join(rng.choices(SOUNDS, k=2))}"
        ),
        "name and profession": lambda: Asked(
            text="".join(rng.choices(SOUNDS, k=2)), profession="10"
        ),
        "profession and place": lambda: Asked(profession="10", place=rng.choice(towns)),
        "specialty": lambda: Asked(specialty="cardiologue"),
    }
    for name, make in kinds.items():
        spent: list[float] = []
        for _ in range(SEARCHES):
            asked = make()
            began = time.perf_counter()
            async with repository.visit(READER) as visit:
                await find(visit, asked, language="fr", on=DAY)
            spent.append((time.perf_counter() - began) * 1000)
        _tell(name, spent)
    spent = []
    for _ in range(SEARCHES):
        began = time.perf_counter()
        query = [("name", rng.choice(SOUNDS)), ("_count", "20"), ("_total", "none")]
        await repository.search(READER, "Practitioner", query)
        spent.append((time.perf_counter() - began) * 1000)
    _tell("baseline, FHIR search by the beginning of a name", spent)


def _tell(name: str, spent: list[float]) -> None:
    cuts = quantiles(spent, n=20)
    print(f"{name}: median {cuts[9]:.0f} ms, 95th percentile {cuts[18]:.0f} ms")


def main() -> None:
    """Run on a data folder that is thrown away."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "activities.txt"
        write(path, people)
        settings = Settings(data=Path(folder) / "data")
        with server.running(settings):
            asyncio.run(measure(settings, path))


if __name__ == "__main__":
    main()
