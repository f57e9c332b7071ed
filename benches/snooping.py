"""Who looks without a reason: precision in the daily list and recall in seven days.

    python benches/snooping.py [SEED...]

Generates regions with planted snooping (hygie.testing.snooping), scores each day as the daily job
does, and prints for every seed the precision of the daily list of 20 and the share of planted
cases listed within 7 days, beside three detectors of the same budget in the same run: volume of
the professional, flags alone, no appointment. Seeds 1 to 3 were used for tuning; the others never.
With ``--speed`` it scores one day of 200,000 accesses instead.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.domains.oversight.model.tables import Weights, weights
from hygie.domains.oversight.service import scoring
from hygie.testing.database import ScratchDatabase, ScratchServer, embedded_server
from hygie.testing.snooping import Access, Traces, generate

if TYPE_CHECKING:
    from asyncpg import Connection

TUNED = (1, 2, 3)
HELD_OUT = (101, 102, 103, 104, 105)
BUDGET, WINDOW = 20, 7
Pair = tuple[int, int]
_LISTED = """
INSERT INTO oversight_item (kind, day, due, trace_at, trace, party, agent, pat, initials, looks,
  types, rule, score, reasons)
SELECT 1, $1, $1, $2, $3, $4, '', $5, '', 1, '{}', '', 0, '{}'
"""


@dataclass(slots=True)
class Outcome:
    """What a detector listed on each day."""

    lists: dict[date, list[Pair]] = field(default_factory=dict)

    def precision(self, planted: dict[Pair, set[date]], days: tuple[date, ...]) -> float:
        """Return the share of listed pairs that snooped in the window before their listing."""
        shown = [(day, pair) for day in days for pair in self.lists.get(day, ())]
        return sum(_is_planted(planted, pair, day) for day, pair in shown) / max(len(shown), 1)

    def recall(self, cases: dict[tuple[int, date], set[Pair]], days: tuple[date, ...]) -> float:
        """Return the share of cases of which a pair was listed in the window after the day."""
        judged = [(day, pairs) for (_, day), pairs in cases.items() if day <= _last(days)]
        return sum(self.caught(pairs, day) for day, pairs in judged) / max(len(judged), 1)

    def caught(self, pairs: set[Pair], day: date) -> bool:
        """Tell whether a case of a day is under review within the window.

        An item still open from the days before gathers what the same person does again.
        """
        around = (day + timedelta(days=shift) for shift in range(1 - WINDOW, WINDOW))
        return any(pairs & set(self.lists.get(one, ())) for one in around)


def _is_planted(planted: dict[Pair, set[date]], pair: Pair, day: date) -> bool:
    days = planted.get(pair, set())
    return any(day - timedelta(days=back) in days for back in range(WINDOW))


def _last(days: tuple[date, ...]) -> date:
    """Return the last day whose window is complete."""
    return days[-1] - timedelta(days=WINDOW - 1)


@dataclass(slots=True)
class Region:
    """The traces of a seed, by day."""

    traces: Traces
    accesses: dict[date, list[Access]] = field(default_factory=lambda: defaultdict(list))
    acts: list[tuple[int, int, str, date, date]] = field(default_factory=list)
    planted: dict[Pair, set[date]] = field(default_factory=lambda: defaultdict(set))
    cases: dict[tuple[int, date], set[Pair]] = field(default_factory=lambda: defaultdict(set))
    patterns: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the rows by day."""
        for one in self.traces.accesses:
            day = one.at.date()
            self.accesses[day].append(one)
            if one.wrote:
                self.acts.append((one.party, one.pat, "act", day, day))
            if one.case:
                self.planted[one.party, one.pat].add(day)
                self.cases[one.case, day].add((one.party, one.pat))
                self.patterns[one.case] = one.pattern


async def lay_out(connection: Connection, region: Region, day: date) -> None:
    """Fill the tables of a day with what is known at its end."""
    await scoring.open_day(connection)
    await connection.copy_records_to_table("seen", records=_seen(region.accesses[day]))
    sides = {(one.member, one.member, "self") for one in region.traces.practices}
    for one in region.traces.practices:
        if one.structure:
            sides.add((one.member, one.structure, "structure"))
        if one.principal:
            sides.add((one.member, one.principal, "principal"))
    await connection.copy_records_to_table("side", records=list(sides))
    # At the end of the day only appointments tell of what is to come.
    await connection.execute(
        "INSERT INTO tie SELECT * FROM known_tie "
        "WHERE starts <= $1 OR kind = 'appointment' AND starts <= $1 + 14",
        day,
    )
    await connection.execute("INSERT INTO who SELECT * FROM known_who")


def _seen(accesses: list[Access]) -> list[tuple[int, int, datetime, int, int, int]]:
    pairs: dict[Pair, list[Access]] = defaultdict(list)
    for one in accesses:
        pairs[one.party, one.pat].append(one)
    rows = []
    for number, ((party, pat), looks) in enumerate(pairs.items()):
        hours = 0
        for one in looks:
            hours |= 1 << one.at.hour
        rows.append((party, pat, looks[0].at, number, len(looks), hours))
    return rows


