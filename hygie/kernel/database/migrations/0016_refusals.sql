-- Whose resource it was that somebody tried to read or change, and was refused. The person reads
-- it in the log; the application never learns it, so that no answer can tell a hidden resource
-- from an absent one. The same questions are put whether the resource is there or not: the time
-- of a refusal does not tell either.
-- Three refusals name nobody:
-- * one's own, since a person would learn from their log what they may not know of;
-- * of a result that was not announced to the person (label 16), for the same reason: an
--   accomplice could try its id;
-- * from the spool of an emergency, whose lines are signed as they were written.
-- Its plan is kept: to plan these questions anew over every part costs three times the answer.
CREATE FUNCTION name_refused() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = hygie, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  before text := coalesce(current_setting('hygie.system', true), '');
  place  resource_key%ROWTYPE;
  whose  integer;
  labels smallint;
BEGIN
  PERFORM set_config('hygie.system', 'on', true);
  SELECT * INTO place FROM resource_key k WHERE k.rt = NEW.rt AND k.uid = NEW.uid;
  SELECT v.pat, v.label INTO whose, labels FROM (
    SELECT r.pat, r.label, r.ver FROM resource r
      WHERE r.part = coalesce(place.part, 0::smallint) AND r.key = coalesce(place.key, 0)
    UNION ALL
    (SELECT h.pat, h.label, h.ver FROM resource_history h
      WHERE h.part = coalesce(place.part, 0::smallint) AND h.key = coalesce(place.key, 0)
      ORDER BY h.ver DESC LIMIT 1)
  ) AS v ORDER BY v.ver DESC LIMIT 1;
  PERFORM set_config('hygie.system', before, true);
  IF whose IS NOT NULL AND whose IS DISTINCT FROM NEW.party AND labels & 16 = 0 THEN
    NEW.pat := whose;
    NEW.label := labels;
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION name_refused() FROM PUBLIC;

CREATE TRIGGER name_refused BEFORE INSERT ON trace FOR EACH ROW
  WHEN (NEW.outcome IN (403, 404) AND NEW.pat IS NULL AND NEW.uid IS NOT NULL AND NEW.flags & 2 = 0)
  EXECUTE FUNCTION name_refused();
