"""How a day of accesses is scored: explanations first, then flags on what stays unexplained.

Statements over four temporary tables that hold the day (:data:`DAY`), and over the habits of the
days before. Nothing is looked at row by row: a day of a large hospital is a few joins.

The score of a professional and a record is ``(1 - e1)(1 - e2)... * f1 * f2...``: what no
explanation covers, multiplied by each flag. Why this order: explanations account for almost every
access (PMC3555324), while flags by themselves drown the reviewers (PMC5977720).
"""

from __future__ import annotations

DAY = """
-- Who opened which record that day.
CREATE TEMPORARY TABLE seen (
  party integer NOT NULL,
  pat   integer NOT NULL,
  first timestamptz NOT NULL,
  trace bigint NOT NULL,
  looks integer NOT NULL,
  hours integer NOT NULL          -- bit n: between n and n + 1, local time
) ON COMMIT DROP;
-- Through whom a professional may have had a reason: oneself, a principal, a structure.
CREATE TEMPORARY TABLE side (
  party   integer NOT NULL,
  other   integer NOT NULL,
  through text NOT NULL
) ON COMMIT DROP;
-- What is recorded between them and a patient, from a day to a day.
CREATE TEMPORARY TABLE tie (
  party  integer NOT NULL,
  pat    integer NOT NULL,
  kind   text NOT NULL,
  starts date NOT NULL,
  ends   date NOT NULL
) ON COMMIT DROP;
-- Who the professionals and the patients are, folded; empty or null where it is not known.
CREATE TEMPORARY TABLE who (
  party    integer NOT NULL,
  families text[] NOT NULL,       -- at birth, in use
  givens   text[] NOT NULL,
  birth    date,
  postal   text NOT NULL,
  line     text NOT NULL,           -- "12 rue des lilas"
  street   text GENERATED ALWAYS AS
    (ltrim(regexp_replace(line, '^[0-9]+ *(bis|ter|quater)?', ''))) STORED
) ON COMMIT DROP;
"""

READY = """
-- What one writes speaks for the others of one's structure too, less.
INSERT INTO tie
SELECT DISTINCT side.other, tie.pat, tie.kind, tie.starts, tie.ends
FROM tie JOIN side ON side.party = tie.party AND side.through = 'structure'
WHERE tie.kind = 'act';
CREATE INDEX ON seen (party);
CREATE INDEX ON tie (pat, party);
CREATE INDEX ON who (party);
ANALYZE seen, side, tie, who
"""

EXPLAIN = """
CREATE TEMPORARY TABLE opened ON COMMIT DROP AS
WITH reason AS (
  SELECT s.party, s.pat, w.code, max(w.weight) AS weight
  FROM seen s
  JOIN side ON side.party = s.party
  JOIN tie ON tie.pat = s.pat AND tie.party = side.other
  JOIN unnest({codes}::text[], {throughs}::text[], {weights}::float8[], {befores}::integer[],
    {afters}::integer[]) AS w (code, through, weight, before, after)
    ON w.code = tie.kind AND w.through = side.through
   AND {day}::date BETWEEN tie.starts - w.before AND tie.ends + w.after
  GROUP BY s.party, s.pat, w.code
), explained AS (
  SELECT party, pat, exp(sum(ln(1 - weight))) AS rest FROM reason GROUP BY party, pat
)
SELECT s.*, coalesce(e.rest, 1) AS rest
FROM seen s LEFT JOIN explained e USING (party, pat)
"""

OPENED = """
CREATE INDEX ON opened (party, pat);
ANALYZE opened
"""

KEEP_HABITS = """
INSERT INTO oversight_habit (party, day, patients, unexplained, hours)
SELECT party, {day}::date, count(*), count(*) FILTER (WHERE rest >= {unexplained}::float8),
  bit_or(hours)
FROM opened GROUP BY party
ON CONFLICT (party, day) DO NOTHING
"""

KEEP_LOOKS = """
INSERT INTO oversight_look (pat, party, day)
SELECT pat, party, {day}::date FROM opened WHERE rest >= {unexplained}::float8
ON CONFLICT (pat, party, day) DO NOTHING
"""

