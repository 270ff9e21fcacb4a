"""The database's own guards: a case cannot move without an entry, whoever writes."""

from django.db import migrations

STATE_HAS_ENTRY = """
ALTER TABLE ledger_case ADD CONSTRAINT case_state_has_entry
  FOREIGN KEY (id, seq, state) REFERENCES ledger_entry (case_id, seq, state_after)
  DEFERRABLE INITIALLY DEFERRED
"""

CASE_MOVES = """
CREATE FUNCTION ledger_case_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.mechanism, NEW.opened_at, NEW.parent_id, NEW.root_id, NEW.about_kind, NEW.about_id,
      NEW.confidential, NEW.exercise, NEW.adopted, NEW.opener_id, NEW.raiser)
     IS DISTINCT FROM
     (OLD.id, OLD.mechanism, OLD.opened_at, OLD.parent_id, OLD.root_id, OLD.about_kind, OLD.about_id,
      OLD.confidential, OLD.exercise, OLD.adopted, OLD.opener_id, OLD.raiser) THEN
    RAISE EXCEPTION 'case %: what it is about and where it comes from never change', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.seq <> OLD.seq + 1 AND
     (NEW.seq, NEW.state, NEW.version_id, NEW.number, NEW.title, NEW.fields, NEW.core, NEW.owner_id,
      NEW.level, NEW.ended, NEW.ended_at)
     IS DISTINCT FROM
     (OLD.seq, OLD.state, OLD.version_id, OLD.number, OLD.title, OLD.fields, OLD.core, OLD.owner_id,
      OLD.level, OLD.ended, OLD.ended_at) THEN
    RAISE EXCEPTION 'case %: it moves by exactly one entry at a time (from % to %)', OLD.id, OLD.seq, NEW.seq
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_case_moves BEFORE UPDATE ON ledger_case
  FOR EACH ROW EXECUTE FUNCTION ledger_case_moves();
"""

ERASE = """
CREATE FUNCTION ledger_erase(target bigint, authority bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM ledger_entry a JOIN ledger_entry t ON t.case_id = a.case_id
                 WHERE a.id = authority AND t.id = target AND a.act = 'erase' AND a.id > t.id) THEN
    RAISE EXCEPTION 'entry % is erased only under a later erasure entry of its own case', target
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  UPDATE ledger_entry SET body = NULL, salt = NULL WHERE id = target;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(STATE_HAS_ENTRY, "ALTER TABLE ledger_case DROP CONSTRAINT case_state_has_entry"),
        migrations.RunSQL(CASE_MOVES, "DROP FUNCTION ledger_case_moves() CASCADE"),
        migrations.RunSQL(ERASE, "DROP FUNCTION ledger_erase(bigint, bigint)"),
    ]
