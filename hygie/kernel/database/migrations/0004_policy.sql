-- What the rules of the shared record read: matters, roles, inherited labels, and the wider belt.

-- What a resource is about, in the terms of the access matrix (hygie/kernel/security/matters.csv);
-- 0 where nobody can tell. `own_label` is null where `label` holds the resource's own labels only,
-- and otherwise these own labels, since others reached it from the visit it belongs to.
ALTER TABLE resource
  ADD COLUMN matter smallint NOT NULL DEFAULT 0 CHECK (matter BETWEEN 0 AND 255),
  ADD COLUMN own_label smallint;
ALTER TABLE resource_history
  ADD COLUMN matter smallint NOT NULL DEFAULT 0 CHECK (matter BETWEEN 0 AND 255),
  ADD COLUMN own_label smallint;

-- How strongly the person was authenticated, 1 to 3.
ALTER TABLE access_token ADD COLUMN level smallint NOT NULL DEFAULT 1;

-- Which roles of the matrix a professional practises, and where.
CREATE TABLE practice (
  member    integer NOT NULL,     -- party: practitioner
  structure integer,              -- party: organization, null where none is named
  role      text NOT NULL,        -- TRE_G15 profession, or a code of roles.csv
  starts    timestamptz NOT NULL,
  ends      timestamptz NOT NULL,
  source    bigint NOT NULL       -- key of the resource it comes from
);
CREATE INDEX practice_member ON practice (member);
CREATE INDEX practice_source ON practice (source);
CREATE INDEX practice_structure ON practice (structure) WHERE structure IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON practice TO hygie_app, hygie_loader;

-- The belt, written by hand and on its own: it knows relations and labels, not professions. Kinds
-- are those of hygie/kernel/security/relations.py: who reads as a professional (1 care team,
-- 3 treating, 4 consented, 6 emergency, 7 Centre 15) or in the patient's name (2, 8, 9, 10, 11).
-- What carries no label that hides (8 from professionals, 16 from the patient, 32 from
-- representatives) needs one look at the relations, which reads nothing else of the row: over many
-- rows PostgreSQL then reads the relations once and hashes them.
DROP POLICY belt ON resource;
CREATE POLICY belt ON resource USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR (pat IS NULL AND rt = ANY (ARRAY (SELECT t.rt FROM directory_type t)))
  OR (pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]) AND (label & 16) = 0)
  OR ((label & 56) = 0 AND EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND c.kind IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)))
  OR ((label & 56) <> 0 AND EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND CASE WHEN c.kind IN (1, 4, 6, 7)
               THEN (label & 8) = 0
                 OR author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
               WHEN c.kind IN (2, 8, 9, 10, 11) THEN (label & 48) = 0
               ELSE c.kind = 3 END))
  -- An emergency is declared, and reviewed (-1), by people whom no relation opens the record.
  OR (matter = 153
      AND (author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
           OR -1 = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])))
  OR (others IS NOT NULL AND (
    others && (SELECT current_setting('hygie.parties')::integer[])
    OR EXISTS (
      SELECT 1 FROM care_relation c
      WHERE c.pat = ANY (resource.others)
        AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
        AND now() >= c.starts AND now() < c.ends
        AND c.kind IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)))));
DROP POLICY belt ON resource_history;
CREATE POLICY belt ON resource_history USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR (pat IS NULL AND rt = ANY (ARRAY (SELECT t.rt FROM directory_type t)))
  OR (pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]) AND (label & 16) = 0)
  OR ((label & 56) = 0 AND EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource_history.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND c.kind IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)))
  OR ((label & 56) <> 0 AND EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource_history.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND CASE WHEN c.kind IN (1, 4, 6, 7)
               THEN (label & 8) = 0
                 OR author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
               WHEN c.kind IN (2, 8, 9, 10, 11) THEN (label & 48) = 0
               ELSE c.kind = 3 END))
  -- An emergency is declared, and reviewed (-1), by people whom no relation opens the record.
  OR (matter = 153
      AND (author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
           OR -1 = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])))
  OR (others IS NOT NULL AND (
    others && (SELECT current_setting('hygie.parties')::integer[])
    OR EXISTS (
      SELECT 1 FROM care_relation c
      WHERE c.pat = ANY (resource_history.others)
        AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
        AND now() >= c.starts AND now() < c.ends
        AND c.kind IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)))));
