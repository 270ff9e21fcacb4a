"""Changes dated ahead: kept until their day, done then, taken back or overtaken before.

In: recorded ``Change`` rows with a later ``since``. Out: on the day the work that an operation registered for its kind,
and whatever rooms above listen to. Each change is one transaction behind a row lock: after a stop of days all that fell
due is caught up in order, once, however many processes do it at the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext

from .changing import Changing, NotPossible, carry_out
from .models import Change, Coming

log = logging.getLogger(__name__)

Work = Callable[[Changing, Coming], None]
Undo = Callable[[Changing, Coming], None]
_work: dict[str, Work] = {}
_undo: dict[str, Undo] = {}


def on_the_day(kind: str, work: Work | None = None, undo: Undo | None = None) -> None:
    """Say what is done on the day of a change of this kind, and how it is undone before; said once, by its operation."""
    if work is not None:
        _work[kind] = work
    if undo is not None:
        _undo[kind] = undo


def keep(change: Change, key: str, **how: object) -> Coming:
    """Keep a change for its day."""
    row: Coming = Coming.objects.create(change=change, due=change.since, key=key, how=how)
    return row


def waiting(key: str = "") -> QuerySet[Coming]:
    """What is still to come, the soonest first; of one thing, or of all."""
    found = Coming.objects.unscoped("whoever asks was judged, or is the machine itself").filter(outcome=Coming.Outcome.OPEN)
    return found.filter(key=key) if key else found


def overtake(key: str, by: Change, since: datetime | None = None, kind: str = "") -> int:
    """Let a later word count instead of what was to come about the same thing (from ``since`` on; of one ``kind`` of change
    where others go on beside it); gives how many.
    """
    rows = waiting(key).filter(change__lt=by)
    rows = rows.filter(due__gte=since) if since is not None else rows
    rows = rows.filter(change__kind=kind) if kind else rows
    return set_aside(rows, by, by.at)


def set_aside(rows: QuerySet[Coming], by: Change, at: datetime) -> int:
    """Let these be overtaken by what that change brought about at that moment; gives how many."""
    return rows.update(outcome=Coming.Outcome.OVERTAKEN, settled_at=at, by=by)


def _reopen(by: Change) -> None:
    """Let what this change had overtaken come after all."""
    rows = Coming.objects.unscoped("the taking back of the change was judged").filter(by=by, outcome=Coming.Outcome.OVERTAKEN)
    rows.update(outcome=Coming.Outcome.OPEN, settled_at=None, by=None)


def late(by: Change) -> list[datetime]:
    """The days, over by then, of what this change overtook because it could not be done on them."""
    rows = Coming.objects.unscoped("what follows from a recorded change").filter(by=by, outcome=Coming.Outcome.OVERTAKEN)
    return list(rows.filter(due__lte=by.at).values_list("due", flat=True))


def can_take_back(one: Coming) -> bool:
    """Whether its operation knows how; what was dated ahead before there were such rows is changed by another change."""
    return one.change.kind in _undo and bool(one.how)


def take_back(changing: Changing, one: Coming) -> Change:
    """Undo what was entered for the day, on record; what that had overtaken comes after all."""
    line = changing.note(
        "take_back", one.change.office_id, one.change, before={"since": one.due}, title=(one.change.title_zh, one.change.title_en)
    )
    one.outcome, one.settled_at, one.by = Coming.Outcome.TAKEN_BACK, changing.now, line
    one.save(update_fields=["outcome", "settled_at", "by"])
    _reopen(one.change)
    _undo[one.change.kind](changing, one)
    return line


def take_effect(now: datetime, only: Iterable[int] | None = None) -> int:
    """Carry out every change whose day has come; gives how many.

    What cannot be done says why and is tried again: after a minute, then ever later, at most an hour apart. Raises the
    first unforeseen error after all the others had their turn.
    """
    its_turn = Q(next_try__isnull=True) | Q(next_try__lte=now)
    rows = waiting().filter(its_turn, due__lte=now).order_by("due", "pk")
    rows = rows if only is None else rows.filter(pk__in=list(only))
    done, wrong = 0, None
    for pk in list(rows.values_list("pk", flat=True)):
        try:
            done += _one(pk, now)
        except Exception as error:
            log.exception("a change dated ahead failed: %s", pk)
            _put_off(pk, now, {language: _unforeseen(error, language) for language in _LANGUAGES})
            wrong = wrong or error
    if wrong is not None:
        raise wrong
    return done


def _one(pk: int, now: datetime) -> bool:
    """Try it. Whoever reads later why it could not be done reads Chinese or English: it is refused in both languages."""
    said = {}
    for language in _LANGUAGES:
        with translation.override(language):
            try:
                return carry_out(partial(_row, pk), now)
            except NotPossible as reason:
                said[language] = str(reason)
    log.warning("a change dated ahead could not be carried out: %s: %s", pk, said[_LANGUAGES[0]])
    _put_off(pk, now, said)
    return False


_LANGUAGES = ("zh-hans", "en")
_LONGEST_WAIT = timedelta(hours=1)


def _unforeseen(error: Exception, language: str) -> str:
    with translation.override(language):
        said = gettext("An error that was not foreseen (%(kind)s); whoever runs the platform finds it in the jobs service's log.")
        return said % {"kind": type(error).__name__}


def _put_off(pk: int, now: datetime, said: Mapping[str, str]) -> None:
    """Keep why it failed and when it is tried again: each time after twice as long."""
    zh, en = (said[language] for language in _LANGUAGES)
    for row in waiting().filter(pk=pk):
        wait = min(timedelta(minutes=2 ** min(row.tries, 10)), _LONGEST_WAIT)
        tries = min(row.tries + 1, 1000)
        waiting().filter(pk=pk).update(failed=zh, failed_en=en, tries=tries, next_try=now + wait)


def _row(pk: int, now: datetime) -> tuple[Changing, Change] | None:
    """One row under its lock: the work of its kind; nothing where another process was here before."""
    row = waiting().select_for_update(of=("self",)).select_related("change").filter(pk=pk, due__lte=now).first()
    if row is None:
        return None
    changing = Changing.as_ordered(row.change, now)
    work = _work.get(row.change.kind)
    if work is not None and row.how:  # without it, it was recorded before there were such rows and did its moves at once
        work(changing, row)
    row.outcome, row.settled_at, row.failed, row.failed_en = Coming.Outcome.DONE, now, "", ""
    row.save(update_fields=["outcome", "settled_at", "failed", "failed_en"])
    return changing, row.change
