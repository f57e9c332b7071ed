-- The access log, second part: what the person reads about an access, what the witnesses and the
-- timestamp authority answered, the changes of key, proofs without the whole tree, and alarms.

-- A row says by itself which columns its leaf commits to: those written before are of version 1.
ALTER TABLE trace
  ADD COLUMN v               smallint NOT NULL DEFAULT 1,
  ADD COLUMN label           smallint NOT NULL DEFAULT 0, -- labels shared by all that was touched
  ADD COLUMN flags           smallint NOT NULL DEFAULT 0, -- 1 emergency, 2 came from a spool
  ADD COLUMN agent_role      text,     -- who: the role that counted, as in the access matrix
  ADD COLUMN agent_structure integer,  -- who: number of the structure in table party
  ADD COLUMN pats            integer[]; -- whose data, where a named job traces once for many
ALTER TABLE trace ALTER COLUMN v SET DEFAULT 2;
CREATE INDEX trace_party ON trace (party, at) WHERE party > 0;
CREATE INDEX trace_pats ON trace USING gin (pats) WHERE pats IS NOT NULL;

-- The application gives a trace neither its instant, nor its place, nor its salt.
REVOKE INSERT ON trace FROM hygie_app, hygie_loader;
GRANT INSERT (request, kind, party, agent, purpose, interaction, outcome, rule, pat, rt, uid, ver,
  peer, query, detail, label, flags, agent_role, agent_structure, pats)
  ON trace TO hygie_app, hygie_loader;
-- The sequencer merges the spool of an emergency, whose instants are those of the accesses.
GRANT INSERT ON trace TO hygie_sequencer;
GRANT USAGE ON SEQUENCE trace_id TO hygie_sequencer;

-- The belt: a person, who acted, and who represents the person now. Kinds of care_relation: 8
-- parent (of a minor: 16), 9 guardian, 10 manages. Label 32 hides from representatives.
DROP POLICY belt ON trace;
CREATE POLICY belt ON trace FOR SELECT TO hygie_app USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
  OR party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
  OR pats && (SELECT current_setting('hygie.parties')::integer[])
  OR (label & 32 = 0 AND pat = ANY (ARRAY (
    SELECT c.pat FROM care_relation c
    WHERE c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND (c.kind IN (9, 10) OR (c.kind = 8 AND EXISTS (
        SELECT 1 FROM care_relation m WHERE m.pat = c.pat AND m.member = 0 AND m.kind = 16
          AND now() >= m.starts AND now() < m.ends)))))));

-- The labels a resource has now, for who may read the trace of it and perhaps not its name. The
-- belt of `resource` is opened inside: nothing but a label comes out. Null where there is none.
CREATE FUNCTION label_now(type smallint, id uuid) RETURNS smallint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = hygie, pg_temp AS $$
DECLARE
  before text := coalesce(current_setting('hygie.system', true), '');
  found  smallint;
BEGIN
  PERFORM set_config('hygie.system', 'on', true);
  SELECT r.label INTO found FROM resource_key k JOIN resource r ON r.part = k.part AND r.key = k.key
    WHERE k.rt = type AND k.uid = id AND NOT k.deleted;
  PERFORM set_config('hygie.system', before, true);
  RETURN found;
END $$;
REVOKE ALL ON FUNCTION label_now(smallint, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION label_now(smallint, uuid) TO hygie_app;

-- Since when a trace waits for its place; null when none does. The belt would show a caller theirs.
CREATE FUNCTION pending_since() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = hygie, pg_temp AS $$
  SELECT at FROM trace WHERE place IS NULL ORDER BY id LIMIT 1
$$;
REVOKE ALL ON FUNCTION pending_since() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pending_since() TO hygie_app, hygie_loader, hygie_sequencer;

-- Erase what can name a person from traces that have their place; every proof stays valid.
CREATE FUNCTION erase_trace_bodies(instants timestamptz[], ids bigint[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = hygie, pg_temp AS $$
  WITH erased AS (
    UPDATE trace SET salt = NULL, uid = NULL, party = NULL, pat = NULL, ver = NULL, agent = NULL,
      peer = NULL, detail = NULL, query = NULL, agent_role = NULL, agent_structure = NULL,
      pats = NULL
    FROM unnest(instants, ids) AS named (at, id)
    WHERE trace.at = named.at AND trace.id = named.id AND trace.place IS NOT NULL
      AND trace.salt IS NOT NULL
    RETURNING 1)
  SELECT count(*) FROM erased
$$;
REVOKE ALL ON FUNCTION erase_trace_bodies(timestamptz[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_trace_bodies(timestamptz[], bigint[]) TO hygie_sequencer;

-- Hashes of the perfect subtrees of 256, 65,536... leaves: the tiles of C2SP tlog-tiles above the
-- leaves. With them a proof in a log of any size reads a few hundred hashes.
CREATE TABLE trace_node (
  level smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
  place bigint NOT NULL,          -- index among the subtrees of this level
  hash  bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, place)
);
ALTER TABLE trace_node ALTER COLUMN hash SET STORAGE PLAIN;

-- What witnesses answered (C2SP tlog-cosignature): one signature line per head and witness.
CREATE TABLE trace_cosignature (
  size    bigint NOT NULL,
  witness text NOT NULL,
  line    text NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (size, witness)
);

-- RFC 3161 answers of the timestamp authority about a head, in DER.
CREATE TABLE trace_timestamp (
  size  bigint PRIMARY KEY,
  token bytea NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Changes of the log's key: a checkpoint of this size that names the next key, signed by both.
CREATE TABLE trace_key (
  size     bigint PRIMARY KEY,
  key      text NOT NULL,         -- verifier key of what signs from here on
  handover text NOT NULL,
  at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Spools that were merged: name of the file, how many of its lines.
CREATE TABLE trace_spool (
  name  text PRIMARY KEY,
  lines bigint NOT NULL,
  at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What an operator must look at: open while `ended` is null.
CREATE TABLE trace_alarm (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind    text NOT NULL,
  subject text NOT NULL,
  detail  text NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended   timestamptz
);
CREATE UNIQUE INDEX trace_alarm_open ON trace_alarm (kind, subject) WHERE ended IS NULL;

GRANT SELECT, INSERT ON trace_node, trace_cosignature, trace_timestamp, trace_key, trace_spool
  TO hygie_sequencer;
GRANT UPDATE ON trace_cosignature, trace_spool TO hygie_sequencer;
GRANT SELECT, INSERT, UPDATE ON trace_alarm TO hygie_sequencer;
-- Proofs and heads name nobody: the application makes the proofs of what a person exports.
GRANT SELECT ON trace_leaf, trace_node, trace_head, trace_tree, trace_cosignature, trace_timestamp,
  trace_key, trace_alarm TO hygie_app;
