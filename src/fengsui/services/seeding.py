"""Fills an empty database with the demo's region; run as ``python -m fengsui.services.seeding`` by the demo.

In: ``DATABASE_URL`` of the owner, an empty database. Out: the region, its open cases, and a token for each site.
"""

from __future__ import annotations

import sys


def seed() -> None:
    """Seed in the order that the rooms need: region and cases, then the sites' tokens."""
    import django

    django.setup()
    from django.conf import settings

    from fengsui import moment
    from fengsui.region.models import Site
    from fengsui.services import nats
    from fengsui.services.demo import seed as region

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    region.run(say, moment.now())
    codes = Site.objects.unscoped("each site gets its stream token").values_list("code", flat=True)
    nats.grant(settings.DATA_DIR, list(codes))


if __name__ == "__main__":
    seed()
