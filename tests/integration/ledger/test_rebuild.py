"""Cases, clocks and numbers derived from the entries alone; receipts and erasure beside them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from fengsui.ledger import clockwork, doors, evidence, rebuild, receipts, sealer, sealing, verify
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Clock, Entry, Receipt
from fengsui.ledger.verify import receipt as kept
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_doors import do, found, settle, site
from tests.integration.ledger.test_evidence import photo, upload
from tests.small_region import Small

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def keys(tmp_path, settings):
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def busy(small: Small) -> list[str]:
    """A few cases that went different ways: rungs, climbs, periods, an end, a child, a warning by minutes."""
    cases = [found(small).case for _ in range(3)]
    settle(small, cases[0])
    do(cases[0], "report", small.one("plant"), progress="备件已到")
    stored = evidence.store(upload(photo()), small.one("plant").actor, NOW)
    do(cases[0], "submit", small.one("plant"), evidence=[stored.digest])
    clockwork.tick(NOW + timedelta(days=20))
    do(cases[1], "downgrade", small.one("county", 1), now=NOW + timedelta(days=21), grounds="一般隐患")
    do(cases[1], "downgrade", small.one("county", 2), now=NOW + timedelta(days=21), grounds="一般隐患")
    alarm = Actor("event", name="warning.level")
    doors.open("warning", "by_alarm", {"hazard_kind": "leak", "colour": "red"}, alarm, site(small), key="", now=NOW)
    clockwork.tick(NOW + timedelta(days=22))
    return cases


def as_owner(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def test_everything_is_derived_from_the_entries(small: Small) -> None:
    busy(small)
    told = rebuild.check()
    assert told.ok, [str(one) for one in told.differences]
    assert (told.cases, told.entries) == (Case.objects.count(), Entry.objects.count())
    assert told.clocks == Clock.objects.filter(current=True).count()
    sealer.round_(sealing.Grower.load(), NOW + timedelta(days=22))
    report = verify.ledger(NOW + timedelta(days=23))
    assert report.ok, report.findings


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE ledger_case SET fields = fields || '{{\"finding\": \"无隐患\"}}' WHERE id = '{case}'", "fields"),
        ("UPDATE ledger_case SET owner_id = owner_id + 1 WHERE id = '{case}'", "owner_id"),
        ("UPDATE ledger_case SET core = jsonb_set(core, '{{counts,settle}}', '7') WHERE id = '{case}'", "counts"),
        ("UPDATE ledger_case SET next_due = next_due + interval '1 day' WHERE id = '{case}'", "next_due"),
        ("UPDATE ledger_clock SET due = due + interval '9 days' WHERE case_id = '{case}'", "clock overall due"),
        ("UPDATE ledger_clock SET next_rung_at = NULL WHERE case_id = '{case}' AND n = 1", "clock overall next_rung_at"),
        ("UPDATE ledger_clock SET rung = 7 WHERE case_id = '{case}' AND name = 'overall'", "clock overall rung"),
        ("DELETE FROM ledger_clock WHERE case_id = '{case}' AND name = 'overall'", "clocks"),
        ("UPDATE ledger_counter SET value = 1", "counter"),
    ],
)
def test_a_row_that_says_something_else_is_named(small: Small, statement: str, what: str) -> None:
    case = busy(small)[0]
    as_owner(statement.format(case=case))
    told = rebuild.check()
    assert what in {one.what for one in told.differences}, [str(one) for one in told.differences]


def test_a_receipt_is_a_promise_then_a_proof(small: Small) -> None:
    given = found(small)
    promise = receipts.give(given.entry, NOW)
    assert receipts.give(given.entry, NOW + timedelta(days=1)) == promise
    assert receipts.promise_genuine(promise)
    assert receipts.prove(promise) is None
    waiting = receipts.to_file(promise, None)
    assert kept.alone(waiting).ok
    assert kept.alone(waiting).waiting == 1
    assert kept.here(waiting).ok
    sealer.round_(sealing.Grower.load(), NOW)
    proof = receipts.prove(promise)
    assert proof is not None
    file = receipts.to_file(promise, proof)
    assert kept.here(file).ok
    assert receipts.find(promise.code.lower().replace("-", " ")) == promise
    line = receipts.compact(promise)
    assert receipts.from_compact(line) == promise
    assert kept.here(line.encode()).ok
    assert len(line) < 700
    assert receipts.qr_svg(promise, "http://127.0.0.1:8000").count("<path") == 1
    assert "style" not in receipts.qr_svg(promise)


def test_a_receipt_that_was_changed_or_is_no_longer_kept_is_named(small: Small) -> None:
    given = found(small)
    promise = receipts.give(given.entry, NOW)
    sealer.round_(sealing.Grower.load(), NOW)
    file = receipts.to_file(promise, receipts.prove(promise))
    codes = {one.code for one in kept.here(file.replace(b'"act":"found_here"', b'"act":"found_gone"')).findings}
    assert codes == {"forged_receipt"}, "what a stranger made up is not compared"
    entry = Entry.objects.get(pk=given.entry)
    as_owner(f"UPDATE ledger_entry SET leaf = sha256('x') WHERE id = {entry.pk}")
    assert {one.code for one in kept.here(file).findings} == {"tampered"}
    assert kept.alone(file).ok, "the receipt itself still holds"
    as_owner(f"DELETE FROM ledger_entry WHERE id = {entry.pk}")
    assert {one.code for one in kept.here(file).findings} == {"removed"}
    with pytest.raises(ValueError, match="no receipt"):
        kept.here(b"{}")
    with pytest.raises(receipts.Unknown):
        receipts.find("0000-0000-0000-0000")
    assert Receipt.objects.count() == 1
