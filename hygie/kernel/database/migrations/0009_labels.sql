-- Labels that reach what belongs to a labelled resource (hygie/kernel/store/spreading.py).

-- One row for each resource that the own labels of another reach, itself included. A record without
-- labels has no row here, so that an ordinary write learns at the cost of one look-up that there is
-- nothing to do.
CREATE TABLE label_reach (
  pat    integer NOT NULL,        -- patient: labels never leave the record they were set in
  origin bigint NOT NULL,         -- key of the resource whose own labels these are
  key    bigint NOT NULL,         -- key of a resource that they reach
  label  smallint NOT NULL,
  PRIMARY KEY (pat, key, origin)
);
CREATE INDEX label_reach_origin ON label_reach (origin);
GRANT SELECT, INSERT, DELETE ON label_reach TO hygie_app, hygie_loader;

-- Nothing else of an earlier version may ever change.
GRANT UPDATE (label, own_label) ON resource_history TO hygie_app;
GRANT UPDATE (label, own_label, matter) ON resource_history TO hygie_loader;
