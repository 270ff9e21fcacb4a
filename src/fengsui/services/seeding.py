"""Fills an empty database with the demo's region; run as ``python -m fengsui.services.seeding`` by the demo.

In: ``DATABASE_URL`` of the owner, an empty database. Out: the region, its open cases, alarm rules, a token for each
site, and its devices' last hours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any


def seed() -> None:
    """Seed in the order that the rooms need: region, alarm rules, the sites' tokens, their past hours, cases."""
    import django

    django.setup()
    from django.conf import settings

    from fengsui import moment
    from fengsui.region.models import Site
    from fengsui.services.demo import matters
    from fengsui.services.demo import seed as region
    from fengsui.watch import credentials, history, rules, simulator

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    region.run(say, moment.now())
    rules.install(moment.now())
    credentials.issue(Site.objects.unscoped("each site gets its stream token"), moment.now())
    history.Store(settings.DATA_DIR / "history").write_part([simulator.past(moment.now())])
    say("history: the devices' last four hours, made up")
    led = matters.run(say, moment.now(), seed=region.SEED, photo=photos())
    say("cases: " + ", ".join(f"{count} {name}" for name, count in sorted(led.items())))


def photos() -> Callable[[Any, datetime], str]:
    """Takes a photo at a site and keeps it as evidence; one for each site is enough for made-up matters."""
    from django.core.files.base import ContentFile

    from fengsui.ledger import evidence
    from fengsui.ledger.kernel.shapes import Actor
    from fengsui.services.exercise import photo

    kept: dict[str, str] = {}

    def take(site: Any, at: datetime) -> str:
        code = site.code if site else ""
        if code not in kept:
            lon, lat = (site.lon, site.lat) if site else (111.67, 40.82)
            file = ContentFile(photo.taken(lon, lat, at, code), name=f"{code or 'paper'}.jpg")
            kept[code] = evidence.store(file, Actor("system"), at).digest
        return kept[code]

    return take


if __name__ == "__main__":
    seed()
