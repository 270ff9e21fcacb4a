"""A new revision token with every change of what the office tree holds, bulk and raw writes included."""

from django.db import migrations

TABLES = ("place", "office", "post", "holding", "site")

FORWARD = """
CREATE FUNCTION region_new_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO region_revision (id, token) VALUES (1, gen_random_uuid())
    ON CONFLICT (id) DO UPDATE SET token = excluded.token;
    RETURN NULL;
END $$;
""" + "".join(
    f"CREATE TRIGGER region_{table}_revision AFTER INSERT OR UPDATE OR DELETE ON region_{table} "
    f"FOR EACH STATEMENT EXECUTE FUNCTION region_new_revision();\n"
    for table in TABLES
)
BACKWARD = "".join(f"DROP TRIGGER region_{table}_revision ON region_{table};\n" for table in TABLES) + (
    "DROP FUNCTION region_new_revision();"
)


class Migration(migrations.Migration):
    dependencies = [("region", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
