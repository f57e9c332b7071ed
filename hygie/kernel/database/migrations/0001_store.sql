-- The FHIR repository. Schema "F" of docs/adr/0005: one row per current resource, bytes first.
-- `part` (0..255, hash of the patient, or of the id where there is no patient) stands in every key
-- but resource_key's, which alone carries the uniqueness of ids.

-- One sequence gives every version its `seq`; a resource's `key` is the seq of its first version.
CREATE SEQUENCE version_seq;

-- Surrogate numbers of the people and structures the access rules speak of. A number, never a hash:
-- a collision here would show one patient's record to another.
CREATE TABLE party (
  num integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rt  smallint NOT NULL,
  uid uuid NOT NULL,
  rid text,                       -- the logical id where it is not a UUID
  UNIQUE (rt, uid)
);

CREATE TABLE resource_key (
  key     bigint NOT NULL,
  uid     uuid NOT NULL,          -- the id, or the UUID derived from it (see rid)
  rt      smallint NOT NULL,
  part    smallint NOT NULL,      -- where the current version stands
  deleted boolean NOT NULL DEFAULT false,
  former  smallint[],             -- other parts that hold earlier versions
  rid     text,                   -- the logical id where it is not a UUID, else null
  PRIMARY KEY (rt, uid)
);

CREATE TABLE resource (
  key       bigint NOT NULL,
  seq       bigint NOT NULL,
  xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
  upd       timestamptz NOT NULL,
  present   bigint NOT NULL,      -- one bit per search parameter of the type that has a value
  code      bigint,               -- token of the main code
  d         timestamptz,          -- main date: low bound
  dhi       timestamptz,          -- main date: high bound, null where it is d plus one second
  uid       uuid NOT NULL,
  ver       integer NOT NULL,
  pat       integer,              -- surrogate number of the patient, null where there is none
  author    integer,              -- party that wrote it
  structure integer,              -- party that keeps it (custodian)
  part      smallint NOT NULL,
  rt        smallint NOT NULL,
  class     smallint,             -- document class (TRE_A03)
  label     smallint NOT NULL,    -- confidentiality labels, one bit each
  flags     smallint NOT NULL,    -- hidden, unannounced..., one bit each
  rid       text,
  others    integer[],            -- further patients in whose compartment it stands
  frequent  bigint[],             -- tokens that filter and never drive (status, category...)
  toks      bigint[] NOT NULL,    -- tokens and references, under GIN
  body      bytea NOT NULL,       -- zstd, dictionary id in the frame
  PRIMARY KEY (key, part)
);
ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE resource ALTER COLUMN toks SET STORAGE MAIN;
CREATE INDEX resource_pat  ON resource (pat, rt, d DESC) WHERE pat IS NOT NULL;
CREATE INDEX resource_code ON resource (code, d DESC) WHERE code IS NOT NULL;
CREATE INDEX resource_type ON resource (rt, key);
CREATE INDEX resource_feed ON resource (xid, seq);
CREATE INDEX resource_upd  ON resource USING brin (upd) WITH (pages_per_range = 16);
CREATE INDEX resource_toks ON resource USING gin (toks) WITH (fastupdate = off);
CREATE INDEX resource_others ON resource USING gin (others) WHERE others IS NOT NULL;

-- Earlier versions and deletions: bodies and policy columns only, no search index.
CREATE TABLE resource_history (
  key       bigint NOT NULL,
  seq       bigint NOT NULL,
  xid       xid8 NOT NULL,
  upd       timestamptz NOT NULL,
  uid       uuid NOT NULL,
  ver       integer NOT NULL,
  pat       integer,
  author    integer,
  structure integer,
  part      smallint NOT NULL,
  rt        smallint NOT NULL,
  class     smallint,
  label     smallint NOT NULL,
  flags     smallint NOT NULL,
  deletion  boolean NOT NULL,
  rid       text,
  others    integer[],
  body      bytea,                -- null for a deletion
  PRIMARY KEY (key, ver, part)
);
ALTER TABLE resource_history ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX resource_history_feed ON resource_history (xid, seq);
CREATE INDEX resource_history_pat ON resource_history (pat, seq) WHERE pat IS NOT NULL;

