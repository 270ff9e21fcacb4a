"""A new revision token also where a one-time password is made or replaced: it lets somebody sign in up to its day only."""

from django.db import migrations

DROP = "DROP TRIGGER region_account_revision ON region_account;\n"
FORWARD = (
    DROP
    + """
CREATE TRIGGER region_account_revision AFTER UPDATE OF is_active, one_time_until ON region_account
    FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active OR OLD.one_time_until IS DISTINCT FROM NEW.one_time_until)
    EXECUTE FUNCTION region_new_revision();
UPDATE region_revision SET token = gen_random_uuid();
"""
)
BACKWARD = (
    DROP
    + """
CREATE TRIGGER region_account_revision AFTER UPDATE OF is_active ON region_account
    FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active) EXECUTE FUNCTION region_new_revision();
"""
)


class Migration(migrations.Migration):
    dependencies = [("region", "0007_accounts_in_the_picture")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