async def keep_known(connection: Connection, region: Region) -> None:
    """Load what the establishment recorded of the whole period."""
    await connection.execute(
        "CREATE TEMPORARY TABLE known_tie (party integer, pat integer, kind text, starts date,"
        " ends date);"
        "CREATE TEMPORARY TABLE known_who (party integer, families text[], givens text[],"
        " birth date, postal text, line text)"
    )
    ties = [(one.party, one.pat, one.kind, one.starts, one.ends) for one in region.traces.ties]
    await connection.copy_records_to_table("known_tie", records=[*ties, *region.acts])
    people = [
        (one.party, [one.family], [one.given], one.birth, one.postal, one.line)
        for one in region.traces.residents
    ]
    await connection.copy_records_to_table("known_who", records=people)
    await connection.execute("CREATE INDEX ON known_tie (starts); ANALYZE known_tie")
    await connection.execute("SET hygie.system = 'on'")
    await connection.executemany(
        "INSERT INTO oversight_protected (pat, by, reason) VALUES ($1, 'bench', 'known')",
        [(pat,) for pat in region.traces.protected],
    )


async def detect(
    database: ScratchDatabase, region: Region, weigh: Callable[[date], Weights]
) -> tuple[Outcome, list[float]]:
    """Score every day as the job does; return the lists and the seconds each day took."""
    outcome, seconds = Outcome(), []
    async with database.open(size=1) as pool, pool.connection() as connection:
        await keep_known(connection, region)
        for day in region.traces.days:
            async with connection.transaction():
                await lay_out(connection, region, day)
                begun = time.perf_counter()
                await scoring.score(connection, day, weigh(day))
                rows = await scoring.choose(connection, day, weigh(day))
                seconds.append(time.perf_counter() - begun)
                outcome.lists[day] = [(row["party"], row["pat"]) for row in rows]
                await connection.executemany(
                    _LISTED,
                    [(r["day"], r["first"], r["trace"], r["party"], r["pat"]) for r in rows],
                )
                await scoring.forget(connection, day, weigh(day))
    return outcome, seconds


OF_PEOPLE = ("same-name", "household", "neighbour", "colleague", "colleague-child", "protected")


def flags_alone(day: date) -> Weights:
    """Return weights without any explanation, and with the flags about people only.

    The others count what is unexplained, and would only weaken this baseline.
    """
    held = weights(day)
    return replace(held, explanations={}, flags={(code,): held.flags[code,] for code in OF_PEOPLE})


def no_appointment(day: date) -> Weights:
    """Return weights that know appointments and nothing else: what has none is listed."""
    held = weights(day)
    known = {key: one for key, one in held.explanations.items() if key[0] == "appointment"}
    numbers = {**held.numbers, ("threshold",): 0.5}
    return replace(held, explanations=known, flags={}, numbers=numbers)


def by_volume(region: Region) -> Outcome:
    """List the pairs of those who opened most records against their own mean."""
    outcome = Outcome()
    past: dict[int, list[int]] = defaultdict(list)
    for day in region.traces.days:
        opened: dict[int, set[int]] = defaultdict(set)
        for one in region.accesses[day]:
            opened[one.party].add(one.pat)
        ratio = {
            party: len(pats) / (sum(past[party]) / len(past[party]))
            for party, pats in opened.items()
            if past[party]
        }
        busiest = sorted(ratio, key=lambda party: -ratio[party])
        pairs = [(party, pat) for party in busiest for pat in sorted(opened[party])[:3]]
        outcome.lists[day] = pairs[:BUDGET]
        for party, pats in opened.items():
            past[party].append(len(pats))
    return outcome


async def judge(server: ScratchServer, seed: int) -> tuple[float, float]:
    """Run every detector on one seed and print a line for each; return those of ours."""
    region = Region(generate(seed))
    days = region.traces.judged
    ours, seconds = await detect(server.create(), region, weights)
    outcomes = {"Hygie": ours, "volume alone": by_volume(region)}
    for name, weigh in (("flags alone", flags_alone), ("no appointment", no_appointment)):
        outcomes[name] = (await detect(server.create(), region, weigh))[0]
    pairs = sum(len(_seen(region.accesses[day])) for day in days) / len(days)
    print(
        f"seed {seed} ({'tuned on' if seed in TUNED else 'held out'}): {pairs:,.0f} pairs a day, "
        f"{len(region.cases) / len(days):.1f} planted; {sum(seconds) / len(seconds):.3f} s a day"
    )
    for name, outcome in outcomes.items():
        precision = outcome.precision(region.planted, days)
        recall = outcome.recall(region.cases, days)
        print(f"  {name:15} precision@{BUDGET} {precision:6.1%}   recall in 7 days {recall:6.1%}")
    for line in patterns(region, ours):
        print(line)
    return ours.precision(region.planted, days), ours.recall(region.cases, days)


def patterns(region: Region, outcome: Outcome) -> list[str]:
    """Return the recall of each planted pattern."""
    judged = [(case, day) for case, day in region.cases if day <= _last(region.traces.judged)]
    every = Counter(region.patterns[case] for case, _ in judged)
    caught = Counter(
        region.patterns[case]
        for case, day in judged
        if outcome.caught(region.cases[case, day], day)
    )
    each = [f"{name} {caught[name]}/{count}" for name, count in sorted(every.items())]
    return [f"    caught: {', '.join(each)}"]


def main() -> None:
    """Judge the seeds on a server of its own."""
    seeds = [int(text) for text in sys.argv[1:]] or [*TUNED, *HELD_OUT]
    with (
        tempfile.TemporaryDirectory(prefix="hygie-bench-") as name,
        embedded_server(Path(name)) as server,
    ):
        figures = {seed: asyncio.run(judge(server, seed)) for seed in seeds}
    for kind, chosen in (("tuned on", TUNED), ("held out", HELD_OUT)):
        kept = [figures[seed] for seed in seeds if seed in chosen]
        if kept:
            precision, recall = (sum(one) / len(kept) for one in zip(*kept, strict=True))
            print(f"{kind}: precision@{BUDGET} {precision:.1%}, recall in 7 days {recall:.1%}")


if __name__ == "__main__":
    main()
