"""The one door through which the region's registers change: offices, posts, people, sites.

In: who acts, the grounds, and the work that changes rows. Out: the rows and their ``Change`` records in one
transaction, or nothing. Rooms above put themselves around it (the check of vacancies) or listen to a kind of change
(open cases follow a merged office); this room knows none of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, TypeVar

from django.db import Error, OperationalError, transaction
from django.utils.translation import gettext

from fengsui.moment import LEGAL_ZONE

from .acting import Acting
from .models import Change, Office
from .roles import enterprise_work
from .tree import tree

T = TypeVar("T")
Around = Callable[[datetime], AbstractContextManager[None]]
Listener = Callable[[Change, datetime], None]

ADMINISTRATION = "administration"
GOVERNING = frozenset({Office.Kind.DEPARTMENT, Office.Kind.GOVERNMENT})
"""Kinds of offices that answer for every field of work of their place."""
_TRIES = 4
_AGAIN = ("40001", "40P01")  # serialisation failure, deadlock
_around: list[Around] = []
_listeners: dict[str, list[Listener]] = defaultdict(list)


class NotPossible(ValueError):
    """The change does not fit what stands there; the text says why and what would, ``field`` where it was asked."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


def around(context: Around) -> None:
    """Let every change's transaction run inside ``context(now)``; said once, when a room starts."""
    _around.append(context)


def listen(kind: str, listener: Listener) -> None:
    """Call ``listener(change, now)`` once a change of this kind counts: in the transaction that records it, or, where it
    is dated ahead, in the one that carries it out on its day."""
    _listeners[kind].append(listener)


def midnight(day: date) -> datetime:
    """0:00 of a legal day: a term from or until that day begins or ends there."""
    return datetime.combine(day, time(), LEGAL_ZONE)


def today(now: datetime) -> date:
    """The legal day."""
    return now.astimezone(LEGAL_ZONE).date()


def plain(value: Any) -> Any:
    """A column's value as JSON keeps it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else getattr(value, "pk", str(value))


@dataclass
class Changing:
    """A change in hand: who makes it, when, why; ``note`` puts one line on record."""

    acting: Acting
    now: datetime
    grounds: str
    lines: list[Change] = field(default_factory=list)

    @classmethod
    def as_ordered(cls, change: Change, now: datetime) -> Changing:
        """The carrying out, ``now``, of what was ordered earlier: in the name, and on the grounds, of whoever ordered it."""
        who = Acting(change.person_id, change.post_id, change.acting_office_id, change.principal_id)
        return cls(who, now, change.grounds)

    @property
    def today(self) -> date:
        """The legal day of the change."""
        return today(self.now)

    def note(
        self,
        kind: str,
        office: Office | int,
        subject: Any,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        since: datetime | date | None = None,
        title: tuple[str, str] = ("", ""),
    ) -> Change:
        """Record that ``subject`` of this office's register changed so."""
        begins = midnight(since) if isinstance(since, date) and not isinstance(since, datetime) else since
        zh, en = title if title[0] else titles(subject)
        line = Change.objects.create(
            at=self.now, kind=kind, office_id=office if isinstance(office, int) else office.pk,
            subject_kind=type(subject).__name__.lower(), subject_id=subject.pk, title_zh=zh[:300], title_en=en[:300],
            since=begins or self.now, grounds=self.grounds,
            before={name: plain(value) for name, value in (before or {}).items()},
            after={name: plain(value) for name, value in (after or {}).items()},
            person_id=self.acting.person_id, principal_id=self.acting.principal_id, post_id=self.acting.post_id,
            acting_office_id=self.acting.office_id,
        )  # fmt: skip
        self.lines.append(line)
        return line

    def edit(
        self, kind: str, office: Office | int, subject: Any, values: Mapping[str, Any], since: date | None = None
    ) -> Change | None:
        """Set these columns of ``subject`` and record which differed; nothing where none did."""
        before = {name: getattr(subject, name) for name in values}
        changed = {name: value for name, value in values.items() if value != before[name]}
        if not changed:
            return None
        for name, value in changed.items():
            setattr(subject, name, value)
        subject.save(update_fields=list(changed))
        return self.note(kind, office, subject, before={name: before[name] for name in changed}, after=changed, since=since)


