-- Withdrawn versions (hygie/kernel/store/withdrawing.py): 64 is Label.WITHDRAWN.

-- The belt lets relations read such a version only where the caller wrote it. What is left is the
-- person, the operator, and declarations of emergencies.
DROP POLICY belt ON resource_history;
CREATE POLICY belt ON resource_history USING (
  (SELECT current_setting('hygie.system')::boolean)
  OR (pat IS NULL AND rt = ANY (ARRAY (SELECT t.rt FROM directory_type t)))
  OR (pat = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]) AND (label & 16) = 0)
  OR ((label & 120) = 0 AND EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource_history.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND c.kind IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)))
  OR ((label & 120) <> 0 AND EXISTS (
    SELECT 1 FROM care_relation c
    WHERE c.pat = resource_history.pat
      AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
      AND now() >= c.starts AND now() < c.ends
      AND CASE WHEN c.kind IN (1, 3, 4, 6, 7)
               THEN (label & CASE c.kind WHEN 3 THEN 64 ELSE 72 END) = 0
                 OR author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
               WHEN c.kind IN (2, 8, 9, 10, 11) THEN (label & 112) = 0
               ELSE FALSE END))
  -- An emergency is declared, and reviewed (-1), by people whom no relation opens the record.
  OR (matter = 153
      AND (author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
           OR -1 = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])))
  OR (others IS NOT NULL AND (
    others && (SELECT current_setting('hygie.parties')::integer[])
    OR (((label & 64) = 0
         OR author = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[]))
        AND EXISTS (
          SELECT 1 FROM care_relation c
          WHERE c.pat = ANY (resource_history.others)
            AND c.member = ANY ((SELECT current_setting('hygie.parties')::integer[])::integer[])
            AND now() >= c.starts AND now() < c.ends
            AND c.kind IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11))))));

-- What was deleted before this migration: every version before the last deletion of its key. The
-- owner of the tables is under the belt too.
ALTER TABLE resource_history NO FORCE ROW LEVEL SECURITY;
UPDATE resource_history h SET label = h.label | 64, own_label = h.own_label | 64
FROM (SELECT d.key, max(d.ver) AS ver FROM resource_history d WHERE d.deletion GROUP BY d.key) g
WHERE h.key = g.key AND h.ver < g.ver AND NOT h.deletion;
ALTER TABLE resource_history FORCE ROW LEVEL SECURITY;
