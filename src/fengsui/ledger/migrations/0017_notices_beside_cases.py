"""A notice may be about an office's shared scope, and then about no case."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0016_version_wording'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notice',
            name='case',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='ledger.case'),
        ),
    ]