-- Side tables: values that need order or substrings. `param` numbers a (type, parameter) pair.
CREATE TABLE s_string (
  key   bigint NOT NULL,
  part  smallint NOT NULL,
  param smallint NOT NULL,
  norm  text NOT NULL,            -- folded: lower case, no accents
  raw   text                      -- as written, null where it equals norm
);
-- A text may be longer than an index entry can be; the pattern operators need the C collation.
CREATE INDEX s_string_norm ON s_string (param, left(norm, 200) text_pattern_ops);
-- A long list of pending entries would cost more than the index: four megabytes, for ever.
CREATE INDEX s_string_trgm ON s_string USING gin (norm gin_trgm_ops)
  WITH (gin_pending_list_limit = 256);
CREATE INDEX s_string_key  ON s_string (key, part);

CREATE TABLE s_date (
  key   bigint NOT NULL,
  lo    timestamptz NOT NULL,
  hi    timestamptz NOT NULL,
  part  smallint NOT NULL,
  param smallint NOT NULL
);
CREATE INDEX s_date_lo  ON s_date (param, lo);
CREATE INDEX s_date_key ON s_date (key, part);

CREATE TABLE s_number (
  key   bigint NOT NULL,
  val   numeric NOT NULL,
  unit  bigint NOT NULL,          -- token of the unit, 0 where there is none
  part  smallint NOT NULL,
  param smallint NOT NULL
);
CREATE INDEX s_number_val ON s_number (param, unit, val);
CREATE INDEX s_number_key ON s_number (key, part);

-- Every unit ever stored, so that a search by one unit finds the others of its dimension.
CREATE TABLE unit (
  token  bigint PRIMARY KEY,
  system text NOT NULL,
  code   text NOT NULL,
  name   text NOT NULL            -- as people read it, empty where it is the code
);

-- How frequent a token is, so that a frequent one never drives through GIN.
CREATE TABLE token_stat (
  token bigint PRIMARY KEY,
  rows  bigint NOT NULL
);

-- zstd dictionaries: data of record, never deleted while a body names one.
CREATE TABLE body_dictionary (
  id    integer PRIMARY KEY,
  rt    smallint NOT NULL,
  made  timestamptz NOT NULL DEFAULT now(),
  bytes bytea NOT NULL
);

-- Blobs of a body, so that erasure and restore know which files belong to whom.
CREATE TABLE blob_use (
  digest bytea NOT NULL,
  key    bigint NOT NULL,
  part   smallint NOT NULL,
  ver    integer NOT NULL,
  PRIMARY KEY (part, key, ver, digest)
);

-- Facts the access rules read, projected from FHIR resources in the transaction that writes them.
CREATE TABLE care_relation (
  pat    integer NOT NULL,
  member integer NOT NULL,        -- party: practitioner or helper
  kind   smallint NOT NULL,       -- 1 care team, 2 helper
  starts timestamptz NOT NULL,
  ends   timestamptz NOT NULL,
  source bigint NOT NULL          -- key of the resource it comes from
);
CREATE INDEX care_relation_member ON care_relation (member, pat);
CREATE INDEX care_relation_pat ON care_relation (pat, member);
CREATE INDEX care_relation_source ON care_relation (source);

CREATE TABLE access_token (
  digest  bytea PRIMARY KEY,      -- SHA-256 of the token
  kind    smallint NOT NULL,
  party   integer NOT NULL,
  reference text NOT NULL,
  purpose text NOT NULL,
  rights  text[] NOT NULL DEFAULT '{}',
  label   text NOT NULL DEFAULT '',
  issued  timestamptz NOT NULL DEFAULT now(),
  expires timestamptz NOT NULL,
  revoked timestamptz
);

