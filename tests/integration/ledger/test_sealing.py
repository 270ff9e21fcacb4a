"""Sealing and verification on the real database, tampered with as its owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from fengsui.ledger import health, receipts, sealer, sealing, verify
from fengsui.ledger.doors import tables
from fengsui.ledger.models import Case, Entry, Head, Leaf, Outbox, SealKey, Tile
from fengsui.ledger.seals import heads, signing, tree
from tests.same_lives import fill

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def keys(tmp_path, settings):
    settings.KEYS_DIR = tmp_path / "keys"


def as_owner(*statements: str) -> None:
    """What somebody with the database's password could do, guards and all switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def sealed(cases: int = 60, rounds: int = 3) -> sealing.Grower:
    """A ledger grown and sealed in some rounds, a minute apart."""
    grower = sealing.Grower.load()
    for number in range(rounds):
        fill(cases // rounds, first=1 + number * (cases // rounds))
        assert sealer.round_(grower, NOW + timedelta(minutes=number)) is not None
    return grower


def codes(report: verify.Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_a_sealed_ledger_is_whole() -> None:
    grower = sealed()
    report = verify.ledger(NOW + timedelta(hours=1))
    assert report.ok, report.findings
    assert (report.entries, report.cases, report.heads, report.waiting) == (600, 60, 3, 0)
    assert Tile.objects.count() == 2
    assert grower.tree.root() == bytes(Head.objects.latest("size").root)
    assert oct((settings.KEYS_DIR / "seal.pem").stat().st_mode & 0o777) == "0o600"
    assert verify.case(str(Entry.objects.first().case_id)).ok


def test_the_very_first_entry_is_sealed_by_a_sealer_that_was_there_before_it() -> None:
    as_owner("ALTER SEQUENCE ledger_entry_id_seq RESTART")
    grower = sealing.Grower.load()
    for _ in range(3):
        grower.append()
    assert grower.low == 0
    fill(5)
    assert sealer.round_(grower, NOW) is not None
    assert Leaf.objects.count() == Entry.objects.count()
    assert verify.ledger(NOW + timedelta(hours=1)).ok


def test_ids_taken_before_their_rows_are_written_are_not_passed_over() -> None:
    fill(3)
    taken, done, ids = Event(), Event(), []

    def door() -> None:
        try:
            with transaction.atomic():
                connection.cursor().execute("SET LOCAL ROLE fengsui_app")
                ids.extend(tables.take_ids("ledger_entry", 2))
                taken.set()
                done.wait(20)
        finally:
            taken.set()
            connections.close_all()

    writing = Thread(target=door)
    writing.start()
    assert taken.wait(20)
    grower = sealing.Grower.load()
    for _ in range(3):
        grower.append()
    below = grower.low
    done.set()
    writing.join()
    assert ids
    assert below < ids[0]
    grower.append()
    grower.append()
    assert grower.low == ids[-1]


def test_a_clock_set_back_stops_no_seal() -> None:
    grower = sealed(20, 1)  # the last head is of NOW
    back = NOW - timedelta(hours=3)
    fill(5, first=500)
    assert sealer.round_(grower, back) is None, "the minute is counted anew, by the clock as it goes now"
    assert sealer.round_(grower, back + timedelta(seconds=59)) is None
    head = sealer.round_(grower, back + timedelta(minutes=1))
    assert head is not None and head.at == NOW, "no head is before the one that it follows"
    fill(5, first=600)
    assert sealer.round_(grower, back + timedelta(seconds=90)) is None
    assert sealer.round_(grower, back + timedelta(minutes=2)) is not None
    sealer.beat(grower, back + timedelta(minutes=2))
    (pulse,) = [one for one in health.status(back + timedelta(minutes=2)).behind if one.process == "sealer"]
    assert (pulse.lag, pulse.detail["clock_set_back"]) == (10_680, 10_680)
    again = sealing.Grower.load()
    fill(5, first=700)
    later = NOW + timedelta(seconds=20)
    assert sealer.round_(again, later) is None
    after = sealer.round_(again, NOW + timedelta(minutes=1))
    assert after is not None and after.at == NOW + timedelta(minutes=1)
    sealer.beat(again, NOW + timedelta(minutes=1))
    assert "sealer" not in [one.process for one in health.status(NOW + timedelta(minutes=1)).behind]
    assert verify.ledger(NOW + timedelta(hours=1)).ok
    assert [one.code for one in verify.ledger(back).findings] == ["future", "future"], "told once for each moment to come"


def test_the_sealer_goes_on_where_it_stopped() -> None:
    first = sealed(30, 1)
    again = sealing.Grower.load()
    assert (again.tree.size, again.tree.root()) == (first.tree.size, first.tree.root())
    fill(40, first=900)
    again.append(limit=37)
    third = sealing.Grower.load()
    sealer.round_(third, NOW + timedelta(minutes=5))
    assert verify.ledger(NOW + timedelta(hours=1)).ok
    assert Leaf.objects.count() == 700


def test_entries_wait_for_the_minute_but_never_longer() -> None:
    grower = sealed(10, 1)
    fill(5, first=800)
    assert sealer.round_(grower, NOW + timedelta(seconds=30)) is None
    report = verify.ledger(NOW + timedelta(seconds=31))
    assert report.ok
    assert report.waiting == 50
    assert sealer.round_(grower, NOW + timedelta(seconds=60)).size == 150


def test_a_late_commit_is_not_skipped() -> None:
    """An id taken early may commit late, after higher ids were sealed."""
    grower = sealed(10, 1)
    begun, finish = Event(), Event()

    def slowly() -> None:
        from django.db import transaction

        with transaction.atomic():
            fill(1, first=5000)
            begun.set()
            finish.wait(20)
        connections.close_all()

    writer = Thread(target=slowly)
    writer.start()
    begun.wait(20)
    fill(2, first=6000)
    for second in range(4):
        sealer.round_(grower, NOW + timedelta(seconds=100 + second))
    assert grower.tree.size == 120
    finish.set()
    writer.join(20)
    for second in range(3):
        sealer.round_(grower, NOW + timedelta(seconds=200 + second))
    assert grower.tree.size == 130
    assert grower.low == Entry.objects.latest("id").id
    assert verify.ledger(NOW + timedelta(hours=1)).ok


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE ledger_entry SET body = overlay(body placing 'X'::bytea from 40) WHERE id = {entry}", "tampered"),
        ("UPDATE ledger_entry SET state_after = 'cancelled' WHERE id = {entry}", "tampered"),
        ("UPDATE ledger_entry SET office_id = 99 WHERE id = {entry}", "tampered"),
        ("UPDATE ledger_entry SET at = at + interval '1 second' WHERE id = {entry}", "tampered"),
        ("UPDATE ledger_entry SET body = NULL, salt = NULL WHERE id = {entry}", "tampered"),
        ("DELETE FROM ledger_entry WHERE id = {entry}", "removed"),
        ("DELETE FROM ledger_leaf WHERE entry_id = {entry}", "gap"),
        ("DELETE FROM ledger_leaf WHERE position >= 150", "cut_tail"),
        ("UPDATE ledger_head SET signature = decode(repeat('00', 64), 'hex') WHERE size = 200", "forged_seal"),
        ("UPDATE ledger_head SET root = decode(repeat('00', 32), 'hex') WHERE size = 200", "forged_seal"),
        ("DELETE FROM ledger_head WHERE size = 100", "head_chain"),
        ("UPDATE ledger_case SET state = 'found' WHERE number = 'YH-150207-2026-000003'", "case_row"),
        ("DELETE FROM ledger_case WHERE number = 'YH-150207-2026-000003'", "case_row"),
        ("UPDATE ledger_tile SET root = decode(repeat('00', 32), 'hex')", "tile"),
    ],
)
def test_tampering_is_named(statement: str, code: str) -> None:
    sealed(30)
    entry = Entry.objects.order_by("id")[24]
    place = Leaf.objects.get(entry_id=entry.id).position
    as_owner(statement.format(entry=entry.id))
    report = verify.ledger(NOW + timedelta(hours=1))
    assert code in codes(report), report.findings
    told = [finding for finding in report.findings if finding.code == code]
    if code == "removed":  # by its place, or by its case and number
        assert any(f.position == place or (f.case, f.seq) == (str(entry.case_id), entry.seq) for f in told), told
    if code == "gap":
        (gap,) = told
        assert f"{place} to {place} are gone" in gap.en and f"{place}—{place}" in gap.zh
    if code == "cut_tail":
        cut = {f.position: f.en for f in told if f.position is not None}
        assert "last 50 entries" in cut[200] and "last 150 entries" in cut[300] and 100 not in cut
    if code == "forged_seal":
        assert [f.position for f in told] == [200] and "seal over 200 entries" in told[0].en
    if "{entry}" in statement and code == "tampered":
        assert any((f.case, f.seq) == (str(entry.case_id), entry.seq) for f in report.findings)
        assert code in codes(verify.case(str(entry.case_id)))


