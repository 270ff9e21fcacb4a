"""Answer the lists of one level, of one state, by last act and by opening, with their counts, from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0014_evidence_brought'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='case',
            name='case_opened',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='case_mechanism_state',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='case_moved',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='case_level_due',
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['-opened_at', '-id'], include=('place_path', 'place_code', 'duty', 'confidential', 'owner_id', 'holder_id', 'mechanism', 'state', 'level', 'ended'), name='case_opened'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['-moved_at', '-id'], include=('place_path', 'place_code', 'duty', 'confidential', 'owner_id', 'holder_id', 'mechanism', 'state', 'level', 'ended', 'next_due'), name='case_moved'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False), ('level__in', ('red', 'orange', 'yellow', 'blue'))), fields=['level', 'next_due'], include=('place_path', 'place_code', 'duty', 'confidential', 'owner_id', 'holder_id', 'mechanism', 'state', 'opened_at', 'id'), name='case_open_level'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False)), fields=['mechanism', 'state'], include=('place_path', 'place_code', 'duty', 'confidential', 'owner_id', 'holder_id', 'level', 'next_due', 'opened_at', 'id'), name='case_open_state'),
        ),
    ]
