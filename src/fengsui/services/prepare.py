"""Brings the database to this version, as its owner, before the processes start.

In: ``DATABASE_URL`` of the owner. Out: migrated tables and the ledger's mechanisms stored under their
versions. Run as ``python -m fengsui.services.prepare`` by the supervisor; it ends with 0, or a sentence and 1.
"""

from __future__ import annotations


def prepare() -> None:
    """Migrate; idempotent and quick when there is nothing to do."""
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    from fengsui import moment
    from fengsui.ledger import mechanisms

    mechanisms.store(moment.now())
    mechanisms.refuse_missing()


if __name__ == "__main__":
    prepare()
