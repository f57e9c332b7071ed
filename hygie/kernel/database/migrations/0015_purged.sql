-- What was purged, so that followers of the change feed remove it too: place in the feed, type and
-- id, nothing else. Nobody's number, no content, no reason. It stays as long as the erasure ledger,
-- which keeps the same ids: a follower that never learned of a purge would keep what is erased.
CREATE TABLE resource_purged (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint NOT NULL DEFAULT nextval('version_seq'),
  at  timestamptz NOT NULL DEFAULT now(),
  rt  smallint NOT NULL,
  uid uuid NOT NULL,
  rid text,                       -- the logical id where it is not a UUID
  PRIMARY KEY (xid, seq)
);
ALTER TABLE resource_purged ENABLE ROW LEVEL SECURITY;
ALTER TABLE resource_purged FORCE ROW LEVEL SECURITY;
CREATE POLICY belt ON resource_purged USING ((SELECT current_setting('hygie.system')::boolean));
GRANT SELECT ON resource_purged TO hygie_app, hygie_loader;
GRANT INSERT ON resource_purged TO hygie_loader;

-- Up to which line of the erasure ledger the files of the database were cleared of what deleted
-- rows leave.
CREATE TABLE hygie_keys.cleared (
  erasure   bigint PRIMARY KEY,
  rewritten boolean NOT NULL,
  at        timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON hygie_keys.cleared TO hygie_keys;
