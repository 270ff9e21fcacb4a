"""Old cases out of tables: every wrong cell by row and column, all rows or none, the past sealed as unverified."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fengsui.ledger import adoption, doors, mechanisms, moving, sentences
from fengsui.ledger.adoption import cli, table
from fengsui.ledger.doors import OLD_WORLD
from fengsui.ledger.doors.held import read
from fengsui.ledger.doors.single import moved_to
from fengsui.ledger.kernel.shapes import Act, Call, Mechanism, State
from fengsui.ledger.kernel.step import core_of
from fengsui.ledger.models import Case, Entry, MechanismVersion
from fengsui.ledger.proof import burden, reachable
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_leaks import client_of
from tests.integration.ledger.test_versions import newer, opened
from tests.small_region import Small

pytestmark = pytest.mark.django_db
__all__ = ["newer"]

HEAD = ["编号", "状态", "标题", "对象", "业务领域", "立案日期", "来源系统", "办理记录", "隐患情况", "监管责任单位", "整改资金"]


def line(number: str, **more: str) -> list[str]:
    known = {
        "编号": number, "状态": "待评估定级", "标题": "旧账一条", "对象": "HC-1", "立案日期": "2024-05-01", "来源系统": "旧系统",
        "办理记录": "2024-05-01 李某：立案\n2024-06-03 王某：现场检查", "隐患情况": "安全阀失效", "监管责任单位": "甲旗局",
        "整改资金": "1,200.50",
    }  # fmt: skip
    known |= more
    return [known.get(head, "") for head in HEAD]


def written(rows: list[list[str]], encoding: str = "utf-8-sig", head: list[str] | None = None) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([head or HEAD, *rows])
    return out.getvalue().encode(encoding)


def take(rows: list[list[str]], *, dry: bool = False, **form: object) -> adoption.Taken:
    return adoption.take(table.read(written(rows, **form), "old.csv"), "hazard", NOW, dry=dry)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_row_becomes_a_case_with_its_past_sealed_as_unverified(small: Small, encoding: str) -> None:
    told = take([line("旧-1")], encoding=encoding)
    assert (told.ok, told.taken) == (True, 1), told.problems
    case = Case.objects.get(number="旧-1")
    assert (case.state, case.adopted, case.owner_id) == ("found", True, small.county.pk)
    assert (case.fields["finding"], case.fields["funds"]) == ("安全阀失效", 120050)
    entries = list(Entry.objects.filter(case=case).order_by("seq"))
    assert [one.act for one in entries] == ["past", "past", "adopt"]
    assert entries[0].content()["values"]["by"] == "李某"
    assert all(one.content()["besides"]["unverified"] == OLD_WORLD for one in entries)
    assert case.next_due is not None


def test_a_workbook_is_read_like_a_csv(small: Small) -> None:
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    book.active.append(HEAD)
    book.active.append([*line("旧-2")[:5], NOW.replace(tzinfo=None), *line("旧-2")[6:]])
    book.save(out)
    told = adoption.take(table.read(out.getvalue(), "old.xlsx"), "hazard", NOW)
    assert told.ok, told.problems


def test_every_wrong_cell_is_named_and_nothing_is_written(small: Small) -> None:
    rows = [
        line("旧-1"),
        line("旧-1"),
        line("旧-3", 状态="没有的"),
        line("旧-4", 对象="HC-9"),
        line("旧-5", 标题=""),
        line("旧-6", 立案日期="五月"),
        line("旧-7", 立案日期="2999-01-01"),
        line("旧-8", 整改资金="很多"),
        line("旧-9", 监管责任单位="没有这局"),
        line("旧-10", 监管责任单位=""),
        line("旧-11", 业务领域="造梦"),
        line("长" * 65),
    ]
    told = take(rows)
    said = {(one.row, one.column) for one in told.problems}
    assert said == {
        (4, "状态"), (5, "对象"), (6, "标题"), (7, "立案日期"), (8, "立案日期"), (9, "整改资金"), (10, "监管责任单位"),
        (11, "监管责任单位"), (12, "业务领域"), (13, "编号"), (3, "编号"),
    }, told.problems  # fmt: skip
    assert not Case.objects.exists()


def test_unknown_and_missing_columns_are_named(small: Small) -> None:
    told = take([line("旧-1")], head=["编号", "怎么了", *HEAD[2:]])
    assert {(one.row, one.column) for one in told.problems} == {(1, "怎么了"), (1, "状态")}
    with translation.override("en"):
        told = take([line("旧-1")], head=["编号", "怎么了", *HEAD[2:]])
    assert {one.column for one in told.problems} == {"怎么了", "State"}, "in the reader's language"
    assert [one.row for one in take([]).problems] == [0]


def test_a_number_of_the_ledger_is_refused_and_a_dry_run_writes_nothing(small: Small) -> None:
    assert take([line("旧-1")], dry=True).taken == 1 and not Case.objects.exists()
    assert take([line("旧-1")]).ok
    assert [(one.row, one.column) for one in take([line("旧-2"), line("旧-1")]).problems] == [(3, "编号")]
    assert Case.objects.count() == 1


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00\x01", b"PK\x03\x04broken", "编号,编号\n1,2".encode()])
def test_what_is_no_table_is_said_so(data: bytes) -> None:
    with pytest.raises(table.Unreadable):
        table.read(data, "a.csv")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.text(max_size=12), min_size=len(HEAD), max_size=len(HEAD)))
def test_no_cell_breaks_the_reading(small: Small, cells: list[str]) -> None:
    told = take([[one.replace("\x00", "") for one in cells]], dry=True, encoding="utf-8-sig") if all(
        one.isprintable() for one in cells
    ) else adoption.Taken()  # fmt: skip
    assert told.taken in (0, 1)


def test_ten_thousand_rows_in_one_go(small: Small) -> None:
    told = take([line(f"旧-{n}") for n in range(10_000)])
    assert told.ok and told.taken == 10_000, told.problems[:3]
    assert Case.objects.count() == 10_000 and Entry.objects.count() == 30_000


def test_the_command_says_rows_and_columns(small: Small, tmp_path: Path) -> None:
    file, out = tmp_path / "old.csv", io.StringIO()
    file.write_bytes(written([line("旧-1"), line("旧-2", 对象="HC-9")]))
    assert cli.main(file, "hazard", False, NOW, out) == 1
    assert "old.csv:3: 对象:" in out.getvalue() and not Case.objects.exists()
    assert cli.main(file, "nothing", False, NOW, out) == 2
    file.write_bytes(written([line("旧-1")]))
    assert cli.main(file, "hazard", True, NOW, out, as_json=True) == 0 and not Case.objects.exists()
    assert cli.main(file, "hazard", False, NOW, out) == 0 and Case.objects.count() == 1


def administrator(small: Small):  # type: ignore[no-untyped-def]
    somebody = small.one("top", 1)
    somebody.post.duties = [*somebody.post.duties, "administration"]
    somebody.post.save()
    return somebody


def test_the_page_checks_and_takes_over_for_the_administrator(small: Small) -> None:
    admin = administrator(small)
    client = client_of(admin)
    assert client_of(small.one("county")).get("/adopt/").status_code == 404
    for kind in ("csv", "xlsx"):
        empty = client.get(f"/adopt/hazard.{kind}")
        assert empty.status_code == 200
        head = table.read(empty.content, f"hazard.{kind}").head
        assert "编号" in head or "Number" in head
    assert client.get("/adopt/hazard.pdf").status_code == 404

    def send(rows: list[list[str]], do: str):  # type: ignore[no-untyped-def]
        file = io.BytesIO(written(rows))
        file.name = "old.csv"
        return client.post("/adopt/", {"mechanism": "hazard", "file": file, "do": do, "post": admin.post.pk})

    bad = send([line("旧-1", 对象="HC-9")], "take")
    assert bad.status_code == 422 and "HC-9" not in bad.content.decode() and "对象" in bad.content.decode()
    assert send([line("旧-1")], "check").status_code == 200 and not Case.objects.exists()
    assert send([line("旧-1")], "take").status_code == 200 and Case.objects.count() == 1


# ---------------------------------------------------------------------- moving


def test_open_cases_move_by_the_command_and_the_page_says_what_can_go(small: Small, newer: Mechanism) -> None:
    opened(small)
    MechanismVersion.objects.filter(name="hazard", number=1).update(current=False)
    MechanismVersion.objects.filter(name="hazard", number=2).update(current=True)
    mechanisms.forget()
    told, out = moving.survey("hazard", {}), io.StringIO()
    assert (told.to, [(one.version, one.state, one.can) for one in told.groups]) == (2, [(1, "found", 1)])
    refused = moving.survey("hazard", {"found": "review"})
    assert refused.plain()["cannot"] == 1 and Case.objects.get().seq == 1
    page = client_of(administrator(small)).get("/mechanisms/hazard/move/")
    assert page.status_code == 200
    assert client_of(small.one("county")).get("/mechanisms/hazard/move/").status_code == 404
    assert moving.main("hazard", ["broken"], True, NOW, out) == 2
    assert moving.main("hazard", [], True, NOW, out) == 0 and Case.objects.get().seq == 1
    assert moving.main("hazard", [], False, NOW, out) == 0
    assert (Case.objects.get().version_id, Entry.objects.order_by("seq").last().act) == (newer.digest, "move")


def _current(number: int) -> None:
    MechanismVersion.objects.filter(name="hazard").update(current=False)
    MechanismVersion.objects.filter(name="hazard", number=number).update(current=True)
    mechanisms.forget()


def test_an_adopted_case_moves_to_a_newer_version_and_goes_on_there(small: Small, newer: Mechanism) -> None:
    """It entered mid-life, with less behind it than any proof covers: what counts is that an end is reachable."""
    for number, state in enumerate(mechanisms.current("hazard").states.values()):
        try:
            take([line(f"旧-{number}", 状态=state.title["zh"])])
        except doors.Refused:
            continue
    taken = Case.objects.filter(adopted=True).count()
    assert taken > 4
    _current(2)
    client = client_of(admin := administrator(small))
    assert client.get("/mechanisms/hazard/move/").context["cannot"] == 0
    assert client.post("/mechanisms/hazard/move/", {"move": "1", "post": admin.post.pk}).status_code == 200
    assert Case.objects.filter(version_id=newer.digest, adopted=True).count() == taken
    found = Case.objects.get(state="found")
    assert Entry.objects.filter(case=found).order_by("seq").last().act == "move"
    for signer in (1, 2):
        doors.act(str(found.pk), Call("nothing", small.one("county", signer).actor, {"grounds": "已核实"}), now=NOW)
    assert Case.objects.get(pk=found.pk).ended


def test_an_adopted_case_does_not_jump_over_the_work(small: Small, newer: Mechanism) -> None:
    take([line("旧-1")])
    _current(2)
    told = moving.survey("hazard", {"found": "review"}).plain()
    assert (told["can"], told["cannot"]) == (0, 1)
    with translation.override("en"):
        (said,) = moving.survey("hazard", {"found": "review"}).groups[0].cannot
    assert "map its state to another" in said


def test_an_adopted_case_goes_nowhere_without_a_way_out(small: Small, newer: Mechanism) -> None:
    take([line("旧-1")])
    wording = mechanisms.current("hazard")
    case = read([str(Case.objects.get().pk)], lock=False).popitem()[1].case
    core = core_of(wording, case)
    assert reachable.leads_out(wording, core)
    stuck = {name: replace(one, actions=()) if name == "found" else one for name, one in wording.states.items()}
    assert not reachable.leads_out(replace(wording, states=stuck, digest="stuck"), core)


def _called_otherwise(wording: Mechanism, old: str, new: str) -> Mechanism:
    """The same life with one state under another name."""

    def act(one: Act) -> Act:
        return replace(
            one, to=new if one.to == old else one.to, then=new if one.then == old else one.then,
            within_states=tuple(new if name == old else name for name in one.within_states),
        )  # fmt: skip

    def state(one: State) -> State:
        acts = tuple(map(act, one.actions))
        return replace(one, name=new if one.name == old else one.name, actions=acts, offers={each.name: each for each in acts})

    states = {new if name == old else name: state(one) for name, one in wording.states.items()}
    opening = {name: act(one) for name, one in wording.opening.items()}
    return replace(wording, states=states, opening=opening, digest=f"{old} is {new}")


def test_an_adopted_case_whose_state_is_gone_is_not_put_before_an_end(small: Small) -> None:
    """With its old state gone any target was good from which an end could be reached: past works, signatures, verifications."""
    take([line("旧-1")])
    wording = _called_otherwise(mechanisms.current("hazard"), "found", "looked_at")
    held = read([str(Case.objects.get().pk)], lock=False).popitem()[1]
    assert moved_to(held, wording, {"found": "looked_at"}).state == "looked_at"
    with pytest.raises(doors.Refused) as refused:
        moved_to(held, wording, {"found": "review"})
    with translation.override("en"):
        (said,) = sentences.all_of(wording, refused.value.refusals)
    assert "would skip works, verifications or signatures" in said


def test_what_lies_before_the_ends_of_a_hazard() -> None:
    wording = mechanisms.on_disk()["hazard"]
    ahead = {name: burden.least(wording, name) for name in wording.states}
    assert all(found for found in ahead.values())
    assert burden.skipped(wording, "found", wording, "review") and not burden.skipped(wording, "review", wording, "found")
    assert not any(burden.skipped(wording, name, wording, name) for name in wording.states)
