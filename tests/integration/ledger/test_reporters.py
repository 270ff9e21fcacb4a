"""Reporters kept apart: what the database alone does not tell, who may look, who may write."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from fengsui.ledger import doors, receipts, reporters
from fengsui.ledger.doors import About, Refused
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.models import Case, Entry, Notice, Reporter, ReporterLook, ReporterMessage
from fengsui.ledger.reading import actor_of
from fengsui.region.acting import Acting
from fengsui.region.models import Delegation
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small

pytestmark = pytest.mark.django_db

FORM = "0f3b7f2a-a-form-s-own-key"
NAME, PHONE = "举报人甲乙丙", "13800001234"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings) -> None:  # type: ignore[no-untyped-def]
    settings.KEYS_DIR = tmp_path / "keys"


@pytest.fixture
def reported(small: Small) -> tuple[Case, str, str]:
    """A hazard that somebody reported: the case, the receipt's code, the secret."""
    values = {"finding": "冷库后门有氨味", "reporter_code": reporters.code_of(FORM)}
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨味")
    given = doors.open("hazard", "public_report", values, Actor("public"), about, key=reporters.door_key(FORM), now=NOW)
    reporters.keep(given.case, reporters.secret_of(FORM), {"name": NAME, "phone": PHONE}, NOW)
    code = receipts.give(given.entry, NOW).code
    return Case.objects.get(pk=given.case), code, reporters.secret_of(FORM)


def whole_database() -> bytes:
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        said = []
        for name in tables:
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            said += [row for (row,) in cursor.fetchall()]
    return "\n".join(said).encode()


def test_the_database_alone_tells_neither_name_nor_secret(reported: tuple[Case, str, str]) -> None:
    dump = whole_database()
    for hidden in (NAME, PHONE, reported[2], reported[2].replace("-", ""), FORM):
        assert hidden.encode() not in dump
        assert hidden.encode().hex().encode() not in dump  # bytea columns are written in hex


def test_the_secret_opens_the_case_and_nothing_else_does(reported: tuple[Case, str, str]) -> None:
    case, code, secret = reported
    assert reporters.follow(code, secret) == case
    assert reporters.follow(code.lower().replace("-", " "), secret.lower()) == case
    wrong = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    assert reporters.follow(code, wrong) is None
    assert reporters.follow("AAAA-AAAA-AAAA-AAAA", secret) is None
    assert reporters.follow("", "") is None


def test_a_case_that_nobody_reported_opens_to_no_secret(small: Small) -> None:
    about = About("site", str(small.site.pk), "150207", "hazchem", "氨味")
    given = doors.open("hazard", "found_here", {"finding": "x"}, small.one("county").actor, about, key="", now=NOW)
    code = receipts.give(given.entry, NOW).code
    assert reporters.follow(code, "") is None
    assert reporters.follow(code, "0" * 12) is None


def test_a_form_sent_twice_gives_the_same_secret_and_other_forms_another() -> None:
    assert reporters.secret_of("a") == reporters.secret_of("a")
    assert len({reporters.secret_of(str(number)) for number in range(2000)}) == 2000
    assert reporters.door_key("a") != "a"


def test_only_the_law_office_looks_and_each_look_is_an_entry(reported: tuple[Case, str, str], small: Small) -> None:
    case = reported[0]
    for office in ("plant", "county", "other", "league", "top"):  # the top's leaders stand in for no vacant law office here
        with pytest.raises(Refused) as refused:
            reporters.look(case, "想知道", small.one(office).acting, NOW)
        assert refused.value.status == 403
    assert not ReporterLook.objects.exists()
    looker = law_officer(small)
    with pytest.raises(Refused) as refused:
        reporters.look(case, "  ", looker.acting, NOW)
    assert refused.value.status == 422
    assert reporters.look(case, "核发举报奖励", looker.acting, NOW) == {"name": NAME, "phone": PHONE}
    look = ReporterLook.objects.get()
    entry = Entry.objects.get(pk=look.entry_id)
    assert (entry.act, entry.person_id, look.grounds) == ("look", looker.person.pk, "核发举报奖励")
    assert "核发" not in str(entry.content()), "the grounds stay with the look"


def law_officer(small: Small):  # type: ignore[no-untyped-def]
    """The region's department gets the work of law, and one of its posts too."""
    somebody = small.one("top")
    small.top.duties = [*small.top.duties, "law"]
    small.top.save()
    somebody.post.duties = [*somebody.post.duties, "law"]
    somebody.post.save()
    return somebody


