-- What a prepared copy holds: each download checks that who asks may still read all of it
-- (hygie/domains/rights/service/prepared.py).
ALTER TABLE rights_export ADD COLUMN held text[]; -- references of resources, NULL unless ready
-- Copies of before cannot be checked: their keys go, and they are asked again.
UPDATE rights_export SET state = 3, key = NULL WHERE state = 1;
