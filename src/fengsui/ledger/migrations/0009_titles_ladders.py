"""Titles in both languages, versions that keep their ladders, and cases that come to be about a site.

A version stored before its source carried the ladders it climbs keeps those of its day beside it: a ladder changed in
the registry later must not change the deadlines of cases that live under it.
"""

from django.db import migrations, models

LADDERS = {
    "standard": [
        {"at": "-3d", "tells": ["holder"]},
        {"at": "0", "tells": ["holder", "up"]},
        {"at": "7d", "climbs": "up", "opens": ["circular"]},
        {"at": "15d", "climbs": "up"},
        {"at": "30d", "climbs": "top", "opens": ["accountability_lead"], "repeats": "30d"},
    ],
    "plain": [
        {"at": "0", "tells": ["holder", "up"]},
        {"at": "7d", "climbs": "up"},
        {"at": "15d", "climbs": "up"},
        {"at": "30d", "climbs": "top", "repeats": "30d"},
    ],
    "minutes": [
        {"at": "0", "tells": ["holder"], "effects": ["call_list"]},
        {"at": "5min", "climbs": "up", "effects": ["call_list"]},
        {"at": "10min", "climbs": "up", "effects": ["call_list"]},
        {"at": "20min", "climbs": "top", "effects": ["call_list"], "repeats": "30min"},
    ],
    "closed_plain": [
        {"at": "0", "tells": ["holder"]},
        {"at": "7d", "climbs": "leaders_named"},
        {"at": "30d", "climbs": "top", "repeats": "30d"},
    ],
    "closed_up": [
        {"at": "0", "tells": ["holder"]},
        {"at": "7d", "climbs": "upper_supervisor"},
        {"at": "30d", "climbs": "top", "repeats": "30d"},
    ],
    "closed_top": [
        {"at": "0", "tells": ["holder"]},
        {"at": "7d", "climbs": "commission"},
        {"at": "30d", "climbs": "top", "repeats": "30d"},
    ],
    "owed": [
        {"at": "0", "tells": ["holder"]},
        {"at": "1d", "climbs": "up", "tells": ["holder"]},
        {"at": "7d", "climbs": "top", "repeats": "7d"},
    ],
}
"""The shipped ladders of the versions stored so far."""


def keep_ladders(apps, schema_editor):
    versions = apps.get_model("ledger", "MechanismVersion")
    for version in versions.objects.all():
        if "ladders" not in version.source:
            version.ladders = LADDERS
            version.save(update_fields=["ladders"])


CASE_MOVES = """
CREATE OR REPLACE FUNCTION ledger_case_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.mechanism, NEW.opened_at, NEW.parent_id, NEW.root_id,
      NEW.confidential, NEW.exercise, NEW.adopted, NEW.opener_id, NEW.raiser)
     IS DISTINCT FROM
     (OLD.id, OLD.mechanism, OLD.opened_at, OLD.parent_id, OLD.root_id,
      OLD.confidential, OLD.exercise, OLD.adopted, OLD.opener_id, OLD.raiser) THEN
    RAISE EXCEPTION 'case %: where it comes from never changes', OLD.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.seq <> OLD.seq + 1 AND
     (NEW.seq, NEW.state, NEW.version_id, NEW.number, NEW.title, NEW.title_en, NEW.about_kind, NEW.about_id,
      NEW.place_code, NEW.place_path, NEW.duty, NEW.fields, NEW.core, NEW.owner_id, NEW.level, NEW.ended, NEW.ended_at)
     IS DISTINCT FROM
     (OLD.seq, OLD.state, OLD.version_id, OLD.number, OLD.title, OLD.title_en, OLD.about_kind, OLD.about_id,
      OLD.place_code, OLD.place_path, OLD.duty, OLD.fields, OLD.core, OLD.owner_id, OLD.level, OLD.ended, OLD.ended_at) THEN
    RAISE EXCEPTION 'case %: it moves by exactly one entry at a time (from % to %)', OLD.id, OLD.seq, NEW.seq
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_shares_sights")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("case", "title", "title_zh"),
                migrations.AlterField("case", "title_zh", models.CharField(db_column="title", max_length=300)),
            ]
        ),
        migrations.AddField("case", "title_en", models.CharField(blank=True, default="", db_default="", max_length=300)),
        migrations.AddField("mechanismversion", "ladders", models.JSONField(default=dict)),
        migrations.RunPython(keep_ladders, migrations.RunPython.noop),
        migrations.RunSQL(CASE_MOVES, migrations.RunSQL.noop),
    ]
