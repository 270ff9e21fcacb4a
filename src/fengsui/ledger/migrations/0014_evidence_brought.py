"""Who sent a file in, kept for everybody who did: naming a file in an act asks for it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0013_wait_indexes")]

    operations = [
        migrations.CreateModel(
            name="EvidenceBrought",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "evidence",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="brought",
                        to="ledger.evidence",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("evidence", "person_id"), name="evidence_brought_once")],
            },
        ),
    ]