# Every flag is (party, pat, code, count); people are compared only where something is unexplained.
RAISE = """
CREATE TEMPORARY TABLE raised ON COMMIT DROP AS
WITH open AS MATERIALIZED (
  SELECT party, pat, hours FROM opened WHERE rest >= {least}::float8
), reader AS MATERIALIZED (
  SELECT o.party, o.pat, r.families, r.postal, r.line, r.street
  FROM open o JOIN who r ON r.party = o.party
), pair AS MATERIALIZED (
  SELECT r.party, r.pat, r.families && p.families AS namesake,
    r.postal <> '' AND r.line <> '' AND r.postal = p.postal AND r.line = p.line AS together,
    r.postal <> '' AND r.street <> '' AND r.postal = p.postal AND r.street = p.street AS near
  FROM reader r JOIN who p ON p.party = r.pat
), habit AS MATERIALIZED (
  SELECT h.party, count(*) AS days, avg(h.unexplained) AS usual,
    coalesce(stddev_samp(h.unexplained), 0) AS spread, array_agg(h.hours) AS hours
  FROM oversight_habit h
  WHERE h.day >= {day}::date - {history}::integer AND h.day < {day}::date
    AND h.party IN (SELECT party FROM open)
  GROUP BY h.party
), colleague AS MATERIALIZED (
  -- The record of somebody who works where the reader does.
  SELECT DISTINCT mine.party, theirs.party AS worker
  FROM side mine JOIN side theirs ON theirs.other = mine.other AND theirs.party <> mine.party
  WHERE mine.through = 'structure' AND theirs.through = 'structure'
    AND mine.party IN (SELECT party FROM open)
), staff AS MATERIALIZED (
  SELECT c.party, w.families, w.givens, w.birth, w.postal, w.line
  FROM colleague c JOIN who w ON w.party = c.worker
), flag AS (
  SELECT party, pat, 'same-name' AS code, 1 AS count FROM pair WHERE namesake
  UNION ALL SELECT party, pat, 'household', 1 FROM pair WHERE together
  UNION ALL SELECT party, pat, 'neighbour', 1 FROM pair WHERE near AND NOT together
  UNION ALL
  SELECT DISTINCT o.party, o.pat, 'colleague', 1
  FROM open o JOIN who p ON p.party = o.pat
  JOIN staff s ON s.party = o.party AND s.families && p.families AND s.givens && p.givens
   AND coalesce(s.birth = p.birth, s.postal = p.postal OR s.postal = '')
  UNION ALL
  SELECT DISTINCT o.party, o.pat, 'colleague-child', 1
  FROM open o JOIN who p ON p.party = o.pat
  JOIN staff s ON s.party = o.party AND s.postal = p.postal AND s.line = p.line
  WHERE p.line <> '' AND p.birth > {day}::date - interval '18 years'
  UNION ALL
  SELECT o.party, o.pat, 'protected', 1 FROM open o JOIN oversight_protected USING (pat)
  UNION ALL
  SELECT o.party, o.pat, 'repeated', count(*)
  FROM open o JOIN oversight_look l USING (party, pat)
  WHERE l.day >= {day}::date - {history}::integer AND l.day < {day}::date
  GROUP BY o.party, o.pat
  UNION ALL
  -- From how many structures: a whole ward at a bedside whose stay nobody recorded is no crowd.
  SELECT o.party, o.pat, 'crowd', count(DISTINCT coalesce(s.other, l.party))
  FROM open o JOIN oversight_look l ON l.pat = o.pat
  LEFT JOIN side s ON s.party = l.party AND s.through = 'structure'
  WHERE l.day > {day}::date - 3 AND l.day <= {day}::date
  GROUP BY o.party, o.pat
  UNION ALL
  SELECT o.party, o.pat, 'former', 1
  FROM open o JOIN tie t ON t.pat = o.pat AND t.party = o.party
  WHERE t.kind IN ('care-team', 'consented', 'treating') AND t.ends < {day}::date
  GROUP BY o.party, o.pat
  UNION ALL
  SELECT o.party, o.pat, 'out-of-hours', 1
  FROM open o JOIN habit h USING (party)
  CROSS JOIN LATERAL (
    SELECT count(*) AS near FROM unnest(h.hours) AS day (hours)
    WHERE day.hours & (o.hours | o.hours << 1 | o.hours >> 1) <> 0
  ) used
  WHERE h.days >= 5 AND used.near < 0.15 * h.days
  UNION ALL
  SELECT o.party, o.pat, 'spike', 1
  FROM open o JOIN habit h USING (party)
  JOIN oversight_habit today ON today.party = o.party AND today.day = {day}::date
  WHERE h.days >= 5 AND today.unexplained >= 10
    AND today.unexplained > h.usual * 3 + h.spread * 3
)
SELECT party, pat, code, count::integer FROM flag
"""

SCORE = """
INSERT INTO oversight_candidate (day, party, pat, score, looks, first, trace, reasons)
SELECT {day}::date, o.party, o.pat, o.rest * coalesce(f.factor, 1), o.looks, o.first, o.trace,
  coalesce(f.codes, '{{}}')
FROM opened o
LEFT JOIN (
  SELECT r.party, r.pat, array_agg(r.code ORDER BY w.weight DESC, r.code) AS codes,
    exp(sum(ln(w.weight) * least(r.count - w.least + 1, w.most))) AS factor
  FROM raised r
  JOIN unnest({codes}::text[], {weights}::float8[], {leasts}::integer[], {mosts}::integer[])
    AS w (code, weight, least, most) ON w.code = r.code AND r.count >= w.least
  GROUP BY r.party, r.pat
) f USING (party, pat)
WHERE o.rest * coalesce(f.factor, 1) >= {threshold}::float8
ON CONFLICT (day, party, pat) DO NOTHING
"""

# Best first; one professional takes a few places only; what is listed rests for some days.
CHOOSE = """
WITH best AS (
  SELECT DISTINCT ON (c.party, c.pat) c.* FROM oversight_candidate c
  WHERE c.day > {day}::date - {window}::integer AND c.day <= {day}::date
    AND NOT EXISTS (
      SELECT FROM oversight_item i WHERE i.kind = 1 AND i.party = c.party AND i.pat = c.pat
        AND i.day > c.day - {quiet}::integer)
  ORDER BY c.party, c.pat, c.score DESC, c.day DESC
), ranked AS (
  SELECT best.*, row_number() OVER (PARTITION BY party ORDER BY score DESC, pat) AS place
  FROM best
)
SELECT * FROM ranked WHERE place <= {per_person}::integer
ORDER BY score DESC, day DESC, party, pat LIMIT {items}::integer
"""

FORGET = (
    "DELETE FROM oversight_habit WHERE day < {day}::date - {history}::integer",
    "DELETE FROM oversight_look WHERE day < {day}::date - {history}::integer",
    "DELETE FROM oversight_candidate WHERE day <= {day}::date - {window}::integer",
)
"""Habits are kept for as long as they are compared, and no longer."""
