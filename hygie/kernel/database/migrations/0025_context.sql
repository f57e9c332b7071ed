-- What a user has open, for the tools that follow (FHIRcast): references only, for the session.
-- The contents of a patient are read by each follower for itself, under its own token.

CREATE TABLE context_topic (
  num     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic   text NOT NULL UNIQUE,            -- opaque name, as hub.topic
  visit   uuid NOT NULL UNIQUE,            -- the session of the pages
  owner   text NOT NULL,                   -- reference of its one user
  expires timestamptz NOT NULL,
  ended   timestamptz
);
CREATE INDEX context_topic_expires ON context_topic (expires);

CREATE TABLE context_admission (           -- the consents that were given inside this session
  topic  integer NOT NULL REFERENCES context_topic ON DELETE CASCADE,
  family uuid NOT NULL,
  PRIMARY KEY (topic, family)
);

CREATE TABLE context_event (
  num      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic    integer NOT NULL REFERENCES context_topic ON DELETE CASCADE,
  id       text NOT NULL,
  name     text NOT NULL,
  at       timestamptz NOT NULL,           -- when it occurred, as its sender says
  made     timestamptz NOT NULL DEFAULT now(),
  sender   text NOT NULL,                  -- client id of the application, empty for the pages
  source   bigint,                         -- follower that an error is about, which is not told
  subjects jsonb NOT NULL,                 -- ids of resources by key, never their contents
  held     boolean NOT NULL DEFAULT false, -- whether this opening still stands
  UNIQUE (topic, id)
);
CREATE INDEX context_event_topic ON context_event (topic, num);

CREATE TABLE context_follower (
  num      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic    integer NOT NULL REFERENCES context_topic ON DELETE CASCADE,
  endpoint bytea NOT NULL UNIQUE,          -- SHA-256 of the secret of its address
  token    bytea,                          -- SHA-256 of its token; NULL for the pages themselves
  client   text NOT NULL DEFAULT '',
  name     text NOT NULL DEFAULT '',
  events   text[] NOT NULL,
  holder   uuid,                           -- its newest connection, wherever it is
  expires  timestamptz NOT NULL
);
CREATE INDEX context_follower_topic ON context_follower (topic);

GRANT SELECT, INSERT, UPDATE, DELETE
  ON context_topic, context_admission, context_event, context_follower TO hygie_app;
