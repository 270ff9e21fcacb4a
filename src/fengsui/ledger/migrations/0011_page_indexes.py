"""Indexes that pages are answered from, and which parties see a case by taking part alone.

``beyond`` is true until a door has found that the office's territory covers the case; the triggers set it true again
whenever a case, an office or a place moves, so that it can make a list slower, never shorter.
"""

from django.db import migrations, models

MOVES = """
CREATE FUNCTION ledger_case_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_party SET beyond = true WHERE case_id = NEW.id AND NOT beyond;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_case_elsewhere AFTER UPDATE OF place_path, duty ON ledger_case FOR EACH ROW
  WHEN ((OLD.place_path, OLD.duty) IS DISTINCT FROM (NEW.place_path, NEW.duty)) EXECUTE FUNCTION ledger_case_elsewhere();
CREATE FUNCTION ledger_office_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_party p SET beyond = true FROM region_office o
    WHERE o.id = p.office_id AND (o.id = NEW.id OR o.path LIKE NEW.path || '%') AND NOT p.beyond;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_office_elsewhere AFTER UPDATE OF kind, place_id, parent_id, path, duties ON region_office FOR EACH ROW
  WHEN ((OLD.kind, OLD.place_id, OLD.parent_id, OLD.path, OLD.duties)
        IS DISTINCT FROM (NEW.kind, NEW.place_id, NEW.parent_id, NEW.path, NEW.duties))
  EXECUTE FUNCTION ledger_office_elsewhere();
CREATE FUNCTION ledger_place_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ledger_party SET beyond = true WHERE NOT beyond;
  RETURN NULL;
END $$;
CREATE TRIGGER ledger_place_elsewhere AFTER UPDATE OF path ON region_place FOR EACH ROW
  WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION ledger_place_elsewhere();
"""
STAYS = """
DROP FUNCTION ledger_case_elsewhere() CASCADE;
DROP FUNCTION ledger_office_elsewhere() CASCADE;
DROP FUNCTION ledger_place_elsewhere() CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0010_share_reach'),
        ('region', '0001_initial'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='case',
            name='case_owner',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='case_due',
        ),
        migrations.AddField(
            model_name='party',
            name='beyond',
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False)), fields=['owner_id', 'next_due'], name='case_owner_due'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False), ('holder_id__isnull', False)), fields=['holder_id', 'next_due'], name='case_holder_due'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['-moved_at', '-id'], name='case_moved'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False), ('level__in', ('red', 'orange', 'yellow', 'blue'))), fields=['level', 'next_due'], name='case_level_due'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False)), fields=['next_due', '-opened_at', '-id'], include=('place_path', 'duty', 'level', 'confidential', 'owner_id', 'holder_id', 'mechanism', 'state', 'place_code'), name='case_open'),
        ),
        migrations.AddIndex(
            model_name='party',
            index=models.Index(condition=models.Q(('beyond', True)), fields=['office_id', 'case'], name='party_beyond'),
        ),
        migrations.RunSQL(MOVES, STAYS),
    ]
