"""What was changed stays on record; a supervision given or ended renews the office tree."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION region_change_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a change on record is never changed or deleted; make another change';
END $$;
CREATE TRIGGER region_change_stays BEFORE UPDATE OR DELETE ON region_change
FOR EACH ROW EXECUTE FUNCTION region_change_stays();
CREATE TRIGGER region_supervision_revision AFTER INSERT OR UPDATE OR DELETE ON region_supervision
FOR EACH STATEMENT EXECUTE FUNCTION region_new_revision();
"""
BACKWARD = """
DROP TRIGGER region_supervision_revision ON region_supervision;
DROP TRIGGER region_change_stays ON region_change; DROP FUNCTION region_change_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("region", "0003_changes")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