def test_a_removed_entry_is_named_by_its_case_and_number() -> None:
    sealed(30)
    gone = next(
        one for one in Entry.objects.order_by("id")[20:] if Entry.objects.filter(case=one.case_id, seq=one.seq + 1).exists()
    )
    last = Entry.objects.exclude(case=gone.case_id).order_by("-id")[0]
    places = dict(Leaf.objects.filter(entry_id__in=[gone.pk, last.pk]).values_list("entry_id", "position"))
    as_owner(f"DELETE FROM ledger_entry WHERE id IN ({gone.pk}, {last.pk})")
    found = [one for one in verify.ledger(NOW + timedelta(hours=1)).findings if one.position in places.values()]
    named = {one.position: (one.code, one.case, one.seq) for one in found}
    assert named[places[gone.pk]] == ("removed", str(gone.case_id), gone.seq)
    assert named[places[last.pk]] == ("removed", str(last.case_id), last.seq), "only this case lacks one"


@pytest.mark.parametrize("kept", ["receipt", "rows", "nothing"])
def test_a_removed_last_entry_is_named_by_whatever_is_kept(kept: str) -> None:
    sealed(30)
    some = list(Case.objects.order_by("id").values_list("pk", "seq")[:2])
    lasts = {pk: Entry.objects.get(case=pk, seq=seq) for pk, seq in some}
    places = {pk: Leaf.objects.get(entry=last).position for pk, last in lasts.items()}
    (first, _), (second, _) = some
    if kept == "receipt":
        receipts.give(lasts[first].pk, NOW)
    gone = [last.pk for last in lasts.values()]
    if kept == "rows":  # as an act leaves them; the lives of these tests come in bulk
        for pk, last in lasts.items():
            Outbox.objects.create(entry=last, case_id=pk, topic="case", at=NOW)
    as_owner(f"DELETE FROM ledger_entry WHERE id = {gone[0]}")

    def named() -> dict[int | None, tuple[str, int]]:
        found = verify.ledger(NOW + timedelta(hours=1)).findings
        return {one.position: (one.case, one.seq) for one in found if one.code == "removed" and one.position is not None}

    assert named() == {places[first]: (str(first), lasts[first].seq)}, "only one case lacks an entry"
    as_owner(f"DELETE FROM ledger_entry WHERE id = {gone[1]}")
    other = ("", 0) if kept == "nothing" else (str(second), lasts[second].seq)
    assert named()[places[second]] == other, "either of two, where nothing tells which"
    assert (named()[places[first]] == ("", 0)) == (kept == "nothing")


