"""The proof held against the real offices, nightly and wherever posts change.

In: the offices, posts and people of the region now. Out: one case of ``vacancy`` for each office that lacks people for
what the mechanisms ask of it; the case ends by itself once the posts are filled.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, TextIO

from django.db import transaction
from django.db.models.signals import post_delete, post_save

from fengsui.ledger import doors, mechanisms
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case
from fengsui.ledger.proof.live import Lack, Seat, check_live, demands
from fengsui.moment import LEGAL_ZONE
from fengsui.region import roles
from fengsui.region.models import Holding, Office, Post
from fengsui.region.tree import LEVELS, Tree, tree

MECHANISM = "vacancy"
_LEVELS_OF: Mapping[str, tuple[str, ...]] = {"one_up": ("league", "region"), "": LEVELS}
_changing = threading.local()


def seats(now: datetime, offices: frozenset[int] | None = None) -> Iterator[Seat]:
    """Each office that a role leads to by its own duties, with the people who may act there; ``offices`` limits them."""
    picture = tree()
    known = roles.roles()
    for name in sorted(demands(mechanisms.on_disk())):
        role = known.get(name)
        if role is None or role.kind == "person":
            continue
        for office in sorted(_offices_of(picture, role, now)):
            if offices is None or office in offices:
                yield Seat(office, name, frozenset(roles.eligible(name, office, now)))


def _offices_of(picture: Tree, role: roles.Role, now: datetime) -> set[int]:
    today = now.astimezone(LEGAL_ZONE).date()
    if role.finds == "top":
        return {picture.top} if picture.top is not None else set()
    if role.finds == "enterprise":
        return {office for office in picture.site_of_office if picture.living(office, today)}
    if role.finds not in ("supervisor", "nearest"):
        return set()  # whichever office opened the case, or the one above it: any office, judged by its own roles
    if role.finds == "supervisor":
        duties = {duty for site in picture.sites.values() for duty in site.duties}
        levels = _LEVELS_OF.get(role.level, (role.level,))
    else:
        duties = {role.duty}
        levels = LEVELS[LEVELS.index(role.level) :] if role.level in LEVELS else LEVELS
    found: set[int] = set()
    for place, duty in picture.by_duty:
        if duty in duties and place in picture.places and picture.places[place].level in levels:
            found.update(node.id for node in picture.with_duty(place, duty, today)[:1])
    return found


def lacks(now: datetime, offices: frozenset[int] | None = None) -> dict[int, tuple[Lack, ...]]:
    """Office → what it lacks now."""
    found: dict[int, list[Lack]] = defaultdict(list)
    for lack in check_live(mechanisms.on_disk(), seats(now, offices)):
        found[lack.office].append(lack)
    return {office: tuple(rows) for office, rows in found.items()}


def nightly(now: datetime) -> tuple[int, int]:
    """Check every office; returns how many cases were opened or renewed and how many ended."""
    return _settle(now, None)


def check_offices(offices: Iterable[int], now: datetime) -> tuple[int, int]:
    """The same for some offices, in the caller's transaction."""
    return _settle(now, frozenset(offices))


@contextmanager
def changing_posts(now: datetime) -> Iterator[None]:
    """One transaction that changes posts, holdings or offices; what it leaves lacking is a case when it commits."""
    with transaction.atomic():
        before = getattr(_changing, "offices", None)
        _changing.offices = set()
        try:
            yield
            touched = frozenset(_changing.offices)
        finally:
            _changing.offices = before
        if touched:
            check_offices(touched, now)


def _touched(sender: type, instance: Any, **_: Any) -> None:
    offices = getattr(_changing, "offices", None)
    if offices is None:
        return
    if sender is Office:
        offices.add(instance.pk)
    elif sender is Post:
        offices.add(instance.office_id)
    else:
        offices.add(instance.post.office_id)


for _model in (Holding, Office, Post):
    post_save.connect(_touched, sender=_model, dispatch_uid=f"live_check.saved.{_model.__name__}")
    post_delete.connect(_touched, sender=_model, dispatch_uid=f"live_check.deleted.{_model.__name__}")


def _settle(now: datetime, offices: frozenset[int] | None) -> tuple[int, int]:
    found = lacks(now, offices)
    names = {office.pk: office for office in Office.objects.filter(pk__in=found).only("id", "name_zh", "name_en", "place_id")}
    for office, rows in sorted(found.items()):
        _open(names[office], rows, now)
    return len(found), _end(now, offices, found.keys())


def _open(office: Office, rows: tuple[Lack, ...], now: datetime) -> None:
    text = "\n".join(map(sentence, rows))
    # The same lack is told once in the life of its case; after that has ended it is told again.
    ended = Case.objects.filter(mechanism=MECHANISM, about_id=str(office.pk), ended=True).count()
    # "v2": keys kept from before the subject lost its title belong to another call
    key = hashlib.sha256(f"v2\n{office.pk}\n{ended}\n{text}".encode()).hexdigest()
    about = doors.About(kind="office", id=str(office.pk), place_code=office.place_id)
    actor = Actor(kind="event", name="posts.lacking")
    doors.open(MECHANISM, "found", {"lacks": text}, actor, about, key=key, now=now)


def _end(now: datetime, offices: frozenset[int] | None, lacking: Iterable[int]) -> int:
    cases = Case.objects.filter(mechanism=MECHANISM, ended=False).exclude(about_id__in=[str(one) for one in lacking])
    if offices is not None:
        cases = cases.filter(about_id__in=[str(one) for one in offices])
    ended = 0
    for case in cases.values_list("id", flat=True):
        doors.act(str(case), Call("filled", Actor(kind="event", name="posts.filled"), {}), now=now)
        ended += 1
    return ended


def sentence(lack: Lack) -> str:
    """One line in both languages: which role, how many are needed, how many there are."""
    title = roles.roles()[lack.role].title
    return (
        f"{title['zh']}：需 {lack.needs} 人，现有 {lack.has} 人"
        f"（{title['en']}: needs {lack.needs}, has {lack.has}; {lack.because}）"
    )


def main(now: datetime, out: TextIO, *, as_json: bool = False) -> int:
    """``fengsui check --live``: say what every office lacks and open the cases. Exit code 1 where something lacks."""
    found = lacks(now)
    opened, ended = nightly(now)
    if as_json:
        rows = [asdict(lack) for office in sorted(found) for lack in found[office]]
        out.write(json.dumps({"ok": not rows, "lacks": rows, "cases": opened, "ended": ended}, ensure_ascii=False) + "\n")
        return 1 if rows else 0
    names = dict(Office.objects.filter(pk__in=found).values_list("pk", "name_zh"))
    for office in sorted(found):
        out.write(f"{names[office]} ({office})\n")
        out.writelines(f"  {sentence(lack)}\n" for lack in found[office])
    out.write(f"{len(found)} offices lack people; {opened} cases, {ended} ended\n")
    return 1 if found else 0
