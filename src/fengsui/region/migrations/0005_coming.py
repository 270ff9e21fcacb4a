"""Changes dated ahead wait in a table of their own; those recorded before it was there wait in it from now on."""

import django.db.models.deletion
from django.db import migrations, models

from fengsui import moment

KINDS = ("rename", "merge", "supervision", "begin_holding", "end_holding")


def take_in(apps, schema_editor):
    """What was recorded so far did its moves at once: on the day only those who listen are told. It is not taken back."""
    Change, Coming = apps.get_model("region", "Change"), apps.get_model("region", "Coming")
    rows = Change.objects.filter(kind__in=KINDS, since__gt=moment.now()).filter(since__gt=models.F("at"))
    Coming.objects.bulk_create(Coming(change=row, due=row.since, key=f"recorded:{row.pk}") for row in rows)


class Migration(migrations.Migration):

    dependencies = [
        ('region', '0004_changes_stay'),
    ]

    operations = [
        migrations.CreateModel(
            name='Coming',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due', models.DateTimeField()),
                ('key', models.CharField(max_length=80)),
                ('how', models.JSONField(default=dict)),
                ('outcome', models.CharField(blank=True, choices=[('', '待生效'), ('done', '已生效'), ('taken_back', '已撤回'), ('overtaken', '已被取代')], default='', max_length=12)),
                ('settled_at', models.DateTimeField(null=True)),
                ('failed', models.TextField(blank=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='region.change')),
                ('change', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='coming', to='region.change')),
            ],
            options={
                'ordering': ['due', 'id'],
                'indexes': [models.Index(condition=models.Q(('outcome', '')), fields=['due'], name='region_coming_due'), models.Index(condition=models.Q(('outcome', '')), fields=['key'], name='region_coming_key')],
            },
        ),
        migrations.RunPython(take_in, migrations.RunPython.noop),
    ]