def test_a_changed_entry_with_its_leaf_recomputed_is_named_by_the_next() -> None:
    sealed(30)
    entry = Entry.objects.order_by("id")[24]
    as_owner(
        "UPDATE ledger_entry SET body = convert_to(replace(convert_from(body,'utf8'), 'certified', 'uncertain'), 'utf8') "
        f"WHERE id = {entry.id}",
        f"UPDATE ledger_entry SET leaf = sha256('\\x00'::bytea || previous || salt || body) WHERE id = {entry.id}",
        f"UPDATE ledger_leaf SET hash = (SELECT leaf FROM ledger_entry WHERE id = {entry.id}) WHERE entry_id = {entry.id}",
    )
    report = verify.ledger(NOW + timedelta(hours=1))
    assert {"root", "chain"} <= codes(report)
    assert any(f.code == "chain" and f.case == str(entry.case_id) and f.seq == entry.seq + 1 for f in report.findings)


def test_two_entries_exchanged_are_named() -> None:
    sealed(30)
    first, second = Entry.objects.order_by("id")[3:5]
    as_owner(
        f"UPDATE ledger_entry SET seq = 1000 WHERE id = {first.id}",
        f"UPDATE ledger_entry SET seq = {first.seq} WHERE id = {second.id}",
        f"UPDATE ledger_entry SET seq = {second.seq} WHERE id = {first.id}",
    )
    assert {"reordered", "tampered"} & codes(verify.ledger(NOW + timedelta(hours=1)))