def test_an_identity_moved_to_another_case_does_not_open(reported: tuple[Case, str, str], small: Small) -> None:
    case = reported[0]
    sealed = Reporter.objects.get(case=case)
    about = About("site", str(small.site.pk), "150207", "hazchem", "别的")
    values = {"finding": "y", "reporter_code": "R1"}
    other = doors.open("hazard", "public_report", values, Actor("public"), about, key="", now=NOW)
    Reporter.objects.create(case_id=other.case, secret_hash="x", sealed=sealed.sealed, key_id=sealed.key_id, at=NOW)
    with pytest.raises(reporters.NoReporterKey):
        reporters.look(Case.objects.get(pk=other.case), "试", law_officer(small).acting, NOW)


def test_messages_go_both_ways_and_stay_out_of_the_entries(reported: tuple[Case, str, str], small: Small) -> None:
    case = reported[0]
    reporters.say(case, "今天气味更重", NOW)
    told = Notice.objects.get(kind="message")
    assert told.office_id == small.county.pk
    reporters.answer(case, "已派人，请说明楼号", small.one("county").acting, NOW)
    assert [(one.from_reporter, one.text) for one in reporters.messages(case)] == [
        (True, "今天气味更重"),
        (False, "已派人，请说明楼号"),
    ]
    said = [str(entry.content()) for entry in Entry.objects.filter(case=case, act="message")]
    assert len(said) == 2 and not any("气味" in one or "楼号" in one for one in said)


@pytest.mark.parametrize("office", ["plant", "other"])
def test_neither_the_enterprise_nor_another_county_writes_to_the_reporter(
    reported: tuple[Case, str, str], small: Small, office: str
) -> None:
    with pytest.raises(Refused) as refused:
        reporters.answer(reported[0], "你是谁", small.one(office).acting, NOW)
    assert refused.value.status == 403
    assert reporters.messages(reported[0]) == []


@pytest.mark.parametrize("text", ["", "   ", "长" * 1001])
def test_an_empty_or_endless_message_is_refused_and_leaves_no_entry(reported: tuple[Case, str, str], text: str) -> None:
    before = Entry.objects.count()
    with pytest.raises(Refused) as refused:
        reporters.say(reported[0], text, NOW)
    assert refused.value.status == 422
    assert Entry.objects.count() == before


def lent(small: Small, *acts: str) -> Acting:
    """A plant's employee who deputises for the law officer in these acts alone."""
    officer, deputy = law_officer(small), small.one("plant")
    Delegation.objects.create(
        principal=officer.person, deputy=deputy.person, post=officer.post, acts=list(acts),
        since=NOW - timedelta(days=1), until=NOW + timedelta(days=1),
    )  # fmt: skip
    return Acting(deputy.person.pk, officer.post.pk, officer.post.office_id, officer.person.pk, acts)


def test_a_deputy_lent_another_act_learns_no_name(reported: tuple[Case, str, str], small: Small) -> None:
    case, deputy = reported[0], lent(small, "order_stop", "hazard.list")
    assert not reporters.may_look(case, deputy, NOW)
    assert reporters.beside(case, deputy, NOW) == {}
    entries = Entry.objects.count()
    with pytest.raises(Refused) as refused:
        reporters.look(case, "想知道", deputy, NOW)
    assert refused.value.status == 403
    with pytest.raises(Refused) as refused:  # the door itself refuses, whoever calls it
        doors.append(str(case.pk), "look", actor_of(deputy), now=NOW)
    assert refused.value.status == 403
    assert Entry.objects.count() == entries
    assert not ReporterLook.objects.exists()


def test_a_deputy_lent_the_look_may_look(reported: tuple[Case, str, str], small: Small) -> None:
    assert reporters.look(reported[0], "核发举报奖励", lent(small, "hazard.look"), NOW) == {"name": NAME, "phone": PHONE}


def test_a_deputy_lent_another_act_writes_to_no_reporter(reported: tuple[Case, str, str], small: Small) -> None:
    officer, deputy = small.one("county"), small.one("plant")
    Delegation.objects.create(
        principal=officer.person, deputy=deputy.person, post=officer.post, acts=["order_stop"],
        since=NOW - timedelta(days=1), until=NOW + timedelta(days=1),
    )  # fmt: skip
    acting = Acting(deputy.person.pk, officer.post.pk, officer.post.office_id, officer.person.pk, ("order_stop",))
    with pytest.raises(Refused) as refused:
        reporters.answer(reported[0], "您是谁？", acting, NOW)
    assert refused.value.status == 403
    assert not ReporterMessage.objects.exists()
