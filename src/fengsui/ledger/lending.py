"""An office lets another one read everything in its territory and fields of work until a day, and takes that back.

In: an administrator of the office or one of its leaders, with grounds. Out: rows of ``Share`` that the mandatory queryset
of cases obeys, and a change on the region's record. Reading only, and never of what is confidential.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.ledger import notices
from fengsui.ledger.doors.sharing import LONGEST
from fengsui.ledger.forms import Ids, named_offices
from fengsui.ledger.models import Share
from fengsui.ledger.reading.scoped import parts_of, reach_of, reaches
from fengsui.ledger.widgets import Pick
from fengsui.region import readers, subjects
from fengsui.region.acting import Acting, scope_at
from fengsui.region.changing import Changing, NotPossible, listen, may_administer, midnight, today
from fengsui.region.filters import here, name_of
from fengsui.region.models import Change, Office
from fengsui.region.operations import ChangeForm, Operation, Outcome
from fengsui.region.operations.posts import GroundsOnly
from fengsui.region.operations.shape import day, operation, several
from fengsui.region.roles import duties
from fengsui.region.scoping import ALL
from fengsui.region.tree import tree
from fengsui.region.widgets import Boxes

EVERYTHING = ""
"""The field of work of a reach over all of them."""


def running(now: datetime) -> QuerySet[Share]:
    """The shared scopes that hold now and that their givers still see themselves."""
    return reaches(now)


class LendForm(ChangeForm):
    """Which office reads, of which fields of work, until when."""

    reader = Ids(
        kind="office",
        label=_("Office that may read it"),
        widget=Pick(reverse_lazy("ledger:pick", args=["office"]), named_offices),
        help_text=_("It reads every matter of this office's territory and these fields of work, except confidential ones"),
    )
    works = several(_("Field of work"), required=True)
    last_day = day(_("Until (that day included)"))

    def prepare(self) -> None:
        box: Any = self.fields["works"]
        box.widget, box.choices = Boxes(), works_of(self.subject.pk)


def works_of(office: int) -> list[tuple[str, str]]:
    """The fields of work that the office sees and so may let others see, with their words."""
    held, words = scope_at(office).duties, [(name, here(one)) for name, one in duties().items()]
    return [(ALL, gettext("Every field of work")), *words] if ALL in held else [one for one in words if one[0] in held]


def _lend(changing: Changing, office: Office, form: ChangeForm) -> Outcome:
    reader, last = _reader(office, form.cleaned_data["reader"], changing), form.cleaned_data["last_day"]
    until = _until(last, changing)
    chosen = form.cleaned_data["works"]
    works = [EVERYTHING] if ALL in chosen else sorted(chosen)
    for work in works:
        reach = reach_of(office.place.path, work)
        if _sees(reader, office, work) or running(changing.now).filter(office_id=reader.pk, reach=reach).exists():
            raise NotPossible(gettext("%(office)s sees this already: %(work)s.") % _said(reader, work), "works")
        Share.objects.create(
            office_id=reader.pk, by_office_id=office.pk, by_person_id=changing.acting.person_id, reach=reach,
            grounds=changing.grounds[:500], since=changing.now, until=until,
        )  # fmt: skip
    after: dict[str, Any] = {"reader": reader.pk, "duties": [ALL] if works == [EVERYTHING] else works, "until": until}
    changing.note("share_scope", office, office, after=after)
    notices.tell_shared(notices.SCOPE_SHARED, reader.pk, office.pk, after["duties"], until, changing.now)
    return Outcome(gettext("%(office)s reads these matters until %(day)s.") % {"office": name_of(reader), "day": last})


def _reader(office: Office, number: int, changing: Changing) -> Office:
    found = Office.objects.filter(pk=number).exclude(pk=office.pk).exclude(dissolved_on__lte=changing.today).first()
    if found is None:
        raise NotPossible(gettext("Choose another office that exists."), "reader")
    if found.kind == Office.Kind.ENTERPRISE:
        raise NotPossible(gettext("Enterprises see their own matters only."), "reader")
    return found


def _until(last: date, changing: Changing) -> datetime:
    if not changing.today <= last <= changing.today + LONGEST:
        raise NotPossible(gettext("Choose a day that is still to come, at most a year ahead."), "last_day")
    return midnight(last + timedelta(days=1))


def _sees(reader: Office, office: Office, work: str) -> bool:
    """Whether the other office sees all of it by its own territory."""
    known = scope_at(reader.pk)
    inside = known.territorial and office.place.path.startswith(known.place_path)
    return inside and (ALL in known.duties or (work != EVERYTHING and work in known.duties))


def _said(office: Office, work: str) -> dict[str, str]:
    return {"office": name_of(office), "work": words_of(work)}


def words_of(work: str) -> str:
    """A field of work in the reader's language; all of them where it is empty."""
    known = duties()
    return gettext("Every field of work") if work == EVERYTHING else here(known[work]) if work in known else work