-- Progress of `hygie load`, so that an interrupted load goes on where it stopped.
CREATE TABLE load_progress (
  source  text PRIMARY KEY,       -- SHA-256 of path, size and date of change
  entries bigint NOT NULL,
  done    boolean NOT NULL,
  refused bigint NOT NULL DEFAULT 0,
  at      timestamptz NOT NULL DEFAULT now()
);

-- Types that hold no patient: directory and definitions, readable by any known caller. The list
-- and its reasons are hygie/kernel/store/definitions/directory_types.csv; a test compares them.
CREATE TABLE directory_type (rt smallint PRIMARY KEY);
INSERT INTO directory_type VALUES
  (2),    -- ActivityDefinition
  (13),   -- CapabilityStatement
  (16),   -- CatalogEntry
  (18),   -- ChargeItemDefinition
  (22),   -- CodeSystem
  (25),   -- CompartmentDefinition
  (27),   -- ConceptMap
  (36),   -- DeviceDefinition
  (45),   -- Endpoint
  (49),   -- EventDefinition
  (57),   -- GraphDefinition
  (60),   -- HealthcareService
  (65),   -- ImplementationGuide
  (66),   -- InsurancePlan
  (68),   -- Library
  (71),   -- Location
  (72),   -- Measure
  (75),   -- Medication
  (78),   -- MedicationKnowledge
  (91),   -- MessageDefinition
  (94),   -- NamingSystem
  (97),   -- ObservationDefinition
  (98),   -- OperationDefinition
  (100),  -- Organization
  (101),  -- OrganizationAffiliation
  (107),  -- PlanDefinition
  (108),  -- Practitioner
  (109),  -- PractitionerRole
  (112),  -- Questionnaire
  (122),  -- Schedule
  (123),  -- SearchParameter
  (125),  -- Slot
  (127),  -- SpecimenDefinition
  (128),  -- StructureDefinition
  (129),  -- StructureMap
  (131),  -- Substance
  (141),  -- TerminologyCapabilities
  (144);  -- ValueSet

-- The belt: what the application role may see, whatever predicate the query carries.
-- Two transaction-local settings name the callers of the transaction. A setting that was never
-- made, or was emptied by a commit, fails the cast: closed, not open. Settings are read in scalar
-- sub-selects, which PostgreSQL evaluates once a query and not once a row.
ALTER TABLE resource ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource FORCE ROW LEVEL SECURITY;
CREATE POLICY belt ON resource USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR (pat IS NULL AND rt = ANY (ARRAY (SELECT t.rt FROM directory_type t)))
  OR pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
  OR EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends)
  OR (others IS NOT NULL AND (
    others && (SELECT current_setting('hygie.parties')::integer[])
    OR EXISTS (
      SELECT 1 FROM care_relation c
      WHERE c.pat = ANY (resource.others)
        AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
        AND now() >= c.starts AND now() < c.ends))));
ALTER TABLE resource_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource_history FORCE ROW LEVEL SECURITY;
CREATE POLICY belt ON resource_history USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR (pat IS NULL AND rt = ANY (ARRAY (SELECT t.rt FROM directory_type t)))
  OR pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
  OR EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource_history.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends)
  OR (others IS NOT NULL AND (
    others && (SELECT current_setting('hygie.parties')::integer[])
    OR EXISTS (
      SELECT 1 FROM care_relation c
      WHERE c.pat = ANY (resource_history.others)
        AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
        AND now() >= c.starts AND now() < c.ends))));

GRANT USAGE ON SCHEMA hygie TO hygie_app, hygie_loader;
GRANT USAGE, SELECT ON SEQUENCE version_seq TO hygie_app, hygie_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON
  resource, resource_key, s_string, s_date, s_number, care_relation, blob_use
  TO hygie_app, hygie_loader;
GRANT SELECT, INSERT ON party, unit, resource_history, body_dictionary TO hygie_app, hygie_loader;
GRANT SELECT, INSERT, UPDATE ON access_token, load_progress TO hygie_app, hygie_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON token_stat TO hygie_app, hygie_loader;
GRANT SELECT ON directory_type TO hygie_app, hygie_loader;
