"""From an act to people: outbox positions, effects once, call lists, notices by mail and gateway."""

from __future__ import annotations

import http.server
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections, transaction

from fengsui.ledger import clockwork, doors, effects, notices, publisher
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import CallLine, Case, Delivery, Notice, Outbox
from fengsui.region.models import Contact
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, first_criterion, found, photo, settle, site
from tests.small_region import Small, Somebody

pytestmark = pytest.mark.django_db


def warning(small: Small) -> str:
    alarm = Actor("event", name="warning.level")
    values = {"hazard_kind": "leak", "colour": "red"}
    return doors.open("warning", "by_alarm", values, alarm, site(small), key="", now=NOW).case


def contacts(small: Small, *names: str) -> None:
    for place, name in enumerate(names, 1):
        Contact.objects.create(office=small.plant, name=name, phone=f"1390000000{place}", order=place)


def carry_out_all() -> None:
    publisher.place(NOW)
    for row in Outbox.objects.filter(done_at__isnull=True).order_by("position"):
        effects.carry_out(row.pk, NOW)


def test_rows_get_positions_in_order_and_jobs_for_effects(small: Small) -> None:
    warning(small)
    found(small)
    assert publisher.place(NOW) == Outbox.objects.count()
    rows = list(Outbox.objects.order_by("id"))
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    waiting = {row.topic for row in rows if row.done_at is None}
    assert waiting == {"call_list"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ledger.carry_out'")
        assert cursor.fetchone()[0] == 1
    assert publisher.place(NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_a_row_that_commits_late_gets_a_later_position(transactional_db) -> None:
    begun, finish = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            Outbox.objects.create(topic="case", at=NOW)
            begun.set()
            finish.wait(20)
        connections.close_all()

    writer = threading.Thread(target=slowly)
    writer.start()
    begun.wait(20)
    early = Outbox.objects.create(topic="case", at=NOW)
    publisher.place(NOW)
    early.refresh_from_db()
    finish.set()
    writer.join(20)
    publisher.place(NOW)
    late = Outbox.objects.exclude(pk=early.pk).get()
    assert late.pk < early.pk
    assert late.position > early.position


def test_a_call_list_is_there_once_and_keeps_results(small: Small) -> None:
    contacts(small, "值班员", "班长")
    case = warning(small)
    carry_out_all()
    Outbox.objects.filter(topic="call_list").update(done_at=None)
    carry_out_all()
    lines = list(CallLine.objects.filter(case_id=case, office_id=small.plant.pk))
    assert [(line.order, line.name) for line in lines] == [(1, "值班员"), (2, "班长")]
    who = small.one("county")
    notices.record_call(lines[0].pk, "no_answer", person=who.person.pk, post=who.post.pk, now=NOW, note="无人接听")
    notices.record_call(lines[1].pk, "reached", person=who.person.pk, post=who.post.pk, now=NOW + timedelta(minutes=1))
    with pytest.raises(Refused):
        notices.record_call(lines[0].pk, "perhaps", person=1, post=None, now=NOW)


def test_a_rung_lists_the_office_it_climbs_to(small: Small) -> None:
    case = warning(small)
    Contact.objects.create(office=small.county, name="区值班", phone="0472-1", order=1)
    end = Case.objects.get(pk=case).next_due
    clockwork.tick(end + timedelta(minutes=6))
    carry_out_all()
    assert CallLine.objects.filter(case_id=case, office_id=small.county.pk).exists()


def test_unread_and_seen(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    clockwork.tick(NOW + timedelta(days=60))
    offices, reader = [small.county.pk], small.one("county").person.pk
    count = notices.unread(offices, reader)
    assert count >= 1
    assert notices.see(notices.of(offices, reader), reader, NOW) == count
    assert notices.unread(offices, reader) == 0


def test_without_a_mail_server_no_mail_is_said_to_be_sent(small: Small, settings) -> None:
    settings.MAILS = False
    small.one("county").account.email = "duty@example.org"
    small.one("county").account.save()
    case = found(small).case
    clockwork.tick(Case.objects.get(pk=case).next_due)
    Notice.objects.update(at=NOW)
    notices.deliver(NOW + timedelta(minutes=1))
    assert not mail.outbox and set(Delivery.objects.values_list("channel", flat=True)) == {"none"}


def test_mail_goes_to_those_who_hold_a_post_and_not_in_exercises(small: Small, settings) -> None:
    settings.MAILS, settings.ORIGIN = True, "https://fengsui.example.org"
    who = small.one("county")
    who.account.email = "duty@example.org"
    who.account.save()
    case = found(small).case
    clockwork.tick(Case.objects.get(pk=case).next_due)
    Notice.objects.update(at=NOW)
    assert notices.deliver(NOW + timedelta(minutes=1)) >= 1
    assert mail.outbox[0].to == ["duty@example.org"]
    assert "期限" in mail.outbox[0].subject or "deadline" in mail.outbox[0].subject
    assert f"https://fengsui.example.org/cases/{case}" in mail.outbox[0].body
    sent = len(mail.outbox)
    assert notices.deliver(NOW + timedelta(minutes=2)) == 0
    Delivery.objects.all().delete()
    Notice.objects.update(exercise=True)
    notices.deliver(NOW + timedelta(minutes=3))
    assert len(mail.outbox) == sent


def test_a_gateway_gets_the_notice_and_its_failure_is_kept(small: Small, tmp_path, settings) -> None:
    heard: list[dict] = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.DATA_DIR = tmp_path
    (tmp_path / "notices.yaml").write_text(
        f"gateways:\n  - {{name: duty, url: 'json://127.0.0.1:{server.server_port}/', kinds: [overdue]}}\n"
        "  - {name: gone, url: 'json://127.0.0.1:9/', kinds: [overdue]}\n"
    )
    case = found(small).case
    clockwork.tick(Case.objects.get(pk=case).next_due)
    Notice.objects.update(at=NOW)
    notices.deliver(NOW + timedelta(minutes=1))
    server.shutdown()
    assert any(case in one["message"] for one in heard)
    assert Delivery.objects.filter(channel="gone", sent_at=None, attempts=1).exclude(error="").exists()


def test_a_confidential_matter_is_not_named(small: Small) -> None:
    case = found(small).case
    clockwork.tick(Case.objects.get(pk=case).next_due + timedelta(days=31))
    secret = Case.objects.get(mechanism="accountability_lead")
    assert secret.confidential
    notice = Notice.objects.create(case=secret, role="x", kind="act", text="This matter has ended", at=NOW)
    for language in ("zh-hans", "en"):
        assert secret.title not in "".join(notices.words(notice, language))
    assert not notices.of([small.plant.pk, small.county.pk], None).filter(case=secret).exists()


def test_the_raiser_is_told_at_each_decision_and_at_the_end(small: Small) -> None:
    plant, first, second = small.one("plant"), small.one("county", 1), small.one("county", 2)
    case = doors.open("hazard", "self_reported", {"finding": "安全阀根部阀关闭"}, plant.actor, site(small), key="", now=NOW).case
    told: list[str] = []

    def decided(act: str, *by: Somebody, **values: Any) -> None:
        """By everybody who must sign; then exactly one notice more, about this act, after the last signature."""
        for one in by:
            assert heard() == told
            do(case, act, one, **values)
        told.append(act)
        assert heard() == told

    def heard() -> list[str]:
        return [notice.entry.act for notice in notices.told(Case.objects.get(pk=case))]

    decided("accept", first)
    decided("list", first, second, criterion=first_criterion())
    plan = {"responsibility": plant.person.pk, "measures": "打开并铅封", "funds": 100, "contingency": "预案"}
    do(case, "settle", plant, deadline="2026-12-20", **plan)
    decided("refuse", first, reason="资金不足")
    do(case, "settle", plant, deadline="2026-12-20", **plan)
    decided("approve", first)
    do(case, "submit", plant, evidence=[photo(None)])
    decided("return", first, reason="铅封缺失")
    do(case, "submit", plant, evidence=[photo(None, "cd" * 32)])
    seen = photo(digest="ef" * 32)
    decided("pass", first, second, photos=[seen])
    assert [notice.kind for notice in notices.told(Case.objects.get(pk=case))][-1] == "end"


def test_the_duty_room_that_raised_a_warning_hears_of_each_answer(small: Small) -> None:
    raiser = small.one("county")
    values = {"hazard_kind": "leak", "colour": "red"}
    case = doors.open("warning", "by_person", values, raiser.actor, site(small), key="", now=NOW).case
    do(case, "acknowledge", small.one("plant"))
    do(case, "feed_back", small.one("plant"), feedback="已关阀")
    do(case, "reject", small.one("county"), grounds="未说明浓度")
    acts = [notice.entry.act for notice in notices.told(Case.objects.get(pk=case))]
    assert acts == ["acknowledge", "feed_back", "reject"]