def test_growth_from_a_kept_head() -> None:
    sealed(30, 3)
    kept = sealing.signed(Head.objects.get(size=100))
    file = heads.to_file(kept, bytes(SealKey.objects.get().public))
    assert verify.grown_from(file, NOW + timedelta(hours=1)).ok
    changed = file.replace(kept.root.hex().encode(), bytes(32).hex().encode())
    assert "forged_seal" in codes(verify.grown_from(changed, NOW + timedelta(hours=1)))
    with pytest.raises(ValueError, match="not a head"):
        verify.grown_from(b"{}", NOW)


def test_history_rewritten_and_sealed_anew_contradicts_a_kept_head() -> None:
    """The database's owner with the key rewrites everything: only the kept head tells."""
    sealed(30, 3)
    file = heads.to_file(sealing.signed(Head.objects.get(size=200)), bytes(SealKey.objects.get().public))
    as_owner("TRUNCATE ledger_head, ledger_leaf, ledger_tile, ledger_entry, ledger_case, ledger_clock CASCADE")
    fill(30)
    sealer.round_(sealing.Grower.load(), NOW)
    assert verify.ledger(NOW + timedelta(hours=1)).ok
    assert "not_grown" in codes(verify.grown_from(file, NOW + timedelta(hours=1)))
    as_owner("TRUNCATE ledger_head, ledger_leaf, ledger_tile, ledger_entry, ledger_case, ledger_clock CASCADE")
    fill(10)
    sealer.round_(sealing.Grower.load(), NOW)
    assert "cut_tail" in codes(verify.grown_from(file, NOW + timedelta(hours=1)))


KEPT = ("ledger_case", "ledger_entry", "ledger_clock", "ledger_leaf", "ledger_tile", "ledger_head")


@pytest.fixture
def backup() -> Iterator[Callable[[], None]]:
    """Call it to keep the ledger's tables as they are, beside themselves."""

    def drop() -> None:
        as_owner(*(f"DROP TABLE IF EXISTS kept_{one}" for one in KEPT))

    drop()
    yield lambda: as_owner(*(f"CREATE TABLE kept_{one} AS TABLE {one}" for one in KEPT))
    drop()


