-- The access log: one row per request and patient whose data leaves, committed before the answer.
-- A row is inserted by the application and never changed by it; the sequencer alone gives it its
-- place in the Merkle tree. What can name a person stands in columns that may be erased: the leaf
-- keeps the salted hash of them (hygie/kernel/audit/leaf.py).

CREATE SEQUENCE trace_id;

CREATE TABLE trace (
  id          bigint NOT NULL DEFAULT nextval('trace_id'),
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  place       bigint,             -- index of the leaf; null until the sequencer has passed
  request     uuid NOT NULL,      -- X-Request-Id
  salt        uuid DEFAULT gen_random_uuid(), -- null once the body is erased
  uid         uuid,               -- the resource: id, or the UUID derived from it
  party       integer,            -- who: number in table party, 0 for nobody in the record
  pat         integer,            -- whose data: number in table party
  ver         integer,            -- the resource: version
  rt          smallint,           -- the resource: type
  kind        smallint NOT NULL,  -- who: Kind of caller
  outcome     smallint NOT NULL,  -- HTTP status of the answer
  interaction text NOT NULL,      -- http://hl7.org/fhir/restful-interaction
  purpose     text NOT NULL,      -- http://terminology.hl7.org/CodeSystem/v3-ActReason
  rule        text NOT NULL,      -- the rule that allowed, or the refusal
  agent       text,               -- who: reference of the caller
  peer        inet,               -- network address of the caller
  detail      text,
  query       bytea,              -- query string as received: may hold identifiers
  PRIMARY KEY (at, id),
  CHECK (salt IS NOT NULL OR place IS NOT NULL) -- a body is erased only behind its leaf
) PARTITION BY RANGE (at);
CREATE INDEX trace_pat ON trace (pat, at) WHERE pat IS NOT NULL;
CREATE INDEX trace_pending ON trace (id) WHERE place IS NULL;

-- Catches rows when the job that makes partitions has not run; it is emptied by the next run.
CREATE TABLE trace_default PARTITION OF trace DEFAULT;

-- Make the partition of the UTC month of a day, and move there what the default one caught.
CREATE FUNCTION ensure_trace_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hygie, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
  first date := date_trunc('month', day)::date;
  low  timestamptz := first::timestamp AT TIME ZONE 'UTC';
  high timestamptz := (first + interval '1 month') AT TIME ZONE 'UTC';
  name text := 'trace_' || to_char(first, 'YYYY_MM');
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('hygie.ensure_trace_partition'));
  IF to_regclass('hygie.' || name) IS NOT NULL THEN
    RETURN;
  END IF;
  -- A writer that chose the default partition and then waited for ATTACH would be refused: where
  -- this month is concerned writers wait before they choose, three seconds at most.
  IF clock_timestamp() >= low - interval '1 minute' THEN
    LOCK TABLE hygie.trace IN SHARE ROW EXCLUSIVE MODE;
  END IF;
  EXECUTE format('CREATE TABLE hygie.%I (LIKE hygie.trace INCLUDING ALL)', name);
  EXECUTE format(
    'WITH moved AS (DELETE FROM hygie.trace_default WHERE at >= %L AND at < %L RETURNING *)
     INSERT INTO hygie.%I SELECT * FROM moved', low, high, name);
  EXECUTE format(
    'ALTER TABLE hygie.trace ATTACH PARTITION hygie.%I FOR VALUES FROM (%L) TO (%L)',
    name, low, high);
END $$;
REVOKE ALL ON FUNCTION ensure_trace_partition(date) FROM PUBLIC;

-- One leaf per trace in the order of the tree. Leaves outlive both the erasure of a body and the
-- removal of an old partition, so every proof stays valid.
CREATE TABLE trace_leaf (
  place     bigint PRIMARY KEY,
  id        bigint NOT NULL,
  at        timestamptz NOT NULL,
  body_hash bytea NOT NULL CHECK (length(body_hash) = 32),
  leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32)
);
ALTER TABLE trace_leaf ALTER COLUMN body_hash SET STORAGE PLAIN;
ALTER TABLE trace_leaf ALTER COLUMN leaf_hash SET STORAGE PLAIN;

-- Signed tree heads: C2SP checkpoints.
CREATE TABLE trace_head (
  size       bigint PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  root       bytea NOT NULL CHECK (length(root) = 32),
  checkpoint text NOT NULL
);

-- The one row a sequencer locks: name of the log, size, and the hashes of its perfect subtrees,
-- largest first, 32 bytes each (the compact range of RFC 6962).
CREATE TABLE trace_tree (
  one      boolean PRIMARY KEY DEFAULT true CHECK (one),
  origin   text NOT NULL DEFAULT 'hygie/trace/' || gen_random_uuid(),
  size     bigint NOT NULL DEFAULT 0,
  subtrees bytea NOT NULL DEFAULT ''
);
INSERT INTO trace_tree DEFAULT VALUES;

-- The belt, as in 0001: the application reads the traces of the callers of its transaction.
ALTER TABLE trace ENABLE ROW LEVEL SECURITY;
CREATE POLICY append ON trace FOR INSERT TO hygie_app, hygie_loader WITH CHECK (true);
CREATE POLICY belt ON trace FOR SELECT TO hygie_app USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
  OR party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]));
CREATE POLICY sequencer ON trace TO hygie_sequencer USING (true);

GRANT USAGE ON SCHEMA hygie TO hygie_sequencer;
GRANT USAGE ON SEQUENCE trace_id TO hygie_app, hygie_loader;
GRANT INSERT, SELECT ON trace TO hygie_app;
GRANT INSERT ON trace TO hygie_loader;
GRANT SELECT, UPDATE (place) ON trace TO hygie_sequencer;
GRANT SELECT, INSERT ON trace_leaf, trace_head TO hygie_sequencer;
GRANT SELECT, UPDATE ON trace_tree TO hygie_sequencer;
GRANT EXECUTE ON FUNCTION ensure_trace_partition(date) TO hygie_sequencer;
