"""Which open cases the demonstration holds: about 120, in all states, over the whole region."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from fengsui.ledger import doors, mechanisms
from fengsui.region.models import Place, Site

from .drawing import Chance, data
from .lives import Lives, Stuck, Subject

STEPS = {"hazard": timedelta(hours=20), "warning": timedelta(minutes=6), "instruction": timedelta(hours=9)}
"""How long people take between two acts, on the average."""
OTHERWISE = timedelta(hours=7)


def wanted() -> Iterator[tuple[str, str]]:
    """``(mechanism, state)`` of every life that shall be led."""
    for name, counts in data("cases")["lives"].items():
        mechanism = mechanisms.current(name)
        for state in (*mechanism.states, *mechanism.ends):
            yield from [(name, state)] * int(counts.get(state, counts["other"]))


def subject(name: str, chance: Chance, sites: list[Site], region: str, serial: int) -> Subject:
    """What the case is about: a site for hazards and warnings, a paper of the region's office otherwise."""
    known, plain = data("cases")["titles"], [dict(mechanisms.current(name).title)]
    if mechanisms.current(name).about != "site":
        title = chance.random.choice(known.get(name) or plain)
        return Subject(doors.About("paper", f"demo-{serial}", place_code=region, title=title["zh"], title_en=title["en"]), None)
    site = chance.random.choice(sites)
    title = chance.random.choice(known.get(f"{name}.{site.industry}") or known.get(f"{name}.other") or plain)
    duty = site.duties[0] if site.duties else ""
    return Subject(doors.About("site", str(site.pk), duty=duty, title=title["zh"], title_en=title["en"]), site)


def run(say: Callable[[str], None], now: datetime, *, seed: int, photo: Callable[[Site | None, datetime], str]) -> dict[str, int]:
    """Lead all the lives; gives how many cases of each mechanism there are and how many could not be led."""
    chance = Chance(seed)
    lives = Lives(chance, now, photo)
    sites = list(
        Site.objects.unscoped("the demonstration's cases").select_related("office").exclude(code="HC-150207-01").order_by("pk")
    )
    region = Place.objects.get(level=Place.Level.REGION).pk
    counts: dict[str, int] = {}
    for serial, (name, state) in enumerate(wanted()):
        step = STEPS.get(name, OTHERWISE)
        back = step * (6 if name != "warning" else 4) * (0.4 + chance.random.random())
        try:
            lives.lead(name, state, subject(name, chance, sites, region, serial), now - back, step)
        except (Stuck, doors.Refused) as error:
            counts["not led"] = counts.get("not led", 0) + 1
            say(f"  not led: {name} to {state}: {error}")
            continue
        counts[name] = counts.get(name, 0) + 1
    return counts
