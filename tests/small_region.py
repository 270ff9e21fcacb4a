"""A small real region in the database: one league of two counties, a bureau at each level, one plant.

``build(now)`` returns the offices, the site and, by office name, its persons ready to act.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from fengsui.ledger import mechanisms
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import EvidenceBrought, MechanismVersion
from fengsui.region.acting import Acting
from fengsui.region.models import Account, Certificate, Holding, Office, Person, Place, Post, Site
from tests.molds import cast

WORKS = ("hazchem", "mines", "duty")
PEOPLE = ("enforcement", "inspection", "duty", "leading", "supervision", "registry")
SITE_AT = (110.0, 40.0)


@dataclass(frozen=True)
class Somebody:
    """A person in a post, with a sign-in."""

    person: Person
    post: Post
    account: Account

    @property
    def acting(self) -> Acting:
        return Acting(self.person.pk, self.post.pk, self.post.office_id)

    @property
    def actor(self) -> Actor:
        return Actor(kind="person", person=self.person.pk, office=self.post.office_id, post=self.post.pk)


@dataclass
class Small:
    """What ``build`` made. ``people[office]`` are two or three persons of that office."""

    top: Office
    league: Office
    county: Office
    other: Office
    plant: Office
    site: Site
    place: Place
    people: dict[str, list[Somebody]] = field(default_factory=dict)

    def one(self, office: str, number: int = 0) -> Somebody:
        return self.people[office][number]


def _place(code: str, zh: str, en: str, level: str, parent: Place | None) -> Place:
    """A place that a platform's own start may have made already."""
    found, _ = Place.objects.get_or_create(code=code, defaults={"name_zh": zh, "name_en": en, "level": level, "parent": parent})
    return found


_TABLES = (Place, Office, Site, Account, Person, Post, Holding, Certificate, MechanismVersion)
_IN_POST, _CERTIFIED = timedelta(days=400), timedelta(days=300)


def build(now: datetime) -> Small:
    """Make it all, with the mechanisms stored."""
    stored = tuple(mechanism.digest for mechanism in mechanisms.on_disk().values())
    days = (0, -_IN_POST.days, -_CERTIFIED.days, _CERTIFIED.days)
    small = cast(("small region", stored, settings.EXERCISE_PACE), _TABLES, _build, now, days)
    mechanisms.store(now)  # there already where the rows were set again; forgets what this process knew
    return small


def _build(now: datetime) -> Small:
    region = _place("150000", "自治区", "Region", "region", None)
    league = _place("150200", "甲盟", "League", "league", region)
    first = _place("150207", "甲旗", "County A", "county", league)
    second = _place("150203", "乙旗", "County B", "county", league)
    above = [*WORKS, "supervision", "leading", "registry", "commission", "investigation", "finance", "relief"]
    top = _office("应急厅", "Department", "department", region, None, above)
    upper = _office("盟局", "League bureau", "bureau", league, top, WORKS)
    county = _office("甲旗局", "Bureau A", "bureau", first, upper, WORKS)
    other = _office("乙旗局", "Bureau B", "bureau", second, upper, WORKS)
    plant = _office("示例化工", "Example Chemical", "enterprise", first, county, ())
    site = Site.objects.create(
        code="HC-1", name_zh="示例化工", name_en="Example Chemical", place=first, office=plant, industry="hazchem",
        duties=["hazchem"], lon=SITE_AT[0], lat=SITE_AT[1],
    )  # fmt: skip
    small = Small(top, upper, county, other, plant, site, first)
    for name, office in (("top", top), ("league", upper), ("county", county), ("other", other)):
        small.people[name] = [_somebody(office, f"{name}{n}", PEOPLE, now) for n in range(3)]
        for one in small.people[name]:
            Certificate.objects.create(
                person=one.person, kind="enforcement", number=f"C{one.person.pk}", fields=[],
                issued=now.date() - _CERTIFIED, expires=now.date() + _CERTIFIED,
            )  # fmt: skip
    small.people["plant"] = [_somebody(plant, f"plant{n}", ("control_room", "safety", "principal"), now) for n in range(2)]
    mechanisms.store(now)
    return small


def brought_by_all(digest: str, now: datetime) -> str:
    """Everybody sent this very file in themselves, so that whoever acts may name it."""
    everybody = Person.objects.unscoped("a file of everybody's").values_list("pk", flat=True)
    EvidenceBrought.objects.bulk_create(
        [EvidenceBrought(evidence_id=digest, person_id=one, at=now) for one in everybody], ignore_conflicts=True
    )
    return digest


def _office(zh: str, en: str, kind: str, place: Place, parent: Office | None, duties: Iterable[str]) -> Office:
    return Office.objects.create(name_zh=zh, name_en=en, kind=kind, place=place, parent=parent, duties=list(duties))


def _somebody(office: Office, name: str, duties: tuple[str, ...], now: datetime) -> Somebody:
    account = Account.objects.create(username=name)
    person = Person.objects.create(name=f"{office.name_zh}{name[-1]}", account=account)
    post = Post.objects.create(office=office, title_zh="岗", title_en="Post", duties=list(duties))
    Holding.objects.create(post=post, person=person, since=now - _IN_POST)
    return Somebody(person, post, account)
