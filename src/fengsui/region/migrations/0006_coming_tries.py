"""Why a change could not be carried out, in English too; how often it was tried, and when it is tried again."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('region', '0005_coming'),
    ]

    operations = [
        migrations.AddField('coming', 'failed_en', models.TextField(blank=True, db_default='', default='')),
        migrations.AddField('coming', 'tries', models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AddField('coming', 'next_try', models.DateTimeField(null=True)),
    ]
