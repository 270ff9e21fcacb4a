"""An amendment of the law stays as it was recorded."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION law_edit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an amendment of the law is never changed or deleted; record another one';
END $$;
CREATE TRIGGER law_edit_stays BEFORE UPDATE OR DELETE ON law_lawedit
FOR EACH ROW EXECUTE FUNCTION law_edit_stays();
"""
BACKWARD = "DROP TRIGGER law_edit_stays ON law_lawedit; DROP FUNCTION law_edit_stays();"


class Migration(migrations.Migration):
    dependencies = [("law", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
