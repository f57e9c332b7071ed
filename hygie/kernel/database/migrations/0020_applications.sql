-- Tokens of applications: which one, limited to what, for which patient, from which consent.

ALTER TABLE access_token
  ADD COLUMN client  text NOT NULL DEFAULT '',  -- id of the application, empty for the person alone
  ADD COLUMN scope   text[],                    -- the words granted; NULL where nothing limits
  ADD COLUMN patient integer,                   -- party number of the patient of the launch
  ADD COLUMN family  uuid;                      -- tokens of one consent end together

CREATE INDEX access_token_family ON access_token (family) WHERE family IS NOT NULL;
CREATE INDEX access_token_client ON access_token (client, reference) WHERE client <> '';
