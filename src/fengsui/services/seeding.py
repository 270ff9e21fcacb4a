"""Fills an empty database with the demo's region; run as ``python -m fengsui.services.seeding`` by the demo.

In: ``DATABASE_URL`` of the owner, an empty database. Out: the region, its open cases, alarm rules, and a token for each site.
"""

from __future__ import annotations

import sys


def seed() -> None:
    """Seed in the order that the rooms need: region and cases, alarm rules, the sites' tokens."""
    import django

    django.setup()
    from fengsui import moment
    from fengsui.region.models import Site
    from fengsui.services.demo import seed as region
    from fengsui.watch import credentials, rules

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    region.run(say, moment.now())
    rules.install(moment.now())
    credentials.issue(Site.objects.unscoped("each site gets its stream token"), moment.now())


if __name__ == "__main__":
    seed()
