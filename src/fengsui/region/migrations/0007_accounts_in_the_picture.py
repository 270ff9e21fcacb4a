"""A new revision token where somebody can sign in or no more, and where posts are lent: who answers depends on it."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER region_account_revision AFTER UPDATE OF is_active ON region_account
    FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active) EXECUTE FUNCTION region_new_revision();
CREATE TRIGGER region_person_revision AFTER UPDATE OF account_id ON region_person
    FOR EACH ROW WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id) EXECUTE FUNCTION region_new_revision();
CREATE TRIGGER region_delegation_revision AFTER INSERT OR UPDATE OR DELETE ON region_delegation
    FOR EACH STATEMENT EXECUTE FUNCTION region_new_revision();
UPDATE region_revision SET token = gen_random_uuid();
"""
BACKWARD = """
DROP TRIGGER region_account_revision ON region_account;
DROP TRIGGER region_person_revision ON region_person;
DROP TRIGGER region_delegation_revision ON region_delegation;
"""


class Migration(migrations.Migration):
    dependencies = [("region", "0006_coming_tries")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
