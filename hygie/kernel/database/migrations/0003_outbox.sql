-- Events and jobs, written in the transaction of the data they speak of, run by the job worker.
-- States are those of hygie/kernel/outbox/job.py.

CREATE TABLE job (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  due     timestamptz NOT NULL,   -- when it may run; under a lease, when the lease ends
  made    timestamptz NOT NULL DEFAULT now(),
  ended   timestamptz,            -- when it was done or given up
  lease   uuid,                   -- the claim that holds it
  tries   smallint NOT NULL DEFAULT 0,
  state   smallint NOT NULL DEFAULT 0 CHECK (state IN (0, 1, 2)),
  kind    text NOT NULL,
  key     text,                   -- one job per kind and key for as long as its row stands
  payload bytea NOT NULL,
  reason  text                    -- of the last failure; never a person's data
);
CREATE UNIQUE INDEX job_key ON job (kind, key) WHERE key IS NOT NULL;
CREATE INDEX job_due ON job (due, id) WHERE state = 0;
CREATE INDEX job_done ON job (ended) WHERE state = 1;

-- When each periodic job runs next. Whoever moves `due` forward is the one that starts it.
CREATE TABLE job_schedule (
  name text PRIMARY KEY,
  due  timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON job, job_schedule TO hygie_app;
GRANT SELECT, INSERT ON job TO hygie_loader;
