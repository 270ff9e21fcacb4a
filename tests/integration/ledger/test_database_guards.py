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
    ],
)
def test_the_application_may_only_add_entries(case: Case, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), as_application(), connection.cursor() as cursor:
        cursor.execute(statement)


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
