
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Case',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('mechanism', models.CharField(max_length=64)),
                ('number', models.CharField(max_length=64, null=True, unique=True)),
                ('external_number', models.CharField(blank=True, max_length=128)),
                ('title', models.CharField(max_length=300)),
                ('seq', models.PositiveIntegerField()),
                ('state', models.CharField(max_length=64)),
                ('fields', models.JSONField(default=dict)),
                ('core', models.JSONField(default=dict)),
                ('owner_id', models.BigIntegerField(null=True)),
                ('holder_id', models.BigIntegerField(null=True)),
                ('about_kind', models.CharField(blank=True, max_length=32)),
                ('about_id', models.CharField(blank=True, max_length=64)),
                ('place_code', models.CharField(blank=True, max_length=12)),
                ('place_path', models.CharField(blank=True, max_length=64)),
                ('duty', models.CharField(blank=True, max_length=32)),
                ('level', models.CharField(blank=True, max_length=16)),
                ('opener_id', models.BigIntegerField(null=True)),
                ('raiser', models.JSONField(default=dict)),
                ('unique_key', models.CharField(max_length=200, null=True)),
                ('confidential', models.BooleanField(default=False)),
                ('readers', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('exercise', models.BooleanField(default=False)),
                ('adopted', models.BooleanField(default=False)),
                ('ended', models.BooleanField(default=False)),
                ('opened_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('moved_at', models.DateTimeField()),
                ('next_due', models.DateTimeField(null=True)),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='ledger.case')),
                ('root', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='descendants', to='ledger.case')),
            ],
            options={
                'ordering': ['-opened_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('name', models.CharField(max_length=160, primary_key=True, serialize=False)),
                ('value', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('seq', models.PositiveIntegerField()),
                ('act', models.CharField(max_length=64)),
                ('state_before', models.CharField(blank=True, max_length=64)),
                ('state_after', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('person_id', models.BigIntegerField(null=True)),
                ('principal_id', models.BigIntegerField(null=True)),
                ('post_id', models.BigIntegerField(null=True)),
                ('office_id', models.BigIntegerField(null=True)),
                ('key', models.CharField(blank=True, max_length=128)),
                ('body', models.BinaryField(null=True)),
                ('salt', models.BinaryField(null=True)),
                ('previous', models.BinaryField()),
                ('leaf', models.BinaryField()),
                ('case', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='ledger.case')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255)),
                ('media_type', models.CharField(max_length=100)),
                ('size', models.BigIntegerField()),
                ('position', models.JSONField(null=True)),
                ('person_id', models.BigIntegerField(null=True)),
                ('office_id', models.BigIntegerField(null=True)),
                ('stored_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Head',
            fields=[
                ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                ('root', models.BinaryField()),
                ('at', models.DateTimeField()),
                ('key_id', models.CharField(max_length=64)),
                ('signature', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100)),
                ('secret_hash', models.CharField(max_length=64, unique=True)),
                ('person_id', models.BigIntegerField()),
                ('post_id', models.BigIntegerField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Reporter',
            fields=[
                ('case', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reporter', serialize=False, to='ledger.case')),
                ('secret_hash', models.CharField(max_length=64, unique=True)),
                ('sealed', models.BinaryField(null=True)),
                ('key_id', models.CharField(blank=True, max_length=64)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Clock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('place', models.PositiveIntegerField(db_default=0)),
                ('holder_id', models.BigIntegerField(null=True)),
                ('person_id', models.BigIntegerField(null=True)),
                ('first', models.DateTimeField(null=True)),
                ('n', models.PositiveIntegerField(default=1)),
                ('again', models.CharField(default='once', max_length=4)),
                ('ladder', models.CharField(max_length=64)),
                ('start', models.DateTimeField()),
                ('due', models.DateTimeField()),
                ('amount', models.CharField(blank=True, max_length=32)),
                ('law', models.CharField(blank=True, max_length=80)),
                ('law_version', models.CharField(blank=True, max_length=32)),
                ('calendar', models.CharField(blank=True, max_length=32)),
                ('provisional', models.BooleanField(default=False)),
                ('stopped', models.DateTimeField(null=True)),
                ('answered_by', models.BigIntegerField(null=True)),
                ('paused_at', models.DateTimeField(null=True)),
                ('pause_used', models.PositiveIntegerField(default=0)),
                ('rung', models.PositiveIntegerField(default=0)),
                ('next_rung_at', models.DateTimeField(null=True)),
                ('current', models.BooleanField(default=True)),
                ('exercise', models.BooleanField(default=False)),
                ('case', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='clocks', to='ledger.case')),
            ],
            options={
                'ordering': ['case_id', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='receipt', serialize=False, to='ledger.entry')),
                ('at', models.DateTimeField()),
                ('body', models.BinaryField()),
                ('key_id', models.CharField(max_length=64)),
                ('signature', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='EvidenceUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.CharField(max_length=64)),
                ('case', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='evidence_uses', to='ledger.case')),
                ('entry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='ledger.entry')),
                ('evidence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='ledger.evidence')),
            ],
        ),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caller', models.CharField(max_length=64)),
                ('key', models.CharField(max_length=128)),
                ('body_hash', models.BinaryField()),
                ('receipt', models.JSONField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('caller', 'key'), name='idempotency_once')],
            },
        ),
        migrations.CreateModel(
            name='Leaf',
            fields=[
                ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                ('hash', models.BinaryField()),
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='tree_leaf', to='ledger.entry')),
            ],
        ),
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=16)),
                ('at', models.DateTimeField()),
                ('from_case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links_out', to='ledger.case')),
                ('to_case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links_in', to='ledger.case')),
            ],
        ),
        migrations.CreateModel(
            name='MechanismVersion',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64)),
                ('number', models.PositiveIntegerField()),
                ('source', models.JSONField()),
                ('certificate', models.JSONField(null=True)),
                ('stored_at', models.DateTimeField()),
                ('current', models.BooleanField(default=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('name', 'number'), name='mechanism_version_number'), models.UniqueConstraint(condition=models.Q(('current', True)), fields=('name',), name='mechanism_one_current')],
            },
        ),
        migrations.AddField(
            model_name='case',
            name='version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='cases', to='ledger.mechanismversion'),
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rung', models.PositiveIntegerField(null=True)),
                ('role', models.CharField(max_length=64)),
                ('office_id', models.BigIntegerField(null=True)),
                ('person_id', models.BigIntegerField(null=True)),
                ('kind', models.CharField(max_length=32)),
                ('text', models.CharField(max_length=200)),
                ('args', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(null=True)),
                ('seen_by', models.BigIntegerField(null=True)),
                ('exercise', models.BooleanField(default=False)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='ledger.case')),
                ('clock', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to='ledger.clock')),
                ('entry', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='ledger.entry')),
            ],
            options={
                'ordering': ['-at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='Outbox',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(max_length=64)),
                ('payload', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('position', models.BigIntegerField(null=True, unique=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True)),
                ('case', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='outbox', to='ledger.case')),
                ('entry', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='ledger.entry')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Party',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('office_id', models.BigIntegerField()),
                ('kind', models.CharField(max_length=16)),
                ('since', models.DateTimeField()),
                ('case', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parties', to='ledger.case')),
            ],
        ),
        migrations.CreateModel(
            name='Rung',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rung', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
                ('fired_at', models.DateTimeField()),
                ('climbed_to', models.BigIntegerField(null=True)),
                ('clock', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rungs', to='ledger.clock')),
            ],
        ),
        migrations.CreateModel(
            name='SearchText',
            fields=[
                ('case', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='search_text', serialize=False, to='ledger.case')),
                ('bigrams', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['bigrams'], name='case_bigrams')],
            },
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('next_rung_at__isnull', False)), fields=['next_rung_at'], name='clock_next_rung'),
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('stopped__isnull', True)), fields=['holder_id', 'due'], name='clock_holder_due'),
        ),
        migrations.AddConstraint(
            model_name='clock',
            constraint=models.UniqueConstraint(fields=('case', 'name', 'holder_id', 'person_id', 'n', 'start'), name='clock_once', nulls_distinct=False),
        ),
        migrations.AddField(
            model_name='receipt',
            name='case',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='ledger.case'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('person_id__isnull', False)), fields=['person_id', 'at'], name='entry_person'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('case', 'seq'), name='entry_case_seq'),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.UniqueConstraint(fields=('case', 'seq', 'state_after'), name='entry_case_seq_state'),
        ),
        migrations.AddConstraint(
            model_name='evidenceuse',
            constraint=models.UniqueConstraint(fields=('case', 'entry', 'evidence', 'field'), name='evidence_use_once'),
        ),
        migrations.AddConstraint(
            model_name='link',
            constraint=models.UniqueConstraint(fields=('from_case', 'to_case', 'kind'), name='link_once'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['-opened_at', '-id'], name='case_opened'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['owner_id', 'ended'], name='case_owner'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['mechanism', 'state'], name='case_mechanism_state'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['place_path', 'duty'], name='case_place', opclasses=['varchar_pattern_ops', 'varchar_ops']),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['about_kind', 'about_id'], name='case_about'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('ended', False)), fields=['next_due'], name='case_due'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(('confidential', True)), fields=['readers'], name='case_readers'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.UniqueConstraint(condition=models.Q(('ended', False)), fields=('mechanism', 'unique_key'), name='case_one_open_per_key'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('seen_at__isnull', True)), fields=['office_id', '-at'], name='notice_unseen'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(fields=['person_id', '-at'], name='notice_person'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(condition=models.Q(('clock__isnull', False)), fields=('clock', 'rung', 'role', 'office_id', 'person_id'), name='notice_once_per_rung', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='outbox',
            index=models.Index(condition=models.Q(('position__isnull', True)), fields=['id'], name='outbox_unplaced'),
        ),
        migrations.AddIndex(
            model_name='outbox',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['next_attempt_at'], name='outbox_undone'),
        ),
        migrations.AddIndex(
            model_name='party',
            index=models.Index(fields=['office_id', 'case'], name='party_office'),
        ),
        migrations.AddConstraint(
            model_name='party',
            constraint=models.UniqueConstraint(fields=('case', 'office_id'), name='party_once'),
        ),
        migrations.AddConstraint(
            model_name='rung',
            constraint=models.UniqueConstraint(fields=('clock', 'rung'), name='rung_fires_once'),
        ),
    ]
