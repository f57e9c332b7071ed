-- Registered applications as the engine knows them, and the exercise that a token stays in.

CREATE TABLE application (
  client     text PRIMARY KEY,
  name       text NOT NULL,
  secret     bytea,                          -- SHA-256 of its secret; NULL where it has none
  introspects boolean NOT NULL DEFAULT false, -- a resource server: may ask about every token
  origins    text[] NOT NULL DEFAULT '{}'    -- from where its pages call in a browser
);
CREATE INDEX application_origins ON application USING gin (origins);
GRANT SELECT, INSERT, UPDATE, DELETE ON application TO hygie_app;

ALTER TABLE access_token
  ADD COLUMN exercise_role      text,     -- the one role the person chose to act in; NULL for all
  ADD COLUMN exercise_structure integer;  -- and its structure
