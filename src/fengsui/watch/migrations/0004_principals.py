"""An alarm's act keeps both: the deputy who did it, and whose act it is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("watch", "0003_rule_changes")]

    operations = [
        migrations.AddField("alarmevent", "principal", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("concealment", "principal", models.BigIntegerField(blank=True, null=True)),
    ]
