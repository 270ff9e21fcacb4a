"""An amendment may enter, end and rename a row of a table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("law", "0002_append_only")]
    operations = [
        migrations.AddField("lawedit", "change", models.CharField(max_length=10, default="replace", db_default="replace")),
        migrations.AlterField("lawedit", "content", models.JSONField(null=True)),
    ]
