"""The proof held against the real offices, nightly and wherever posts change.

In: the offices, posts, people and enforcement certificates of the region now. Out: one case of ``vacancy`` for each office
that lacks people for what the mechanisms ask of it; the case ends by itself once the posts are filled.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TextIO, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models.signals import post_delete, post_save

from fengsui.law import numbers
from fengsui.ledger import doors, mechanisms
from fengsui.ledger.doors.single import in_transaction
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case
from fengsui.ledger.proof.live import Lack, Seat, check_live, demands
from fengsui.moment import LEGAL_ZONE
from fengsui.region import enforcement, roles
from fengsui.region.models import Certificate, Holding, Office, Post
from fengsui.region.tree import LEVELS, Tree, tree

log = logging.getLogger(__name__)
T = TypeVar("T")

MECHANISM = "vacancy"
_LEVELS_OF: Mapping[str, tuple[str, ...]] = {"one_up": ("league", "region"), "": LEVELS}
_changing = threading.local()


def seats(now: datetime, offices: frozenset[int] | None = None) -> Iterator[Seat]:
    """Each office that a role leads to by its own duties, with the people who may act there; ``offices`` limits them.

    Where an act asks for an enforcement certificate, once more with those alone whose certificate is in force.
    """
    known, shipped = roles.roles(), mechanisms.on_disk()
    enforced, held = demands(shipped, certified=True), enforcement.valid(now)
    for name in sorted(demands(shipped)):
        role = known.get(name)
        if role is None or role.kind == "person":
            continue
        for office, duties in sorted(_offices_of(tree(), role, now).items()):
            if offices is not None and office not in offices:
                continue
            people = roles.signers(name, office, now)
            yield Seat(office, name, people)
            # whose work is not enforcement (a commission, the region's department) lists and hands down, and signs no order
            if people and name in enforced and "enforcement" in role.posts:
                yield from _certified(office, name, duties, held, now)


def _certified(
    office: int, role: str, duties: Iterable[str], held: Mapping[int, tuple[enforcement.Fields, ...]], now: datetime
) -> Iterator[Seat]:
    """Those who may enforce, by field of work: whoever signs needs the certificate, deputies their own. Fields with the same
    people are one seat."""
    by_people: dict[frozenset[int], list[str]] = defaultdict(list)
    for duty in sorted(duties) or [""]:
        by_people[roles.signers(role, office, now, partial(_may_enforce, held, duty))].append(duty)
    for able, fields in by_people.items():
        yield Seat(office, role, able, certified=True, duties=tuple(filter(None, fields)))


def _may_enforce(held: Mapping[int, tuple[enforcement.Fields, ...]], duty: str, person: int) -> bool:
    return enforcement.good_for(held.get(person, ()), duty)


def _offices_of(picture: Tree, role: roles.Role, now: datetime) -> dict[int, set[str]]:
    """Office → the fields of work for which the role leads there; empty where it does for any."""
    today = now.astimezone(LEGAL_ZONE).date()
    if role.finds == "top":
        return {picture.top: set()} if picture.top is not None else {}
    if role.finds == "enterprise":
        return {office: set() for office in picture.site_of_office if picture.living(office, today)}
    if role.finds not in ("supervisor", "nearest"):
        return {}  # whichever office opened the case, or the one above it: any office, judged by its own roles
    supervises = role.finds == "supervisor"
    if supervises:
        duties = {duty for site in picture.sites.values() for duty in site.duties}
        levels = _LEVELS_OF.get(role.level, (role.level,))
    else:
        duties = {role.duty}
        levels = LEVELS[LEVELS.index(role.level) :] if role.level in LEVELS else LEVELS
    found: dict[int, set[str]] = defaultdict(set)
    for place, duty in picture.by_duty:
        if duty in duties and place in picture.places and picture.places[place].level in levels:
            for node in picture.with_duty(place, duty, today)[:1]:
                found[node.id] |= {duty} if supervises else set()
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


def daybreak(now: datetime) -> tuple[int, int]:
    """Check the offices with somebody whose certificate is over since midnight, or counts from today."""
    offices = enforcement.turned(now)
    return _settle(now, offices) if offices else (0, 0)


def check_offices(offices: Iterable[int], now: datetime) -> tuple[int, int]:
    """The same for some offices, in the caller's transaction."""
    return _settle(now, frozenset(offices))


@contextmanager
def changing_posts(now: datetime) -> Iterator[None]:
    """One transaction that changes posts, holdings, certificates or offices; what it leaves lacking is a case in the end."""
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
    elif sender is Certificate:
        offices |= enforcement.offices_of([instance.person_id])
    else:
        offices.add(instance.post.office_id)


for _model in (Certificate, Holding, Office, Post):
    post_save.connect(_touched, sender=_model, dispatch_uid=f"live_check.saved.{_model.__name__}")
    post_delete.connect(_touched, sender=_model, dispatch_uid=f"live_check.deleted.{_model.__name__}")


def alone(what: str, doing: Callable[[], T]) -> T | None:
    """Do it in a transaction of its own, inside the caller's in a savepoint. One that fails is undone and logged, gives nothing,
    and keeps none of the others from theirs; only what the caller's transaction must start again for is raised."""
    inside = connection.in_atomic_block
    try:
        if not inside:
            return in_transaction(doing)
        with transaction.atomic():
            return doing()
    except Exception as error:
        if inside and isinstance(error, OperationalError):
            raise
        log.exception("%s failed; the next night tries again", what)
        return None


