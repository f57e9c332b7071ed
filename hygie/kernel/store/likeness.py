"""Names of the directory that are like what somebody typed: accents and misspellings forgiven.

Directory types only: they hold no patient. What is found is a list of ids to be searched again
under the rules, which decide and trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.store.directory import directory_types
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.search.strings import like, starts_with

if TYPE_CHECKING:
    from hygie.kernel.store.visits import Visit

MOST_WORDS = 5
LONGEST = 100
SHORTEST = 2
"""Letters of a word that says something."""
FORGIVEN = 4
"""Letters from which a word may be misspelt: of fewer, every other name would be like it."""
CLOSE = 0.4
"""Trigram word similarity from which a misspelt word still matches."""
_TITLES = frozenset({"dr", "docteur", "doctor", "pr", "professeur", "m", "mme"})
LOOKS = (0.5, 0.3)
"""Likeness, over any part of a name, from which the index gives it to be compared: the second
look, ten times longer, finds names written in one word. Each is for when nothing was found."""


async def names_like(
    visit: Visit, rt: str, text: str, *, most: int, forgiving: bool = True
) -> list[str]:
    """Return the ids of a directory type whose ``name`` is like a text, the best fit first.

    Every word must begin a word of the name; where no name is so, and ``forgiving``, be like one.
    Titles (``Dr``) count for nothing. At most ``most`` ids: as many as that means that there may
    be more.

    Raises:
        InvalidRequest: the text is too long, or no word of it has two letters.
        ValueError: the type may hold patients.
    """
    if rt not in directory_types():
        raise ValueError(f"{rt} is no directory type: its names are searched under the rules")
    if len(text) > LONGEST:
        raise InvalidRequest(f"The search is longer than {LONGEST} characters.")
    words = words_of(text)
    if not words:
        raise InvalidRequest(f"Type at least {SHORTEST} letters of the name.")
    statement, values = _statement(rt, words, most, near=False)
    rows = await visit.connection.fetch(statement, *values)
    looks = LOOKS if forgiving and any(len(word) >= FORGIVEN for word in words) else ()
    for look in looks:
        if not rows:
            threshold = f"SET LOCAL pg_trgm.word_similarity_threshold = {look}"
            await visit.connection.execute(threshold)
            statement, values = _statement(rt, words, most, near=True)
            rows = await visit.connection.fetch(statement, *values)
    return [id_of(row["uid"], row["rid"]) for row in rows]


def words_of(text: str) -> list[str]:
    """Return the words of a name that are searched.

    >>> words_of("Dr Hélène LE GOFF")
    ['helene', 'le', 'goff']
    """
    found = [word for word in fold(text).split() if word not in _TITLES and len(word) >= SHORTEST]
    return found[:MOST_WORDS]


def _statement(rt: str, words: list[str], most: int, *, near: bool) -> tuple[str, list[object]]:
    sql = Sql()
    param = f"{parameters(rt)['name'].number}::smallint"
    parts = [
        f"w{place} AS MATERIALIZED ({_word(sql, word, param, near=near)})"
        for place, word in enumerate(words)
    ]
    joined = "w0" + "".join(f" JOIN w{place} USING (part, key)" for place in range(1, len(words)))
    score = " + ".join(f"w{place}.score" for place in range(len(words)))
    statement = (
        f"WITH {', '.join(parts)} SELECT k.uid, k.rid FROM {joined} "
        "JOIN resource_key k USING (part, key) WHERE NOT k.deleted "
        f"ORDER BY {score} DESC, k.key LIMIT {most}"
    )
    return statement, sql.values


def _word(sql: Sql, word: str, param: str, *, near: bool) -> str:
    """Return the names that one word is like: 1 where a word of the name starts with it.

    A name of several words is also read as one: "legof" is close to "le goff".
    """
    head, asked = starts_with(sql, word), sql.bind(word)
    inside = f"s.norm LIKE {sql.bind(f'% {like(word)}%')}"
    close = f" OR {asked}::text <% s.norm" if near and len(word) >= FORGIVEN else ""
    score = (
        f"max(CASE WHEN {head} OR {inside} THEN 1.0 "
        f"ELSE greatest(strict_word_similarity({asked}, s.norm), "
        f"similarity({asked}, replace(s.norm, ' ', ''))) END)"
    )
    return (
        f"SELECT s.part, s.key, {score} AS score FROM s_string s "
        f"WHERE s.param = {param} AND ({head} OR {inside}{close}) "
        f"GROUP BY s.part, s.key HAVING {score} >= {CLOSE}"
    )
