"""Counting the last minutes' alarms needs their order in time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("watch", "0001_initial")]

    operations = [
        migrations.AddIndex("alarm", models.Index(fields=["-raised_at"], name="watch_alarm_raised")),
    ]
