-- Rights of a person: exports that were asked, texts of each controller, releases for research.

-- One row per export that was asked. The file stands in the data folder, encrypted; its key stands
-- here only, so that deleting the row makes the file unreadable wherever a copy of it went.
CREATE TABLE rights_export (
  id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  pat       integer NOT NULL,     -- party: whose data
  patient   text NOT NULL,        -- logical id of the Patient
  party     integer NOT NULL,     -- party: who asked
  requester text NOT NULL,        -- reference of who asked
  language  text NOT NULL CHECK (language IN ('fr', 'en')),
  state     smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3), -- asked ready failed ended
  asked     timestamptz NOT NULL DEFAULT now(),
  made      timestamptz,
  expires   timestamptz,
  size      bigint,               -- bytes of the archive in clear
  counts    text,                 -- JSON: how many of what it holds
  key       bytea CHECK (length(key) = 32),
  fetched   timestamptz           -- last download
);
CREATE INDEX rights_export_party ON rights_export (party, asked DESC);
CREATE INDEX rights_export_pat ON rights_export (pat);
CREATE INDEX rights_export_state ON rights_export (state) WHERE state < 2;
ALTER TABLE rights_export ENABLE ROW LEVEL SECURITY;
ALTER TABLE rights_export FORCE ROW LEVEL SECURITY;
-- Who asked sees it, and nobody else: a person's own export never shows to a representative.
CREATE POLICY belt ON rights_export USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON rights_export TO hygie_app;

-- What a structure writes in its own register, notice and impact assessment; no person's data.
CREATE TABLE controller_text (
  controller text NOT NULL,       -- reference of the Organization
  part       text NOT NULL,       -- which text: contact, dpo, notice, activity:<key>...
  body       text NOT NULL,
  updated    timestamptz NOT NULL DEFAULT now(),
  author     text NOT NULL,       -- reference of who wrote it
  PRIMARY KEY (controller, part)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON controller_text TO hygie_app;

-- Every release of data for research, so that a person who objects learns which ones came before.
CREATE TABLE data_release (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        timestamptz NOT NULL DEFAULT now(),
  name      text NOT NULL,
  purpose   text NOT NULL,
  recipient text NOT NULL,
  objectors integer NOT NULL      -- how many records were left out
);
GRANT SELECT, INSERT ON data_release TO hygie_app;
