"""Leave room on each page of cases for the next version of a row.

With room, the next version of a case lies on the page of the one before, which the act has just read. No act is a heap-only
update, though: each changes ``moved_at``, which the index of the latest moves holds, so that every index gets an entry for
it. That index is what "latest first" reads. Pages written from now on have the room; ``VACUUM FULL`` would give it to others.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ledger", "0011_page_indexes")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE ledger_case SET (fillfactor = 75)",
            "ALTER TABLE ledger_case RESET (fillfactor)",
        ),
    ]
