-- Data keys of patients, wrapped by a key-encryption key that is in no database (docs/adr/0016).
-- A schema apart, of a role apart: neither a query of requests nor a dump of the data holds it, so
-- that it can move to a database and a backup of its own.

CREATE TABLE hygie_keys.patient_key (
  patient   integer NOT NULL,       -- surrogate number of the patient, 0 for data of no patient
  version   smallint NOT NULL,
  id        bytea NOT NULL UNIQUE,  -- 16 random bytes: numbers may come again after a restore
  kek       integer NOT NULL,       -- version of the key-encryption key
  wrapped   bytea,                  -- null once destroyed
  made      timestamptz NOT NULL DEFAULT now(),
  destroyed timestamptz,
  PRIMARY KEY (patient, version),
  CHECK ((wrapped IS NULL) = (destroyed IS NOT NULL)),
  CHECK (octet_length(id) = 16)
);
CREATE INDEX patient_key_kek ON hygie_keys.patient_key (kek) WHERE wrapped IS NOT NULL;

-- When a key-encryption key stopped wrapping: it is destroyed once no backup needs it.
CREATE TABLE hygie_keys.kek (
  version    integer PRIMARY KEY,
  superseded timestamptz NOT NULL,
  destroyed  timestamptz
);

-- The erasure ledger: what was shredded, so that it is shredded again after a restore. Each line
-- names the hash of the one before it; nothing here names a person.
CREATE TABLE hygie_keys.erasure (
  number bigint PRIMARY KEY CHECK (number > 0),
  line   text NOT NULL
);
CREATE FUNCTION hygie_keys.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the erasure ledger is only added to'; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hygie_keys.erasure
  FOR EACH ROW EXECUTE FUNCTION hygie_keys.refuse_change();

GRANT USAGE ON SCHEMA hygie_keys TO hygie_keys;
GRANT SELECT, INSERT, UPDATE ON hygie_keys.patient_key, hygie_keys.kek TO hygie_keys;
GRANT SELECT, INSERT ON hygie_keys.erasure TO hygie_keys;

-- Counts the destructions. It stands beside the data, outside any transaction: a read that sees the
-- number under which a key was found knows that no key was destroyed since.
CREATE SEQUENCE key_epoch;
SELECT setval('key_epoch', 1);
GRANT SELECT, USAGE ON SEQUENCE key_epoch TO hygie_app, hygie_loader;

-- What is sealed in place and what erasure removes also stands in history.
GRANT UPDATE (body) ON resource_history TO hygie_loader;
GRANT DELETE ON resource_history TO hygie_loader;
