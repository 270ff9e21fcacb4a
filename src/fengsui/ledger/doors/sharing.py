"""Letting another office read a case until a day, and taking that back. Reading only: nobody acts by it.

In: a case, the office that shall read it, until when, the grounds. Out: an entry ``share`` and a row that the mandatory
queryset of cases obeys. Confidential matters are never shared: they name their readers.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop

from fengsui.ledger.doors import persons_acts
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.persons_acts import Asked
from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.doors.sight import sees
from fengsui.ledger.doors.single import append_in
from fengsui.ledger.doors.work import Written
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Share
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import scope_at
from fengsui.region.tree import tree

ACT = "share"
LONGEST = timedelta(days=366)
"""How long one sharing may last; whoever needs it longer is asked again."""
SHARED = gettext_noop("This matter was shared with you for reading")
ENDED = gettext_noop("This matter is no longer shared with you")


def share(
    case_id: str, office: int, actor: Actor, *, until: datetime, grounds: str, now: datetime, expects: int | None = None,
    key: str = "",
) -> Receipt:  # fmt: skip
    """Let ``office`` read the case until that moment.

    Raises ``Refused`` 404 · 412 · 403 who does not answer for it or lead an office above · 409 a confidential matter, or an
    office that sees it anyway · 422 no such office, an enterprise, a moment past or too far, no grounds.
    """
    said = persons_acts.demand_grounds(grounds)

    def doing(passage: Passage, held: Held) -> Written:
        _demand_may(held, actor, now)
        _demand_office(held, office, now)
        _demand_until(until, now)
        values = {"office": office, "until": until.isoformat(), "grounds": said}
        written = append_in(passage, held, ACT, actor, held.case, values=values)
        persons_acts.tell(passage.work, written, SHARED, ("shared", office, None))
        return written

    def after(written: Written) -> None:
        _over(case_id, office, now)
        assert actor.office is not None, "who answers for a case acts for an office"
        Share.objects.create(
            case_id=case_id, office_id=office, by_office_id=actor.office, by_person_id=actor.person, grounds=said, since=now,
            until=until, entry_id=written.id,
        )  # fmt: skip

    asked = Asked(ACT, case_id, actor, {"office": office, "until": until.isoformat(), "grounds": said}, expects, key)
    return persons_acts.carry_out(asked, doing, now, after=after)


def unshare(
    case_id: str, office: int, actor: Actor, *, grounds: str, now: datetime, expects: int | None = None, key: str = ""
) -> Receipt:
    """Take a sharing back. Raises ``Refused`` as ``share`` does, 409 where the case is not shared with that office."""
    said = persons_acts.demand_grounds(grounds)

    def doing(passage: Passage, held: Held) -> Written:
        _demand_may(held, actor, now)
        if not running(case_id, now).filter(office_id=office).exists():
            raise refused(409, "share", str(office), gettext_noop("The case is not shared with this office"))
        written = append_in(passage, held, ACT, actor, held.case, values={"office": office, "ended": True, "grounds": said})
        persons_acts.tell(passage.work, written, ENDED, ("shared", office, None))
        return written

    def after(written: Written) -> None:
        running(case_id, now).filter(office_id=office).update(ended_at=now, ended_entry_id=written.id)

    asked = Asked(ACT, case_id, actor, {"office": office, "ended": True, "grounds": said}, expects, key)
    return persons_acts.carry_out(asked, doing, now, after=after)


def running(case_id: str | UUID, now: datetime) -> QuerySet[Share]:
    """The sharings of a case that hold now."""
    return Share.objects.filter(case_id=case_id, ended_at__isnull=True, until__gt=now)


def _over(case_id: str, office: int, now: datetime) -> None:
    """A sharing whose day has come is over, so that another one may follow it."""
    Share.objects.filter(case_id=case_id, office_id=office, ended_at__isnull=True, until__lte=now).update(ended_at=F("until"))


def may_share(held: Held, actor: Actor, now: datetime) -> bool:
    """Who answers for the case, and who leads an office in whose territory and duties it lies."""
    if held.row["confidential"] or persons_acts.is_enterprise(actor.office):
        return False
    post = tree().posts.get(actor.post) if actor.post is not None else None
    return persons_acts.answers(held, actor, now) or (
        post is not None and "leading" in post.duties and _covers(actor.office, held)
    )


def _covers(office: int | None, held: Held) -> bool:
    """Whether the case lies in the office's territory and duties; having been told of it is not enough."""
    path = held.row["place_path"]
    return office is not None and bool(path) and scope_at(office).covers(path, held.row["duty"])


def _demand_may(held: Held, actor: Actor, now: datetime) -> None:
    if held.row["confidential"]:
        raise refused(409, "share", "case", gettext_noop("A confidential matter names its readers; nobody else gets it"))
    if not may_share(held, actor, now):
        raise refused(403, "not_yours", ACT, "owner")


def _demand_office(held: Held, office: int, now: datetime) -> None:
    node = tree().offices.get(office)
    if node is None or (node.dissolved_on is not None and node.dissolved_on <= now.astimezone(LEGAL_ZONE).date()):
        raise refused(422, "bad_value", "office", gettext_noop("choose an office that exists"))
    if node.kind == "enterprise":
        raise refused(422, "bad_value", "office", gettext_noop("enterprises see their own matters only"))
    shared = running(held.case.id, now).filter(office_id=office).exists()
    if shared or sees(held, Actor("person", office=office)):
        raise refused(409, "share", str(office), gettext_noop("This office sees the case already"))


def _demand_until(until: datetime, now: datetime) -> None:
    if not now < until <= now + LONGEST:
        raise refused(422, "bad_value", "until", gettext_noop("choose a day that is still to come, at most a year ahead"))
