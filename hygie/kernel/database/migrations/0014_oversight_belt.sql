-- The belt of the tables of oversight. The application decides first (the right *review*, the
-- person's own reports, the question put to a professional); these policies say the same thing
-- again without asking it, so that a forgotten check shows nothing.
-- `hygie.rights` names, for the length of a transaction, the rights of its caller's account. Where
-- it was never set it opens nothing.

-- What the daily job alone reads and writes.
ALTER TABLE oversight_habit ENABLE ROW LEVEL SECURITY;
ALTER TABLE oversight_habit FORCE ROW LEVEL SECURITY;
CREATE POLICY job ON oversight_habit USING ((SELECT current_setting('hygie.system')::boolean));
ALTER TABLE oversight_look ENABLE ROW LEVEL SECURITY;
ALTER TABLE oversight_look FORCE ROW LEVEL SECURITY;
CREATE POLICY job ON oversight_look USING ((SELECT current_setting('hygie.system')::boolean));
ALTER TABLE oversight_candidate ENABLE ROW LEVEL SECURITY;
ALTER TABLE oversight_candidate FORCE ROW LEVEL SECURITY;
CREATE POLICY job ON oversight_candidate USING ((SELECT current_setting('hygie.system')::boolean));
ALTER TABLE oversight_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE oversight_day FORCE ROW LEVEL SECURITY;
CREATE POLICY job ON oversight_day USING ((SELECT current_setting('hygie.system')::boolean));

-- Which records are protected against curiosity: reviewers say so, the job reads it.
ALTER TABLE oversight_protected ENABLE ROW LEVEL SECURITY;
ALTER TABLE oversight_protected FORCE ROW LEVEL SECURITY;
CREATE POLICY belt ON oversight_protected USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR (SELECT 'review' = ANY (nullif(current_setting('hygie.rights', true), '')::text[])));

ALTER TABLE oversight_item ENABLE ROW LEVEL SECURITY;
ALTER TABLE oversight_item FORCE ROW LEVEL SECURITY;
CREATE POLICY job ON oversight_item USING ((SELECT current_setting('hygie.system')::boolean));
-- A reviewer reads the queue, and works on what is neither their access nor their record.
CREATE POLICY reviewer_reads ON oversight_item FOR SELECT USING (
  (SELECT 'review' = ANY (nullif(current_setting('hygie.rights', true), '')::text[])));
CREATE POLICY reviewer_works ON oversight_item FOR UPDATE USING (
  (SELECT 'review' = ANY (nullif(current_setting('hygie.rights', true), '')::text[]))
  AND (party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])) IS NOT TRUE
  AND NOT pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]));
-- A professional reads what was asked of them, and may answer it as long as it waits.
CREATE POLICY asked_reads ON oversight_item FOR SELECT USING (
  asked IS NOT NULL
  AND party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]));
CREATE POLICY asked_answers ON oversight_item FOR UPDATE
  USING (state = 2
    AND party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]))
  WITH CHECK (state = 1 AND decision IS NULL
    AND party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]));
-- A person, and who represents them, reports an access that the belt of the log shows them, and
-- reads what became of it; never who is themselves reported.
CREATE POLICY reported_reads ON oversight_item FOR SELECT USING (
  kind = 3
  AND (party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])) IS NOT TRUE
  AND EXISTS (SELECT FROM trace t
    WHERE t.at = oversight_item.trace_at AND t.id = oversight_item.trace
      AND t.pat = oversight_item.pat));
CREATE POLICY reported_adds ON oversight_item FOR INSERT WITH CHECK (
  kind = 3 AND state = 0 AND decision IS NULL
  AND (party = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])) IS NOT TRUE
  AND EXISTS (SELECT FROM trace t
    WHERE t.at = oversight_item.trace_at AND t.id = oversight_item.trace
      AND t.pat = oversight_item.pat));