def may_lend(acting: Acting, office: int) -> bool:
    """A leader of the office itself, and whoever administers it; a deputy as far as that was lent."""
    post = tree().posts.get(acting.post_id)
    leads = post is not None and acting.office_id == office and "leading" in post.duties and acting.may_do("region", "share")
    return leads or may_administer(acting, office)


def _has_territory(office: Office, now: datetime) -> bool:
    return scope_at(office.pk).territorial and (office.dissolved_on is None or today(now) < office.dissolved_on)


def _end(changing: Changing, one: Share, form: ChangeForm) -> Outcome:
    return Outcome(gettext("No longer shared."), subject=_ended(changing, one))


def _ended(changing: Changing, one: Share) -> Office:
    """End a sharing on record; gives the office that shared."""
    one.ended_at = changing.now
    one.save(update_fields=["ended_at"])
    _path, work = parts_of(one.reach)
    before: dict[str, Any] = {"reader": one.office_id, "duties": [work or ALL], "until": one.until}
    office: Office = Office.objects.get(pk=one.by_office_id)
    changing.note("end_share", office, office, before=before, after={"until": changing.now})
    notices.tell_shared(notices.SCOPE_ENDED, one.office_id, office.pk, before["duties"], one.until, changing.now)
    return office


def follow(change: Change, now: datetime) -> None:
    """An office lost a field of work or is gone: what it can no longer see it shares no more, and nobody reads in its name.

    Ended on record, in the name and on the grounds of the change that caused it, so that the sharing does not wake up
    unasked if the office gets the field of work back.
    """
    open_ones = Share.objects.filter(case__isnull=True, ended_at__isnull=True, until__gt=now)
    mine = open_ones.filter(Q(by_office_id=change.office_id) | Q(office_id=change.office_id))
    gone = change.kind in ("merge", "dissolve")
    for one in mine.select_for_update().order_by("pk"):
        if (gone and one.office_id == change.office_id) or not running(now).filter(pk=one.pk).exists():
            _ended(Changing.as_ordered(change, now), one)


def _found(office: int, now: datetime) -> list[readers.Reading]:
    """For the office's page: what it shares and what is shared with it. One query, a second where there is anything."""
    rows = list(running(now).filter(Q(office_id=office) | Q(by_office_id=office)).order_by("until", "pk"))
    offices = Office.objects.in_bulk({number for one in rows for number in (one.office_id, one.by_office_id)}) if rows else {}
    return [
        readers.Reading(
            offices[one.by_office_id], offices[one.office_id], words_of(parts_of(one.reach)[1]), one.until, one.grounds, one
        )
        for one in rows
    ]


def of_offices(offices: Iterable[int], now: datetime) -> Sequence[Share]:
    """The shared scopes that these offices gave or got."""
    ids = list(offices)
    return list(running(now).filter(Q(office_id__in=ids) | Q(by_office_id__in=ids)).order_by("until", "pk"))


def _title(one: Share) -> str:
    offices = Office.objects.in_bulk([one.by_office_id, one.office_id])
    return f"{name_of(offices[one.by_office_id])} → {name_of(offices[one.office_id])} · {words_of(parts_of(one.reach)[1])}"


def stand() -> None:
    """Register the operations, their rows and the office page's list; called once, when the room starts."""
    subjects.know("share", Share, lambda one: reverse("region:office", args=[one.by_office_id]), _title, Q(case__isnull=True))
    readers.register(_found)
    for kind in ("merge", "dissolve", "duties_moved"):
        listen(kind, follow)
    operation(
        Operation(
            "share_scope", "office", _("Let another office read its matters"), LendForm, _lend, lambda one: one.pk, icon="eye",
            fits=_has_territory, own=lambda acting, one: may_lend(acting, one.pk),
            says=_("Reading only, until a day. Each sharing stands on this office's page and in the record of changes."),
        )
    )  # fmt: skip
    operation(
        Operation(
            "end_share", "share", _("End the sharing"), GroundsOnly, _end, lambda one: one.by_office_id, icon="x",
            fits=lambda one, now: one.ended_at is None and one.until > now,
            own=lambda acting, one: may_lend(acting, one.by_office_id),
        )
    )  # fmt: skip