@pytest.mark.parametrize("later", [5, 40], ids=["still shorter than the kept head", "longer again"])
def test_an_older_backup_restored_and_gone_on_with_contradicts_the_newer_head(later: int, backup: Callable[[], None]) -> None:
    """Two histories with one beginning: each is whole by itself; whoever kept the other's head sees it."""
    sealed(20, 2)
    older = heads.to_file(sealing.signed(Head.objects.latest("size")), bytes(SealKey.objects.get().public))
    backup()
    fill(10, first=101)
    sealer.round_(sealing.Grower.load(), NOW + timedelta(minutes=5))
    newer = heads.to_file(sealing.signed(Head.objects.latest("size")), bytes(SealKey.objects.get().public))
    assert verify.grown_from(newer, NOW + timedelta(hours=1)).ok
    as_owner(f"TRUNCATE {', '.join(KEPT)} CASCADE", *(f"INSERT INTO {one} SELECT * FROM kept_{one}" for one in KEPT))
    assert "cut_tail" in codes(verify.grown_from(newer, NOW + timedelta(hours=1)))
    fill(later, first=201)
    sealer.round_(sealing.Grower.load(), NOW + timedelta(minutes=6))
    assert verify.ledger(NOW + timedelta(hours=1)).ok
    assert verify.grown_from(older, NOW + timedelta(hours=1)).ok, "it did grow from what the backup held"
    assert codes(verify.grown_from(newer, NOW + timedelta(hours=1))) == {"cut_tail" if later < 10 else "not_grown"}


def test_a_key_that_turned_over_still_counts_and_a_strangers_does_not(tmp_path, settings) -> None:
    grower = sealed(10, 1)
    sealing.turn_over_key(NOW)
    fill(5, first=700)
    sealer.round_(grower, NOW + timedelta(minutes=2))
    assert verify.ledger(NOW + timedelta(hours=1)).ok
    assert len({head.key_id for head in Head.objects.all()}) == 2
    first = settings.KEYS_DIR / f"seal-{Head.objects.earliest('size').key_id}.pub"
    for path in settings.KEYS_DIR.glob("seal-*.pub"):
        if path != first:
            path.unlink()
    assert verify.ledger(NOW + timedelta(hours=1)).ok, "the first key endorses the second"
    settings.KEYS_DIR = tmp_path / "other"
    fill(5, first=710)
    sealer.round_(grower, NOW + timedelta(minutes=4))
    assert {"forged_key", "forged_seal"} <= codes(verify.ledger(NOW + timedelta(hours=1)))


def test_the_successor_is_on_record_before_it_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(5, 1)
    seen: list[bool] = []

    def succeed(folder: Path, to: signing.Succession) -> None:
        row = SealKey.objects.get(key_id=to.new.key_id)
        seen.append(signing.genuine(to.old.public, bytes(row.endorsement), "key", to.new.public))
        raise OSError("the power went")

    monkeypatch.setattr(signing, "succeed", succeed)
    with pytest.raises(OSError, match="power"):
        sealing.turn_over_key(NOW)
    assert seen == [True]
    grower = sealing.Grower.load()
    fill(5, first=700)
    sealer.round_(grower, NOW + timedelta(minutes=2))
    assert verify.ledger(NOW + timedelta(hours=1)).ok, "the old key signs on"


def test_proofs_from_the_database_hold() -> None:
    sealed(60, 3)
    head = sealing.latest_head()
    for leaf in Leaf.objects.filter(position__in=[0, 255, 256, 511, 512, 599]):
        path = sealing.inclusion(leaf.position, head.size)
        assert tree.included(bytes(leaf.hash), leaf.position, head.size, path, head.root)
    old = sealing.signed(Head.objects.get(size=400))
    assert tree.grew(400, old.root, 600, head.root, sealing.growth(400, 600))


def test_the_process_seals_and_stops(monkeypatch) -> None:
    fill(10)
    stop = Event()
    process = Thread(target=sealer.run, args=(stop,))
    process.start()
    for _ in range(200):
        if Head.objects.exists():
            break
        stop.wait(0.05)
    fill(3, first=400)
    for _ in range(200):
        if Leaf.objects.count() == 130:
            break
        stop.wait(0.05)
    stop.set()
    process.join(20)
    assert not process.is_alive()
    assert Head.objects.latest("size").size == 130, "it signs once more before it stops"
