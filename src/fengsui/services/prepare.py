"""Brings the database to this version, as its owner, before the processes start.

In: ``DATABASE_URL`` of the owner, ``FENGSUI_APP_DATABASE_URL`` of the processes. Out: migrated tables, the
application's role able to sign in, the region's places, and the ledger's mechanisms stored under their versions. Run as
``python -m fengsui.services.prepare`` by the supervisor; it ends with 0, or a sentence and 1.
"""

from __future__ import annotations

import os
from typing import Any


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
    from fengsui.ledger import database, mechanisms
    from fengsui.region import geography

    database.grant()
    geography.write_places()
    if address := os.environ.get("FENGSUI_APP_DATABASE_URL"):
        database.let_sign_in(address)
    mechanisms.store(moment.now(), _certificates())
    mechanisms.refuse_missing()
    for sentence in mechanisms.uncarried():
        print(sentence)  # noqa: T201 - the supervisor's log shows it at each start


def _certificates() -> dict[str, Any]:
    """The proof of each mechanism on disk and of its exercise's wording, by digest; empty when all are stored already.

    A mechanism that is not proven closed is refused: `SystemExit` naming the first findings.
    """
    from django.conf import settings

    from fengsui.ledger import mechanisms
    from fengsui.ledger.models import MechanismVersion
    from fengsui.ledger.proof import check
    from fengsui.ledger.proof.shipped_proof import shipped_law, shipped_names

    found = mechanisms.on_disk()
    quick = {name: mechanisms.at_pace(mechanism, settings.EXERCISE_PACE) for name, mechanism in found.items()}
    current = set(MechanismVersion.objects.filter(current=True).values_list("digest", flat=True))
    known = set(MechanismVersion.objects.values_list("digest", flat=True))
    if all(one.digest in current for one in found.values()) and all(one.digest in known for one in quick.values()):
        return {}
    proofs: dict[str, Any] = {}
    for wordings, law in ((found, shipped_law()), (quick, shipped_law().without_rungs())):
        report = check(wordings, shipped_names(), law)
        if not report.ok:
            raise SystemExit(
                "a mechanism is not proven closed (fengsui check says why): " + "; ".join(f.says for f in report.findings[:3])
            )
        proofs |= {certificate.digest: certificate.plain() for certificate in report.certificates.values()}
    return proofs


if __name__ == "__main__":
    prepare()