def titles(subject: Any) -> tuple[str, str]:
    """What a subject is called in both languages."""
    for stem in ("name", "title"):
        if zh := getattr(subject, f"{stem}_zh", ""):
            return zh, getattr(subject, f"{stem}_en", "") or zh
    name = str(getattr(subject, "name", "") or subject)
    return name, name


def change(acting: Acting, now: datetime, grounds: str, work: Callable[[Changing], T]) -> T:
    """Run ``work(changing)`` in one transaction with everything that rooms above hang on it.

    A deadlock starts it again. Raises ``NotPossible`` for missing grounds, and whatever ``work`` raises: then
    nothing is changed.
    """
    if not grounds.strip():
        raise NotPossible(gettext("Say why, and on what paper."), "grounds")

    def once() -> T:
        changing = Changing(acting, now, grounds.strip())
        with _inside(now):
            done = work(changing)
            _tell(changing.lines, now)
            return done

    return _tried(once)


def carry_out(work: Callable[[datetime], tuple[Changing, Change] | None], now: datetime) -> bool:
    """Run, in such a transaction, what was recorded for a day that has come; whether there was anything left to do."""

    def once() -> bool:
        with _inside(now):
            done = work(now)
            if done is not None:
                changing, ordered = done
                _tell([*changing.lines, ordered], now)
            return done is not None

    return _tried(once)


def _tried(once: Callable[[], T]) -> T:
    for left in reversed(range(_TRIES)):
        try:
            return once()
        except OperationalError as error:
            cause: Error | BaseException | None = error.__cause__
            if getattr(cause, "sqlstate", "") not in _AGAIN or not left or transaction.get_connection().in_atomic_block:
                raise
    raise AssertionError("unreachable")


@contextmanager
def _inside(now: datetime) -> Iterator[None]:
    with transaction.atomic(), ExitStack() as stack:
        for context in _around:
            stack.enter_context(context(now))
        yield


def _tell(lines: Iterable[Change], now: datetime) -> None:
    """Whoever listens hears of what counts now; of what is dated ahead on its day."""
    for line in lines:
        if line.since <= now:
            for listener in _listeners[line.kind]:
                listener(line, now)


def may_administer(acting: Acting, office: int) -> bool:
    """Whether the acting's post administers this office: a post of administration there or in an office above it."""
    picture = tree()
    post, above, below = picture.posts.get(acting.post_id), picture.offices.get(acting.office_id), picture.offices.get(office)
    if post is None or above is None or below is None or ADMINISTRATION not in post.duties:
        return False
    return below.path.startswith(above.path) and acting.may_do("region", "change")


def may_give(acting: Acting, works: Iterable[str]) -> bool:
    """Whether the administrator may give these fields of work or functions to an office.

    Nobody gives what the own office does not have: a new field of work would let its holder see what lies above them.
    """
    picture = tree()
    office = picture.offices.get(acting.office_id)
    return office is not None and (office.kind in GOVERNING or set(works) <= office.duties)


def may_give_functions(acting: Acting, office: int, works: Iterable[str]) -> bool:
    """Whether the administrator may give these functions to a post of ``office``.

    An enterprise's posts have an enterprise's functions. Else nobody gives what the own authority does not have: the
    functions of the own office, of its posts and of those below it; the department and a government have all.
    """
    picture = tree()
    own, there, wanted = picture.offices.get(acting.office_id), picture.offices.get(office), set(works)
    if own is None or there is None:
        return False
    if there.kind == Office.Kind.ENTERPRISE:
        return wanted <= enterprise_work()
    if own.kind in GOVERNING:
        return True
    wanted -= own.duties
    for post in picture.posts.values():
        seat = picture.offices[post.office]
        if wanted and seat.kind != Office.Kind.ENTERPRISE and seat.path.startswith(own.path):
            wanted -= post.duties
    return not wanted


def is_own(acting: Acting, person: int) -> bool:
    """Whether the person is who acts, or on whose behalf: nobody changes the own terms, nor lets a deputy do it."""
    return person in (acting.person_id, acting.principal_id)
