"""What the engine says becomes alarms and warnings: each once, whatever is repeated or comes late."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.ledger import doors
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Entry
from fengsui.region.models import HazardUnit, Point
from fengsui.watch import applying, handling, housekeeping, rulechanges, rules
from fengsui.watch import warnings as lowering
from fengsui.watch.alarm_states import OWING, State, What, after
from fengsui.watch.handling import Doer
from fengsui.watch.models import Alarm, AlarmEvent, Concealment, IngestCounter, Rule
from fengsui.watch.shard import Shard
from fengsui.watch.stream import CONFIG, partition
from fengsui.watch.tail import Stored
from tests.small_region import build

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NS = int(NOW.timestamp()) * 10**9


class Plant:
    def __init__(self):
        self.small = build(NOW)
        self.site = self.small.site
        self.unit = HazardUnit.objects.create(
            site=self.site, code="U1", name_zh="氨罐区", name_en="Tanks", kind="storage", grade=1
        )
        common = {"site": self.site, "unit": self.unit, "quantity": "pressure", "measure": "MPa", "range_low": 0, "range_high": 3}
        self.points = [
            Point.objects.create(tag=f"PT-{n}", name_zh="压力", name_en="Pressure", high=1.6, high_high=1.8, **common)
            for n in range(3)
        ]
        Rule.objects.bulk_create(rules.derive(self.points, NOW))
        self.seq = self.stored = 0
        applying.position("ALARM", "e", NOW)

    def rule(self, level="HH", point=0):
        return Rule.objects.unscoped("test").filter(point=self.points[point], level=level).latest("since")

    def event(self, kind, level="HH", point=0, value=1.9, **more):
        self.seq += 1
        body = {
            "kind": kind, "rule": self.rule(level, point).pk, "point": self.points[point].pk, "level": 0, "site": self.site.code,
            "at": NS + self.seq * 10**9, "value": value, "seq": self.seq, "index": 0, "stored": NS, "id": f"e-1-{self.seq}-0",
        }  # fmt: skip
        return body | more

    def store(self, *events):
        messages = []
        for body in events:
            self.stored += 1
            messages.append(Stored("alarm.1", self.stored, NS, json.dumps({"token": 1, "events": [body]}).encode()))
        return messages

    def say(self, *events, now=NOW):
        applying.apply("ALARM", "e", self.store(*events), now)


@pytest.fixture
def plant(db):
    return Plant()


def alarms():
    return Alarm.objects.unscoped("test")


def warnings():
    return Case.objects.filter(mechanism="warning")


def test_a_raised_alarm_opens_the_site_s_warning_in_the_unit_s_colour(plant):
    plant.say(plant.event("RAISED"))
    alarm = alarms().get()
    assert (alarm.state, alarm.value, alarm.limit, alarm.warning_error) == ("unacknowledged", 1.9, 1.8, "")
    case = warnings().get()
    assert (case.fields["colour"], case.fields["hazard_kind"], case.about_id) == ("red", "pressure", str(plant.site.pk))
    assert alarm.case == case.pk


def test_more_alarms_join_the_one_warning_and_a_worse_one_raises_its_colour(plant):
    plant.say(plant.event("RAISED", "H"))
    assert warnings().get().fields["colour"] == "orange"
    plant.say(plant.event("RAISED", "H", 1), plant.event("RAISED", "HH"))
    assert warnings().get().fields["colour"] == "red"
    acts = list(Entry.objects.filter(case=warnings().get()).order_by("seq").values_list("act", flat=True))
    assert acts == ["by_alarm", "upgrade"]
    assert alarms().filter(case=warnings().get().pk).count() == 3


def test_a_warning_is_named_and_told_in_both_languages(plant):
    plant.say(plant.event("RAISED"))
    case = warnings().get()
    assert "压力（PT-0）超高限" in case.title_zh and "Pressure (PT-0) above its high limit" in case.title_en
    assert case.fields["seen"] == "压力（PT-0）高高报 1.9 MPa / Pressure (PT-0) high-high 1.9 MPa"


def test_a_warning_s_colour_is_lowered_once_its_alarms_call_for_less_for_a_while(plant):
    plant.say(plant.event("RAISED", "H"), plant.event("RAISED"))
    assert warnings().get().fields["colour"] == "red"
    plant.say(plant.event("CLEARED"))
    assert lowering.lower(NOW + timedelta(minutes=4)) == 0
    assert lowering.lower(NOW + timedelta(minutes=6)) == 1
    assert lowering.lower(NOW + timedelta(minutes=6)) == 0
    assert warnings().get().fields["colour"] == "orange"
    plant.say(plant.event("CLEARED", "H"), now=NOW + timedelta(minutes=7))
    assert lowering.lower(NOW + timedelta(minutes=60)) == 0  # lifted by a person, never by silence
    plant.say(plant.event("RAISED"), now=NOW + timedelta(minutes=61))
    assert warnings().get().fields["colour"] == "red"


def test_a_warning_is_not_lifted_while_its_alarm_is_active(plant):
    plant.say(plant.event("RAISED"))
    case, plants, county = str(warnings().get().pk), plant.small.one("plant").actor, plant.small.one("county").actor
    doors.act(case, Call("feed_back", plants, {"feedback": "已降压"}), now=NOW + timedelta(minutes=1))
    lift = Call("lift", county, {"grounds": "压力正常"})
    before = Entry.objects.count()
    with pytest.raises(doors.Refused) as refused:
        doors.act(case, lift, now=NOW + timedelta(minutes=2))
    assert refused.value.status == 409
    (why,) = refused.value.refusals
    assert (why.code, why.about) == ("guard", "signal_gone")
    assert why.needs == "Alarms of this warning are still active; they must clear first"
    assert (warnings().get().state, Entry.objects.count()) == ("watching", before)
    plant.say(plant.event("CLEARED"), now=NOW + timedelta(minutes=3))
    doors.act(case, lift, now=NOW + timedelta(minutes=4))
    assert (warnings().get().state, warnings().get().ended) == ("lifted", True)


def test_the_same_messages_again_change_nothing(plant):
    told = plant.store(plant.event("RAISED"), plant.event("CLEARED"), plant.event("RAISED"))
    applying.apply("ALARM", "e", told, NOW)
    before = list(alarms().values()), AlarmEvent.objects.count(), Entry.objects.count()
    applying.apply("ALARM", "e", told, NOW)
    applying.RelayPosition.objects.update(seq=0)
    applying.apply("ALARM", "e", told, NOW)
    assert (list(alarms().values()), AlarmEvent.objects.count(), Entry.objects.count()) == before
    assert alarms().get().times == 2


def test_an_older_event_than_the_alarm_has_seen_changes_nothing(plant):
    raised, cleared = plant.event("RAISED"), plant.event("CLEARED")
    plant.say(plant.event("RAISED"))
    plant.say(cleared, raised)
    assert alarms().get().state == "unacknowledged"


def test_a_failing_transaction_moves_neither_alarm_nor_position(plant):
    bad = plant.event("RAISED") | {"at": None}
    with pytest.raises(TypeError):
        plant.say(plant.event("RAISED"), bad)
    assert not alarms().exists()
    assert applying.position("ALARM", "e", NOW) == 0


def test_another_stream_s_position_is_not_moved(plant):
    with pytest.raises(applying.MovedOn):
        applying.apply("ALARM", "other", plant.store(plant.event("RAISED")), NOW)
    assert applying.position("ALARM", "other", NOW) == 0


def test_returned_alarms_wait_for_acknowledgement_and_end_with_it(plant):
    plant.say(plant.event("RAISED"), plant.event("CLEARED"))
    alarm = alarms().get()
    assert alarm.state == "returned" and alarm.closed_at is None
    person = plant.small.one("plant").person.pk
    handling.acknowledge([alarm.pk], Doer(person), key="k1", now=NOW)
    handling.acknowledge([alarm.pk], Doer(person), key="k1", now=NOW)
    alarm.refresh_from_db()
    assert (alarm.state, alarm.acknowledged_by) == ("normal", person)
    assert alarm.events.filter(kind="acknowledge").count() == 1
    assert Entry.objects.filter(case=alarm.case, act="again").count() == 1  # told that it cleared


def test_shelved_rules_raise_no_warning_until_the_shelf_ends(plant):
    person = plant.small.one("plant").person.pk
    with pytest.raises(handling.NotPossible):
        handling.shelve(plant.rule().pk, Doer(person), NOW + timedelta(hours=9), "calibration", key="s0", now=NOW)
    handling.shelve(plant.rule().pk, Doer(person), NOW + timedelta(hours=1), "calibration", key="s1", now=NOW)
    plant.say(plant.event("RAISED"))
    assert alarms().get().hidden == "shelved" and not warnings().exists()
    later = NOW + timedelta(hours=1, minutes=1)
    housekeeping.keep(later, exercise=False)
    housekeeping.keep(later + timedelta(seconds=6), exercise=False)
    assert alarms().get().hidden == "" and warnings().get().fields["colour"] == "red"


def test_a_rule_that_is_taken_away_ends_its_hiding(plant):
    old = plant.rule()
    handling.suppress(old.pk, Doer(plant.small.one("plant").person.pk), "by design", key="s", now=NOW)
    Rule.objects.unscoped("test").filter(pk=old.pk).update(until=NOW + timedelta(minutes=1))
    housekeeping.keep(NOW + timedelta(minutes=2), exercise=False)
    assert Concealment.objects.unscoped("test").get().ended_at == NOW + timedelta(minutes=2)
    with pytest.raises(handling.NotPossible, match=r"没有后续规则|none has replaced it"):
        handling.suppress(old.pk, Doer(1), "again", key="t", now=NOW + timedelta(minutes=3))


LATER = NOW + timedelta(minutes=1)


def closer(plant, limit=1.7, at=LATER):
    acting = plant.small.one("plant").acting
    (line,) = rulechanges.change(plant.points[0], {"HH": rulechanges.Wanted(limit, 0.05, 3.0, 10.0)}, "HAZOP 14", acting, at)
    return line


@pytest.mark.parametrize("kind", ["shelved", "out_of_service", "suppressed"])
def test_a_rule_that_is_replaced_hands_its_hiding_on(plant, kind):
    person, old = plant.small.one("plant").person.pk, plant.rule()
    what = {"shelved": "shelve", "suppressed": "suppress"}.get(kind, kind)
    handling.hide(what, old.pk, Doer(person), NOW + timedelta(hours=2), "calibration", key="s", now=NOW)
    raised = plant.event("RAISED")
    line = closer(plant)
    housekeeping.keep(LATER + timedelta(minutes=1), exercise=False)
    hidden = Concealment.objects.unscoped("test").get()
    assert (hidden.rule_id, hidden.ended_at, hidden.kind, hidden.since) == (line.new.pk, None, kind, NOW)
    assert line.after["hidden"] == kind and bool(line.after.get("hidden_until")) == (kind == "shelved")
    # The engine still judged by the former rule when the value went beyond.
    plant.say(raised, now=LATER)
    assert (alarms().get().hidden, alarms().get().rule_id) == (kind, line.new.pk) and not warnings().exists()
    handling.bring_back(old.pk, Doer(person), key="b", now=LATER, suppressed=True)  # from a page that is older than the change
    assert alarms().get().hidden == "" and not Concealment.objects.unscoped("test").filter(ended_at=None).exists()


def test_a_shelf_ends_at_its_time_though_the_rule_changed_in_between(plant):
    handling.shelve(plant.rule().pk, Doer(1), NOW + timedelta(hours=1), "calibration", key="s", now=NOW)
    plant.say(plant.event("RAISED"))
    closer(plant)
    housekeeping.keep(NOW + timedelta(minutes=59), exercise=False)
    assert alarms().get().hidden == "shelved"
    over = NOW + timedelta(hours=1)
    housekeeping.keep(over, exercise=False)
    housekeeping.keep(over + timedelta(seconds=6), exercise=False)
    assert alarms().get().hidden == "" and warnings().get().fields["colour"] == "red"


def test_an_active_alarm_goes_on_through_a_change_of_its_limit_once(plant):
    old = plant.rule()
    plant.say(plant.event("RAISED"))
    line = closer(plant)
    alarm = alarms().get()
    assert (alarm.rule_id, alarm.state, line.after["alarm"]) == (line.new.pk, "unacknowledged", alarm.pk)
    assert alarm.events.get(kind="rule_changed").text == "1.8 → 1.7 · HAZOP 14"
    # On its way to the engine: it still clears and raises by the former rule; then by the new one.
    plant.say(plant.event("CLEARED", rule=old.pk), plant.event("RAISED", rule=old.pk), now=LATER)
    plant.say(plant.event("CLEARED", rule=line.new.pk), plant.event("RAISED", rule=line.new.pk), now=LATER)
    alarm.refresh_from_db()
    assert (alarms().count(), alarm.state, alarm.times, alarm.limit) == (1, "unacknowledged", 3, 1.7)
    assert warnings().count() == 1


def test_engine_and_relay_keep_one_alarm_through_a_change(plant):
    """The real engine's events: a closer limit under an active alarm, a sample between, then back to normal."""
    shard = Shard("e", partition(plant.site.code))

    def put(subject, second, data, now):
        plant.seq += 1
        told = shard.take(Stored(subject, plant.seq, NS + second * 10**9, data))
        plant.say(*(event.body for event in told), now=now)

    def sample(second, value):
        body = json.dumps({"t": NS // 10**6 + second * 1000, "v": {"PT-0": value}}).encode()
        put(f"part.1.{plant.site.code}.json", second, body, NOW + timedelta(seconds=second))

    def configure(second):
        (config,) = rules.configurations(NOW + timedelta(seconds=second), [plant.site.pk])
        put(f"{CONFIG}.{plant.site.code}", second, config.encode(), NOW + timedelta(seconds=second))

    configure(1)
    for second in range(2, 9):
        sample(second, 1.9)
    assert {a.level for a in alarms()} == {"H", "HH"}
    line = closer(plant, 1.75, NOW + timedelta(seconds=9))
    configure(10)
    for second in range(11, 20):
        sample(second, 1.9)
    one = alarms().get(level="HH")
    assert (one.state, one.times, one.rule_id, line.after["alarm"]) == ("unacknowledged", 1, line.new.pk, one.pk)
    line.new.refresh_from_db()
    assert line.new.taken_at is not None
    for second in range(20, 40):
        sample(second, 1.0)
    assert {(a.level, a.state) for a in alarms()} == {("H", "returned"), ("HH", "returned")}
    assert warnings().count() == 1


def test_lasting_silence_becomes_one_yellow_warning(plant):
    plant.say(*(plant.event("RAISED", "SILENT", n, None) for n in range(3)))
    housekeeping.keep(NOW + timedelta(minutes=20), exercise=False)
    assert not warnings().exists()
    housekeeping.keep(NOW + timedelta(minutes=31), exercise=False)
    assert [case.fields["colour"] for case in warnings()] == ["yellow"]
    assert alarms().filter(case=warnings().get().pk).count() == 3


def test_one_outage_alarm_though_every_partition_tells_of_it(plant):
    outage = {"rule": -1, "point": -1, "site": "", "value": 30.0}
    plant.say(*(plant.event("OUTAGE", **outage) for _ in range(20)))
    alarm = alarms().get()
    assert (alarm.level, alarm.times, alarm.state) == ("OUTAGE", 1, "returned")
    assert (alarm.value, alarm.events.count()) == (30.0 + 19, 1)  # the partitions' last messages lay seconds apart
    plant.say(plant.event("OUTAGE", **outage, at=NS + 600 * 10**9))
    alarm.refresh_from_db()
    assert (alarm.times, alarms().count()) == (2, 1)
    handling.acknowledge([alarm.pk], Doer(1), key="a", now=NOW)
    plant.say(plant.event("OUTAGE", **outage, at=NS + 610 * 10**9), plant.event("OUTAGE", **outage, at=NS + 900 * 10**9))
    assert alarms().filter(closed_at__isnull=True).count() == 1 and alarms().count() == 2


def test_messages_without_events_are_passed_over(plant):
    odd = [Stored("alarm.1", n, NS, data) for n, data in enumerate((b"", b"[]", b'{"token": 3}', b'{"events": []}'), 1)]
    assert applying.apply("ALARM", "e", odd, NOW) == 4


def test_no_transaction_carries_a_whole_flood(plant):
    told = plant.store(*(plant.event("RAISED", id="x" * 9_000) for _ in range(100)))
    portions = list(applying.portions(told))
    assert [message for portion in portions for message in portion] == told
    assert 3 < len(portions) < 10 and list(applying.portions([])) == []


def test_late_records_say_how_many_and_when(plant):
    plant.say(plant.event("LATE_BEYOND", times=37, until=NS + 60 * 10**9))
    assert AlarmEvent.objects.get().text == "37 × 2026-11-24 11:00:01 – 2026-11-24 11:01:00"


def test_counters_are_totals_so_a_replay_does_not_add(plant):
    told = {"sites": {"HC-1": [5, 1, 0, 0, 0, 2, 0, 8, "json: broken"]}}
    plant.say(plant.event("COUNTS") | told, plant.event("COUNTS") | told)
    found = {row.kind: row.total for row in IngestCounter.objects.all()}
    assert found == {"accepted": 5, "duplicate": 1, "malformed": 2, "messages": 8}


def test_the_database_refuses_a_second_open_alarm(plant):
    from django.db import IntegrityError, transaction

    plant.say(plant.event("RAISED"))
    row = alarms().get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def second(row, rule):
    """Another open alarm of the same point and level, under another rule."""
    return Alarm(
        rule=rule, point=row.point, site=row.site, level=row.level, priority=1, state="unacknowledged", hidden="shelved",
        raised_at=NOW + timedelta(hours=1), order_seq=99, touched_at=NOW,
    )  # fmt: skip


def test_the_database_refuses_a_second_open_alarm_under_another_rule(plant):
    from django.db import IntegrityError, transaction

    plant.say(plant.event("RAISED"))
    row, line = alarms().get(), closer(plant)
    with pytest.raises(IntegrityError), transaction.atomic():
        second(row, line.new).save(force_insert=True)
    plant.say(plant.event("RAISED", "H"), plant.event("RAISED", "HH", 1))
    assert alarms().filter(closed_at=None).count() == 3, "another level or point has its own"


@pytest.mark.parametrize("ended", [False, True])
def test_doubles_of_an_older_folder_become_one(plant, ended):
    """An open alarm keeps its open warning; one that has ended answers it no more, and another will be opened."""
    from importlib import import_module

    from django.db import connection

    plant.say(plant.event("RAISED"), plant.event("RAISED", "H"))
    first, line = alarms().get(level="HH"), closer(plant)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX watch_alarm_one_open")
        second(first, line.new).save(force_insert=True)
        if ended:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE ledger_case SET ended = true WHERE id = %s", [first.case])
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute(import_module("fengsui.watch.migrations.0006_one_open_alarm_per_level").DOUBLES)
    old, new = alarms().filter(level="HH").order_by("pk")
    assert (old.state, old.closed_at, old.case) == ("normal", NOW + timedelta(hours=1), first.case)
    assert (new.state, new.closed_at, new.hidden) == ("unacknowledged", None, "shelved")
    assert new.case == (None if ended else first.case)
    assert [event.text for event in old.events.filter(kind="double")] == [f"→ {new.pk}"]
    assert alarms().get(level="H").closed_at is None


def test_flood_is_marked(plant):
    for n in range(12):
        plant.say(plant.event("RAISED", "H", n % 3), plant.event("CLEARED", "H", n % 3))
        handling.acknowledge(list(alarms().filter(state__in=OWING).values_list("pk", flat=True)), Doer(1), key=f"a{n}", now=NOW)
    assert [a.flood for a in alarms().order_by("pk")] == [False] * 10 + [True] * 2


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(list(What))), st.booleans())
def test_an_alarm_never_ends_unacknowledged_or_while_active(story, latched):
    state, active, acknowledged = State.NORMAL, False, True
    for what in story:
        before, state = state, after(state, what, latched=latched)
        if what is What.RAISE:
            active = True
            acknowledged = acknowledged and before in (State.UNACKNOWLEDGED, State.ACKNOWLEDGED)
        elif what is What.CLEAR:
            active = False
        elif what is What.ACKNOWLEDGE:
            acknowledged = True
        if state is State.NORMAL:
            assert not active and acknowledged
            acknowledged = True
        assert after(state, What.CLEAR, latched=latched) == after(
            after(state, What.CLEAR, latched=latched), What.CLEAR, latched=latched
        )