def _settle(now: datetime, offices: frozenset[int] | None) -> tuple[int, int]:
    found = lacks(now, offices)
    names = {office.pk: office for office in Office.objects.filter(pk__in=found).only("id", "name_zh", "name_en", "place_id")}
    # where nobody has an account yet, people are there and need an invitation: no vacancy, ``main`` and the doctor say so
    told = {office: rows for office, rows in found.items() if not roles.not_set_up(office, now)}
    for office, rows in sorted(told.items()):
        alone(f"the vacancy of office {office}", partial(_open, names[office], rows, now))
    return len(told), _end(now, offices, found.keys())


def _open(office: Office, rows: tuple[Lack, ...], now: datetime) -> None:
    text = "\n".join([*map(sentence, rows), *_shut_out(office.pk, now)])
    mine = Case.objects.filter(mechanism=MECHANISM, about_id=str(office.pk))
    standing = mine.filter(ended=False).values_list("seq", "fields").first()
    if standing is not None and standing[1].get("lacks") == text:
        return  # told once
    # A lack is told again in a new case, and where the open one says something else by now: what it said before counts as new.
    ended, seq = mine.filter(ended=True).count(), standing[0] if standing else 0
    # "v3": keys kept from before the entry was counted belong to another call
    key = hashlib.sha256(f"v3\n{office.pk}\n{ended}\n{seq}\n{text}".encode()).hexdigest()
    about = doors.About(kind="office", id=str(office.pk), place_code=office.place_id)
    actor = Actor(kind="event", name="posts.lacking")
    doors.open(MECHANISM, "found", {"lacks": text}, actor, about, key=key, now=now)


def _end(now: datetime, offices: frozenset[int] | None, lacking: Iterable[int]) -> int:
    cases = Case.objects.filter(mechanism=MECHANISM, ended=False).exclude(about_id__in=[str(one) for one in lacking])
    if offices is not None:
        cases = cases.filter(about_id__in=[str(one) for one in offices])
    filled = Call("filled", Actor(kind="event", name="posts.filled"), {})
    ended = 0
    for case in map(str, cases.values_list("id", flat=True)):
        ended += alone(f"the end of vacancy {case}", partial(doors.act, case, filled, now=now)) is not None
    return ended


def _shut_out(office: int, now: datetime) -> list[str]:
    """One line more in both languages where people hold posts there and cannot sign in: they need no more than an account."""
    number = roles.shut_out(office, now)
    said = f"{number} 人在岗但无可用账号，请邀请或解锁（{number} in post cannot sign in: invite them, or unlock their accounts）"
    return [said] if number else []


def sentence(lack: Lack) -> str:
    """One line in both languages: which role, how many are needed, how many there are."""
    title = roles.roles()[lack.role].title
    if not lack.certified:
        return (
            f"{title['zh']}：需 {lack.needs} 人，现有 {lack.has} 人"
            f"（{title['en']}: needs {lack.needs}, has {lack.has}; {lack.because}）"
        )
    words = [roles.duties().get(duty, {"zh": duty, "en": duty}) for duty in lack.duties]
    fields = {"zh": "、".join(one["zh"] for one in words), "en": ", ".join(one["en"] for one in words)}
    zh = f"（{fields['zh']}）" if words else ""
    en = f" ({fields['en']})" if words else ""
    return (
        f"{title['zh']}{zh}：需持有效行政执法证 {lack.needs} 人，现有 {lack.has} 人"
        f"（{title['en']}{en}: needs {lack.needs} with an enforcement certificate in force, has {lack.has}; {lack.because}）"
    )


def certificates_ahead(now: datetime) -> timedelta:
    """How long before its last day a certificate is named, by the law's number of the day."""
    length = numbers.find("vacancy.certificates_ahead", now.astimezone(LEGAL_ZONE).date()).duration
    return timedelta(days=length.days or 0) if length else timedelta(0)


def expiring(now: datetime) -> list[enforcement.RunningOut]:
    """The enforcement certificates whose last day is near: their offices will lack people unless they are renewed."""
    return enforcement.running_out(now, enforcement.ahead(now))


def main(now: datetime, out: TextIO, *, as_json: bool = False) -> int:
    """``fengsui check --live``: say what every office lacks and open the cases. Exit code 1 where something lacks."""
    found, near = lacks(now), expiring(now)
    opened, ended = nightly(now)
    if as_json:
        rows = [asdict(lack) for office in sorted(found) for lack in found[office]]
        said = {"ok": not rows, "lacks": rows, "expiring": list(map(asdict, near)), "cases": opened, "ended": ended}
        out.write(json.dumps(said, ensure_ascii=False, default=str) + "\n")
        return 1 if rows else 0
    names = dict(Office.objects.filter(pk__in=[*found, *(one.office for one in near)]).values_list("pk", "name_zh"))
    for office in sorted(found):
        out.write(f"{names[office]} ({office})\n")
        out.writelines(f"  {sentence(lack)}\n" for lack in found[office])
    for one in near:
        words = f"行政执法证有效期至 {one.expires}（enforcement certificate valid to {one.expires}）"
        out.write(f"{names[one.office]} ({one.office})：{one.name} {one.number} {words}\n")
    unready = sum(roles.not_set_up(office, now) for office in found)
    if unready:
        zh = f"{unready} 个机构尚无人开通账号，不立空缺，请邀请"
        out.write(f"{zh}（{unready} offices where nobody has an account yet: invite them）\n")
    out.write(f"{len(found)} offices lack people; {len(near)} certificates run out soon; {opened} cases, {ended} ended\n")
    return 1 if found else 0
