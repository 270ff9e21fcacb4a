"""The database refuses what goes round the doors."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from fengsui.ledger.models import Case, Entry, MechanismVersion

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@contextmanager
def as_application() -> Iterator[None]:
    """Inside, the connection has only the application's privileges."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE fengsui_app")
        yield


@pytest.fixture
def case() -> Case:
    version = MechanismVersion.objects.create(digest="0" * 64, name="matter", number=1, source={}, stored_at=NOW)
    with transaction.atomic():
        made = Case.objects.create(
            id=uuid.uuid4(), mechanism="matter", version=version, title_zh="one", seq=1, state="open", opened_at=NOW, moved_at=NOW
        )
        Entry.objects.create(
            case=made, seq=1, act="begin", state_after="open", at=NOW, body=b"{}", salt=b"s", previous=bytes(32), leaf=bytes(32)
        )
    return made


def settle() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_state_changed_without_an_entry_is_refused(case: Case) -> None:
    with pytest.raises(IntegrityError, match="exactly one entry"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(state="done")
    with pytest.raises(IntegrityError, match="case_state_has_entry"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(state="done", seq=2)
        settle()


def test_a_case_cannot_skip_or_go_back(case: Case) -> None:
    for seq in (0, 3):
        with pytest.raises(IntegrityError, match="exactly one entry"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(seq=seq)


def test_where_a_case_comes_from_never_changes(case: Case) -> None:
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(opener_id=77)
    with pytest.raises(IntegrityError, match="exactly one entry"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(about_id="another")


def test_an_honest_move_passes(case: Case) -> None:
    with as_application():
        Entry.objects.create(
            case=case, seq=2, act="end", state_before="open", state_after="done", at=NOW, previous=bytes(32), leaf=bytes(32)
        )
        Case.objects.filter(pk=case.pk).update(state="done", seq=2)
        settle()
    assert Case.objects.get().state == "done"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET act = 'other'",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry CASCADE",
        "UPDATE ledger_leaf SET position = 9",
        "DELETE FROM ledger_head",
        "DELETE FROM ledger_case",
        "TRUNCATE ledger_case CASCADE",
        "UPDATE ledger_head SET signature = ''",
        "DELETE FROM ledger_tile",
        "UPDATE ledger_sealkey SET public = ''",
        "UPDATE ledger_receipt SET code = 'x'",
        "UPDATE ledger_callrecord SET at = now()",
        "DELETE FROM ledger_reporterlook",
        "DELETE FROM ledger_evidence",
        "DELETE FROM ledger_mechanismversion",
        "DELETE FROM django_migrations",
        "TRUNCATE region_change",
        "TRUNCATE law_lawedit",
        "SELECT setval('ledger_entry_id_seq', 1)",
    ],
)
def test_the_application_may_only_add_entries(case: Case, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), as_application(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_case DISABLE TRIGGER ALL",
        "ALTER TABLE ledger_case DISABLE TRIGGER ledger_case_moves",
        "ALTER TABLE ledger_case DROP CONSTRAINT case_state_has_entry",
        "SET session_replication_role = replica",
        "SELECT set_config('session_replication_role', 'replica', false)",
        "DROP TRIGGER ledger_case_moves ON ledger_case",
        "DROP TABLE ledger_entry CASCADE",
        "CREATE TABLE public.mine (id int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION ledger_case_moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "ALTER FUNCTION ledger_erase(bigint, bigint) SECURITY INVOKER",
        "ALTER ROLE fengsui_app SUPERUSER",
        "CREATE ROLE another",
        "COPY ledger_case TO PROGRAM 'true'",
        "COPY ledger_case TO '/tmp/case'",
        "SELECT pg_read_file('PG_VERSION')",
        "CREATE RULE none AS ON DELETE TO ledger_case DO INSTEAD NOTHING",
        "ALTER TABLE ledger_entry ENABLE ROW LEVEL SECURITY",
    ],
)
def test_the_application_does_not_get_round_the_guards(case: Case, statement: str) -> None:
    refused = pytest.raises(
        DatabaseError, match=r"permission denied|must be owner|Only roles with|must be superuser|not a superuser"
    )
    with refused, as_application(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_table_of_the_applications_own_shadows_none_inside_the_erasure(case: Case) -> None:
    entry = Entry.objects.get()
    with pytest.raises(DatabaseError, match="erasure entry"), as_application(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE ledger_entry (id bigint, case_id uuid, act text, body bytea, salt bytea)")
        cursor.execute("INSERT INTO pg_temp.ledger_entry VALUES (%s, %s, 'x'), (99, %s, 'erase')", [entry.id, case.pk, case.pk])
        cursor.execute("SELECT ledger_erase(%s, 99)", [entry.id])


def test_erasure_needs_its_own_entry(case: Case) -> None:
    entry = Entry.objects.get()
    with pytest.raises(DatabaseError, match="erasure entry"), as_application(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_erase(%s, %s)", [entry.id, entry.id])
    authority = Entry.objects.create(case=case, seq=2, act="erase", state_after="open", at=NOW, previous=b"", leaf=b"")
    with as_application(), connection.cursor() as cursor:
        cursor.execute("SELECT ledger_erase(%s, %s)", [entry.id, authority.id])
    entry.refresh_from_db()
    assert entry.body is None
    assert entry.content() == {}
