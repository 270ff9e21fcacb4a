"""Leave room on each page of cases for the next version of a row.

An act changes columns that no index holds; with room on the page PostgreSQL need not write an entry into each of a
dozen indexes for it (a heap-only update). Pages written from now on have the room; ``VACUUM FULL`` would give it to others.
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
