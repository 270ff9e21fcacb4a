"""Fills a platform's empty database as its owner: ``python -m tests.integration.system.region FILE``.

In: the owner's environment. Out: the small region, two plants of ten points each that reach their limits at once,
and FILE with what the load needs: the sites' stream tokens, people's API tokens, a criterion of a hazard.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

POINTS = 10
LIMIT, QUIET, BEYOND = 80.0, 50.0, 95.0
WAYS = 4
KINDS = ("pressure", "level", "flow", "temperature")
"""Kinds of hazard at each plant: each has its own warning."""


def fill(target: Path) -> None:
    """Seed, and write the secrets to ``target`` (mode 0600)."""
    import django

    django.setup()
    from tests.small_region import build

    from fengsui.ledger import mechanisms, tokens
    from fengsui.ledger.doors.facts import choices_of
    from fengsui.moment import now as present
    from fengsui.region.models import Site
    from fengsui.watch import credentials

    now = present()
    small = build(now)
    first = small.site
    first.synthetic = True
    first.save()
    second = Site.objects.unscoped("seeding").get(pk=first.pk)
    second.pk, second.code, second._state.adding = None, "HC-2", True
    second.save()
    for site in (first, second):
        _points(site, now)
    people = {}
    for office in ("county", "plant"):
        for number, one in enumerate(small.people[office]):
            _, secret = tokens.issue("load", one.acting, now=now, expires=now + timedelta(days=1))
            people[f"{office}{number}"] = {"token": secret, "person": one.person.pk}
    criterion = min(choices_of(mechanisms.current("hazard"), now)["criterion"])
    told = {"sites": credentials.issue([first, second], now), "people": people, "criterion": criterion, "site": str(first.pk)}
    target.touch(mode=0o600)
    target.write_text(json.dumps(told))


def _points(site, now) -> None:
    from fengsui.region.models import Point
    from fengsui.watch.models import Rule

    made = Point.objects.bulk_create(
        Point(site=site, tag=f"PT-{n}", name_zh="压力", name_en="Pressure", quantity="pressure", measure="MPa", normal=QUIET)
        for n in range(POINTS)
    )
    Rule.objects.bulk_create(
        Rule(
            point=point, level="H", limit=LIMIT, deadband=1.0, priority=1, hazard_kind=KINDS[n % WAYS], colour="red",
            since=now - timedelta(hours=1),
        )
        for n, point in enumerate(made)
    )  # fmt: skip


if __name__ == "__main__":
    fill(Path(sys.argv[1]))
