"""An alarm's record keeps the grounds of a changed rule whole. PostgreSQL changes the type without touching a row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("watch", "0004_principals")]

    operations = [migrations.AlterField("alarmevent", "text", models.TextField(blank=True))]
