-- Newest and oldest first over the patients of a caller (docs/adr/0025): rows whose place in the
-- order column `d` does not tell. Partial, since most rows have one instant: they cost nothing.
-- `dhi` is set where the main date is a day, a month, or a period; flag 1 says that it has several
-- values. The columns stand bare: under row-level security PostgreSQL searches an index by leakproof
-- comparisons alone, and the sum of an instant and an interval is none.
CREATE INDEX resource_span ON resource (pat, rt, dhi) WHERE pat IS NOT NULL AND dhi IS NOT NULL;
CREATE INDEX resource_many ON resource (pat, rt) WHERE pat IS NOT NULL AND (flags & 1) <> 0;
