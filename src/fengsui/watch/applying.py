"""Applies the engine's events to the database: one transaction with the position of the stream.

In: messages of the ALARM stream. Out: alarm rows, their events, warnings, counters. An event met again, or older
than what its alarm has seen, changes nothing; so a replay from anywhere ends in the same rows.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import transaction

from fengsui.moment import LEGAL_ZONE
from fengsui.watch import burden, colours, news, rulechanges, warnings
from fengsui.watch.alarm_states import State, What, after
from fengsui.watch.models import Alarm, AlarmEvent, Concealment, IngestCounter, RelayPosition, Rule
from fengsui.watch.shard import CONFIGURED, COUNTED
from fengsui.watch.tail import Stored

log = logging.getLogger(__name__)

_PORTION = 256 * 1024  # about a thousand events
_NO_WARNING = frozenset({"BAD", "SILENT"})
"""These become a warning only when they last (``housekeeping``)."""
_MOVING = (
    *("priority", "state", "hidden", "cleared_at", "closed_at", "value", "limit", "times", "flood"),
    *("case", "warning_error", "order_seq", "order_index", "touched_at", "acknowledged_at", "acknowledged_by"),
)


class MovedOn(RuntimeError):
    """Another relay has applied messages meanwhile: read the position again."""


def position(stream: str, epoch: str, now: datetime) -> int:
    """Up to which message all is applied; 0 for a stream that was made anew."""
    row, _ = RelayPosition.objects.get_or_create(stream=stream, defaults={"epoch": epoch, "moved_at": now})
    if row.epoch != epoch:
        RelayPosition.objects.filter(pk=stream).update(epoch=epoch, seq=0, moved_at=now)
        return 0
    return row.seq


def apply(stream: str, epoch: str, messages: Sequence[Stored], now: datetime, *, exercise: bool = False) -> int:
    """Apply the messages that are new, and move the position, in one transaction; give the position after.

    Raises ``MovedOn`` where the position's stream is another; ``django.db.Error`` as it comes: nothing is changed then.
    """
    with transaction.atomic():
        row = RelayPosition.objects.select_for_update().get(pk=stream)
        if row.epoch != epoch:
            raise MovedOn(f"the relay's position is of stream {row.epoch}, not {epoch}")
        fresh = [message for message in messages if message.seq > row.seq]
        if not fresh:
            return row.seq
        _Batch([event for message in fresh for event in events_of(message)], now, exercise).apply()
        RelayPosition.objects.filter(pk=stream).update(seq=fresh[-1].seq, moved_at=now)
        return fresh[-1].seq


def events_of(message: Stored) -> list[dict[str, Any]]:
    """The events that a message of the ALARM stream carries; none where it begins an owner's turn, or is not the engine's."""
    try:
        events = orjson.loads(message.data)["events"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        log.error("message %d of the alarm stream carries no events: passed over", message.seq)
        return []
    return list(events)


def portions(messages: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
    """The messages in their order, cut so that no transaction carries much more than ``_PORTION`` bytes."""
    begin = size = 0
    for place, message in enumerate(messages):
        size += len(message.data)
        if size > _PORTION:
            yield messages[begin : place + 1]
            begin, size = place + 1, 0
    if begin < len(messages):
        yield messages[begin:]


def _locked(wanted: set[int]) -> dict[int, Rule]:
    """The rules and those that have replaced them, locked: until the batch is written nobody changes one or hides its alarms.

    A change that was waited for has made another rule, which is locked in turn.
    """
    rows = Rule.objects.unscoped("the relay applies every rule's events")
    locking = rows.select_related("point__unit", "point__site").select_for_update(of=("self",), no_key=True).order_by("pk")
    found: dict[int, Rule] = {}
    while wanted:
        found |= {rule.pk: rule for rule in locking.filter(pk__in=wanted)}
        left = {rule.point_id for rule in found.values() if rule.until is not None}
        running = rows.filter(point_id__in=left, until__isnull=True)
        wanted = set(running.values_list("pk", flat=True)) - found.keys()
    return found


class _Batch:
    """One transaction's events, with the rules and open alarms they concern read beforehand."""

    def __init__(self, events: list[dict[str, Any]], now: datetime, exercise: bool) -> None:
        self.now, self.exercise = now, exercise
        known = set(AlarmEvent.objects.filter(event_id__in=[e["id"] for e in events]).values_list("event_id", flat=True))
        self.events = [event for event in events if event["id"] not in known]
        self.rules = _locked({event["rule"] for event in self.events if event.get("rule", -1) >= 0})
        # A point's level is one alarm, whichever rule the engine judged by: a change may be on its way to it.
        points = {rule.point_id for rule in self.rules.values()}
        alarms = Alarm.objects.unscoped("the relay applies every rule's events").select_related("rule", "point__unit", "site")
        standing = alarms.filter(point_id__in=points, rule__isnull=False, closed_at__isnull=True).order_by("pk")
        # Locked in the order in which people's acts lock them: what is written back below is what stands now.
        standing = standing.select_for_update(of=("self",))
        self.open = {(alarm.point_id, alarm.level): alarm for alarm in standing}
        hidden = Concealment.objects.unscoped("the relay applies every rule's events")
        hidden = hidden.filter(rule__point_id__in=points, ended_at__isnull=True)
        self.hidden = {(point, level): kind for point, level, kind in hidden.values_list("rule__point", "rule__level", "kind")}
        self.successors = {(rule.point_id, rule.level): rule for rule in self.rules.values() if rule.until is None}
        self.said: list[AlarmEvent] = []
        self.changed: set[int] = set()
        self.new: list[Alarm] = []
        self.dirty: dict[int, Alarm] = {}
        self.told: dict[tuple[int, str], list[tuple[Alarm, str, str]]] = defaultdict(list)
        self.cleared: list[tuple[Alarm, str]] = []
        self.raised: Counter[int] = Counter()
        self.flood = burden.flood_limit(now)
        self.before: dict[int, int] = {}
        self.counts: dict[str, list[Any]] = {}

    def apply(self) -> None:
        seen: set[str] = set()
        for event in self.events:
            if event["id"] in seen:
                continue
            seen.add(event["id"])
            if event["kind"] == "COUNTS":
                self.counts |= event["sites"]
            elif event["kind"] == "OUTAGE":
                self._outage(event)
            elif event["kind"] == CONFIGURED:
                rulechanges.taken(event["site"], event["rules"], moment(event["at"]))
            else:
                self._transition(event)
        self._announce()
        self._write()
        self._count()
        AlarmEvent.objects.bulk_create(self.said)
        last = {alarm.case: (alarm, key) for alarm, key in self.cleared if alarm.case is not None}
        for alarm, key in last.values():
            warnings.tell_cleared(alarm, key=key, now=self.now)
        news.spread(self.changed, self.now)

    def _announce(self) -> None:
        """One act of the ledger for all alarms of a site and kind of hazard: the worst of them speaks."""
        for told in self.told.values():
            worst, colour, key = max(told, key=lambda one: colours.rank(one[1]))
            assert worst.site is not None
            warnings.announce(worst, colour, key=key, now=self.now, exercise=self.exercise and worst.site.synthetic)
            for alarm, _, _ in told:
                alarm.case, alarm.warning_error = worst.case, worst.warning_error

    def _write(self) -> None:
        """Closed alarms first, so that a new one of the same rule finds its place free."""
        # Rows that exist go through "insert, on conflict update": ten times as fast as Django's bulk_update.
        Alarm.objects.bulk_create(self.dirty.values(), update_conflicts=True, unique_fields=["id"], update_fields=_MOVING)
        Alarm.objects.bulk_create(self.new)

    def _transition(self, event: dict[str, Any]) -> None:
        rule = self.rules.get(event["rule"])
        if rule is None:
            self._say(event, None, "the rule no longer exists")
            return
        alarm = self.open.get((rule.point_id, rule.level))
        if alarm is not None and (event["seq"], event["index"]) <= (alarm.order_seq, alarm.order_index):
            self._say(event, alarm)
            return
        if event["kind"] == "RAISED":
            alarm = self._raise(event, rule, alarm)
        elif event["kind"] in ("CLEARED", "WITHDRAWN") and alarm is not None:
            self._clear(event, rule, alarm)
        self._say(event, alarm, _late_words(event) if event["kind"] == "LATE_BEYOND" else "")

    def _raise(self, event: dict[str, Any], rule: Rule, alarm: Alarm | None) -> Alarm:
        at = moment(event["at"])
        if alarm is None:
            by = self.successors.get((rule.point_id, rule.level), rule)
            alarm = Alarm(rule=by, point=by.point, site=by.point.site, level=by.level, state=State.NORMAL, times=0)
            alarm.raised_at = at
            self.new.append(alarm)
        alarm.state = after(State(alarm.state), What.RAISE)
        if alarm.state == State.UNACKNOWLEDGED:  # a latched one raised anew: who took note of it before stands in its record
            alarm.acknowledged_at = alarm.acknowledged_by = None
        alarm.times += 1
        alarm.priority, alarm.limit, alarm.value, alarm.cleared_at = rule.priority, rule.limit, event["value"], None
        alarm.hidden = self.hidden.get((rule.point_id, rule.level), "")
        alarm.flood = self._flooded(rule.point.site_id)
        self._place(alarm, event)
        self.open[rule.point_id, rule.level] = alarm
        self._keep(alarm)
        if not alarm.hidden and rule.level not in _NO_WARNING and (colour := warnings.colour_of(alarm, self.now)):
            self.told[rule.point.site_id, rule.hazard_kind].append((alarm, colour, event["id"]))
        return alarm

    def _clear(self, event: dict[str, Any], rule: Rule, alarm: Alarm) -> None:
        state = State(alarm.state)
        alarm.state = after(state, What.CLEAR, latched=rule.latched)
        if alarm.state != state:
            alarm.cleared_at = moment(event["at"])
        self._place(alarm, event)
        if alarm.state == State.NORMAL:
            alarm.closed_at = alarm.cleared_at
            del self.open[rule.point_id, rule.level]
        self._keep(alarm)
        if alarm.state != state:
            self.cleared.append((alarm, event["id"]))

    def _keep(self, alarm: Alarm) -> None:
        if alarm.pk is not None:
            self.dirty[alarm.pk] = alarm
        if alarm.site_id is not None:
            self.changed.add(alarm.site_id)

    def _place(self, alarm: Alarm, event: dict[str, Any]) -> None:
        alarm.order_seq, alarm.order_index, alarm.touched_at = event["seq"], event["index"], self.now

    def _flooded(self, site: int) -> bool:
        if site not in self.before:
            rows = Alarm.objects.unscoped("counting a site's alarms").filter(site_id=site, raised_at__gt=self.now - burden.SPAN)
            self.before[site] = rows.count()
        self.raised[site] += 1
        return self.before[site] + self.raised[site] > self.flood

    def _outage(self, event: dict[str, Any]) -> None:
        """One gap of the stream is one outage, though every partition tells of it."""
        begin = moment(event["at"])
        end = begin + timedelta(seconds=event["value"])
        rows = Alarm.objects.unscoped("an outage concerns every site").filter(level="OUTAGE").select_for_update()
        alarm = rows.filter(closed_at__isnull=True).first() or rows.filter(raised_at__lt=end, cleared_at__gt=begin).first()
        if alarm is not None and alarm.cleared_at is not None and begin < alarm.cleared_at:
            if end > alarm.cleared_at:
                alarm.cleared_at, alarm.value = end, (end - alarm.raised_at).total_seconds()
                alarm.save(update_fields=["cleared_at", "value"])
            return
        alarm = alarm or Alarm(level="OUTAGE", priority=Rule.Priority.HIGH, raised_at=begin, times=0)
        alarm.state, alarm.times, alarm.value, alarm.cleared_at = State.RETURNED, alarm.times + 1, event["value"], end
        self._place(alarm, event)
        alarm.save()  # rare: written at once
        self._say(event, alarm)

    def _say(self, event: dict[str, Any], alarm: Alarm | None, text: str = "") -> None:
        rule = self.rules.get(event["rule"])
        self.said.append(
            AlarmEvent(
                event_id=event["id"],
                alarm=alarm,
                kind=event["kind"],
                rule=rule,
                point_id=rule.point_id if rule else None,
                at=moment(event["at"]),
                stored_at=moment(event["stored"]),
                value=event["value"],
                text=text,
            )
        )

    def _count(self) -> None:
        rows = [
            IngestCounter(site=site[:64], door="stream", kind=kind, total=total, last_text=told[-1], moved_at=self.now)
            for site, told in self.counts.items()
            for kind, total in zip(COUNTED, told, strict=False)
            if total
        ]
        IngestCounter.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["site", "door", "kind"],
            update_fields=["total", "last_text", "moved_at"],
        )


def _late_words(event: dict[str, Any]) -> str:
    first, last = (moment(event[name]).astimezone(LEGAL_ZONE) for name in ("at", "until"))
    return f"{event['times']} × {first:%Y-%m-%d %H:%M:%S} – {last:%Y-%m-%d %H:%M:%S}"


def moment(time_ns: int) -> datetime:
    """Nanoseconds since 1970 as an aware time, to the microsecond."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC) + timedelta(microseconds=time_ns // 1000 % 1_000_000)
