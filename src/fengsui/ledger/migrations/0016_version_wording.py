"""A version keeps the order of its own file; of those stored before it is today's file's until they are stored again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0015_list_indexes")]

    operations = [
        migrations.AddField("mechanismversion", "wording", models.TextField(blank=True, db_default="", default="")),
    ]
