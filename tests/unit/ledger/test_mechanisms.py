"""The three complete mechanisms, told as stories through ``decide``: the issue's own words, act by act."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from fengsui.ledger.kernel.decide import decide, may, unopened
from fengsui.ledger.kernel.people import carried
from fengsui.ledger.kernel.shapes import Actor, Call, Case, ClockRow, Decision, Mechanism, Refusals
from fengsui.ledger.kernel.times import end_of_day
from tests.unit.ledger.walking import MECHANISMS, NOW, OFFICES, PHOTO, facts, facts_of, lengths, person_of

FIVE = {
    "responsibility": 7,
    "measures": "更换安全阀根部阀",
    "funds": 12_000_000,
    "deadline": "2027-01-20",
    "contingency": "氨泄漏专项预案",
}

STEPS = {OFFICES["upper_supervisor"]: 0, OFFICES["top"] + 50: 1, OFFICES["top"] + 51: 2}
"""Two offices, each one level below the other."""
LAWFUL = lengths()
"""The law's own numbers on the day of the stories."""


@dataclass
class Story:
    """One case and the time; ``does`` must succeed, ``cannot`` must be refused for the reasons given."""

    mechanism: Mechanism
    now: datetime = NOW
    last: Decision | None = None
    case: Case = field(init=False)

    def __post_init__(self) -> None:
        self.case = unopened(self.mechanism, "c")

    def call(self, act: str, who: str | Actor, which: int, values: dict[str, Any]) -> Decision | Refusals:
        actor = who
        if isinstance(who, str):
            office = self.case.fields[who[6:]] if who.startswith("field.") else OFFICES[who]
            actor = Actor("person", person=person_of(office, which), office=office)
        assert isinstance(actor, Actor)
        seen = facts(holds=facts_of(actor.office).holds, given={"office.line": self.line()}, law=LAWFUL)
        return decide(self.mechanism, self.case, Call(act, actor, values), seen, self.now)

    def line(self) -> dict[int, dict[str, Any]]:
        """How each of the offices stands to the one that answers now."""
        present = STEPS.get(self.case.fields.get("answering", 0), 0)
        return {office: {"below": steps - present, "kind": "bureau", "duty": True} for office, steps in STEPS.items()}

    def does(self, act: str, who: str | Actor, which: int = 0, **values: Any) -> Story:
        result = self.call(act, who, which, values)
        assert isinstance(result, Decision), (act, result)
        self.last, self.case = result, result.case
        return self

    def signs(self, act: str, who: str, *persons: int, **values: Any) -> Story:
        for i, which in enumerate(persons):
            self.does(act, who, which, **(values if i == 0 else {}))
        return self

    def cannot(self, act: str, who: str | Actor, which: int = 0, *, because: str, **values: Any) -> Story:
        result = self.call(act, who, which, values)
        assert isinstance(result, Refusals), (act, result)
        assert because in {reason.code for reason in result.reasons}, result
        return self

    def child(self, act: str, end: str, **values: Any) -> Story:
        kid = next(kid for kid in self.case.kids if kid.state == "open")
        return self.does(act, Actor("child", name=kid.kind, end=end, kid=kid.id), **values)


def hazard() -> Story:
    return Story(MECHANISMS["hazard"])


def rectifying() -> Story:
    story = hazard().does("found_here", "site_supervisor", finding="安全阀根部阀关闭", photos=[PHOTO])
    story.signs("list", "site_supervisor", 0, 1, criterion="hazchem-15")
    return story.does("settle", "enterprise", **FIVE).does("approve", "site_supervisor")


# ------------------------------------------------------------------- hazard


def test_control_comes_before_any_paper() -> None:
    for opening, who in (("found_here", "site_supervisor"), ("self_reported", "enterprise"), ("public_report", "public")):
        actor: str | Actor = Actor("public") if who == "public" else who
        values = {"finding": "f", **({"reporter_code": "R-1"} if who == "public" else {})}
        story = hazard().does(opening, actor, **values)
        story.does("order_interim", "site_supervisor", interim_control="降液位运行")
        story.does("order_stop", "upper_supervisor", interim_control="停止使用")
        assert story.last is not None and story.last.effects == ("stop_work",)
        story.does("order_evacuation", "site_supervisor", interim_control="撤离")
        assert story.last is not None and story.last.effects == ("stop_work", "alarm_site")
        story.cannot("order_stop", "enterprise", because="not_yours", interim_control="x")


def test_the_whole_way_to_a_cancelled_number() -> None:
    story = rectifying()
    story.does("report", "enterprise", progress="阀门已到货")
    story.cannot("pass", "enterprise", because="not_offered")
    story.does("submit", "enterprise", evidence=[PHOTO])
    # the enterprise tries to cancel its own number
    story.cannot("pass", "enterprise", because="not_yours")
    story.cannot("pass", "enterprise", because="same_person")
    story.does("pass", "site_supervisor", 0, photos=[PHOTO])
    story.cannot("pass", "site_supervisor", 0, because="already_signed")
    story.does("pass", "site_supervisor", 1)
    assert story.case.state == "cancelled"
    assert story.last is not None and [one.mechanism for one in story.last.opens] == ["look_back"]
    assert set(story.last.tells) == {"raiser", "enterprise", "parties"}


def test_a_reported_hazard_that_proves_true_opens_the_reward() -> None:
    story = hazard().does("public_report", Actor("public"), finding="f", reporter_code="R-1").does("accept", "site_supervisor")
    story.signs("list", "site_supervisor", 0, 1, criterion="hazchem-15").does("settle", "enterprise", **FIVE)
    story.does("approve", "site_supervisor").does("submit", "enterprise", evidence=[PHOTO]).signs("pass", "site_supervisor", 0, 1)
    assert story.last is not None and [one.mechanism for one in story.last.opens] == ["look_back", "reward"]


@pytest.mark.parametrize(("act", "end"), [("downgrade", "ordinary"), ("nothing", "none")])
def test_other_ends_need_grounds_and_two_persons_who_did_not_find_it(act: str, end: str) -> None:
    story = hazard().does("found_here", "site_supervisor", finding="f")
    story.cannot(act, "site_supervisor", 1, because="missing")
    story.cannot(act, "site_supervisor", 0, because="same_person", grounds="g")
    story.signs(act, "site_supervisor", 1, 2, grounds="g")
    assert story.case.state == end and story.last is not None and "raiser" in story.last.tells


def test_a_hazard_handed_over_ends_only_once_the_department_has_answered() -> None:
    """Nothing rests silently: the department takes it on, deals with it and answers whoever handed it over."""
    department = OFFICES["industry_office"]
    story = hazard().does("found_here", "site_supervisor", finding="f")
    story.cannot("hand_over", "site_supervisor", 1, because="missing", grounds="g")
    story.signs("hand_over", "site_supervisor", 1, 2, grounds="g", receiver=department)
    assert story.case.state == "handed" and story.last is not None and "raiser" in story.last.tells
    opened = story.last.opens[0]
    assert (opened.mechanism, opened.joined, dict(opened.values)) == (
        "transfer", True, {"office": department, "content": "f", "grounds": "g"},
    )  # fmt: skip
    parent = Actor("parent", name="hazard", person=9, office=OFFICES["site_supervisor"])
    child = Story(MECHANISMS["transfer"]).does("handed", parent, **opened.values)
    assert child.case.clocks[0].holder == department, "the department's own clock runs"
    child.does("take_on", "field.office", measures="m").does("report", "field.office", progress="p")
    child.does("answer", "field.office", answer="已处置")
    assert child.last is not None and "raiser" in child.last.tells
    child.cannot("confirm", Actor("person", person=person_of(department), office=OFFICES["parent_owner"]), because="same_person")
    child.does("confirm", "parent_owner")
    assert child.case.state == "done" and set(child.last.tells) == {"raiser", "field.office"}
    story.child("transferred", "done")
    assert story.case.state == "handed_over" and story.last is not None and "raiser" in story.last.tells


def test_what_the_department_gives_back_is_judged_anew() -> None:
    story = hazard().does("found_here", "site_supervisor", finding="f")
    for _ in range(2):
        story.signs("hand_over", "site_supervisor", 1, 2, grounds="g", receiver=OFFICES["industry_office"])
        story.child("came_back", "taken_back")
        assert story.case.state == "found"
    story.cannot("hand_over", "site_supervisor", 1, because="spent", grounds="g", receiver=OFFICES["industry_office"])


def test_an_ordinary_hazard_stays_on_the_ledger_until_it_is_put_right() -> None:
    story = hazard().does("found_here", "site_supervisor", finding="f")
    story.signs("downgrade", "site_supervisor", 1, 2, grounds="g")
    assert story.last is not None and [one.mechanism for one in story.last.opens] == ["ordinary_hazard"]
    child = Story(MECHANISMS["ordinary_hazard"]).does("downgraded", Actor("parent", name="hazard"), finding="f")
    child.does("rectify", "enterprise", result="r", evidence=[PHOTO])
    child.does("return", "site_supervisor", reason="不到位").does("rectify", "enterprise", result="r", evidence=[PHOTO])
    child.does("pass", "site_supervisor")
    assert child.case.state == "rectified"
    worse = Story(MECHANISMS["ordinary_hazard"]).does("found", "site_supervisor", finding="f")
    worse.signs("raise", "site_supervisor", 0, 1, grounds="g")
    assert worse.last is not None and [dict(one.values) for one in worse.last.opens] == [{"finding": "f"}]


def test_an_order_to_stop_is_confirmed_by_the_enterprise() -> None:
    story = hazard().does("found_here", "site_supervisor", finding="f")
    story.does("order_stop", "site_supervisor", interim_control="停用")
    owed = next(row for row in story.case.clocks if row.name == "obey" and row.stopped is None)
    assert owed.holder == OFFICES["enterprise"]
    story.cannot("confirm_control", "site_supervisor", because="not_yours", control_done="d")
    story.does("confirm_control", "enterprise", control_done="已停用并上锁")
    assert story.last is not None and story.last.tells == ("owner",)
    story.cannot("confirm_control", "enterprise", because="clock_stopped", control_done="d")


def test_a_review_from_the_papers_needs_photos_and_tells_the_office_above() -> None:
    story = rectifying().does("submit", "enterprise", evidence=[PHOTO])
    story.cannot("pass_off_site", "site_supervisor", because="missing", grounds="g")
    story.signs("pass_off_site", "site_supervisor", 0, 1, grounds="g", photos=[PHOTO])
    assert story.last is not None and story.last.tells[0] == "upper_supervisor"


def test_a_date_that_starts_a_clock_may_not_be_past() -> None:
    story = Story(MECHANISMS["instruction"]).does("register", "registry", paper="p")
    story.does("propose", "registry", proposal="x", leader=7)
    leader = Actor("person", person=7, office=OFFICES["leader"])
    story.cannot("instruct", leader, because="bad_value", words="w", due="2026-11-20")
    story.does("instruct", leader, words="w", due="2026-11-30")
    found = (
        hazard().does("found_here", "site_supervisor", finding="f").signs("list", "site_supervisor", 0, 1, criterion="hazchem-15")
    )
    found.cannot("settle", "enterprise", because="bad_value", **{**FIVE, "deadline": "2026-11-01"})
    event = Story(MECHANISMS["accident"])
    report = {"course": "c", "deaths": 0, "injuries": 1, "loss": 0}
    event.cannot("unit_report", "enterprise", because="bad_value", happened="2026-12-24T08:00:00+08:00", **report)
    asker = Actor("parent", name="hazard", person=9, office=OFFICES["enterprise"])
    Story(MECHANISMS["extension"]).cannot("ask", asker, because="bad_value", until="2026-11-01", why="w")


def test_what_a_parent_hands_down_is_not_bounded_again() -> None:
    """A task given after its instruction's day is over is overdue at once, not impossible."""
    parent = Actor("parent", name="instruction", office=OFFICES["supervision_office"])
    m = MECHANISMS["task"]
    values = {"office": OFFICES["county_office"], "due": "2026-11-01"}
    given = decide(m, unopened(m, "c"), Call("given", parent, values, handed=frozenset(values)), facts(law=LAWFUL), NOW)
    assert isinstance(given, Decision) and given.case.clocks[0].due < NOW
    assert isinstance(decide(m, unopened(m, "c"), Call("given", parent, values), facts(law=LAWFUL), NOW), Refusals)


def test_a_vacancy_left_open_stays_a_case() -> None:
    lacking, filled = Actor("event", name="posts.lacking"), Actor("event", name="posts.filled")
    story = Story(MECHANISMS["vacancy"]).does("found", lacking, lacks="缺一人")
    story.signs("leave_open", "hr_office", 0, 1, reason="r")
    assert story.case.state == "left_open" and not story.case.ended
    assert any(row.name == "within:left_open" and row.stopped is None for row in story.case.clocks)
    story.does("again", lacking, lacks="缺两人").does("filled", filled)
    assert story.case.state == "filled"


def test_a_payment_is_recorded_with_its_day_and_voucher() -> None:
    story = Story(MECHANISMS["reward"]).does("from_hazard", Actor("parent", name="hazard"))
    story.does("compute", "site_supervisor", amount=300_000, grounds="g").does("approve", "upper_supervisor")
    story.cannot("pay", "finance", because="missing", receipt=[PHOTO])
    story.cannot("pay", "finance", because="bad_value", receipt=[PHOTO], voucher="记-18", paid_on="2027-01-01")
    story.does("pay", "finance", receipt=[PHOTO], voucher="记-18", paid_on="2026-11-24")
    assert story.last is not None and story.last.effects == ()


def test_assigned_down_one_or_two_levels_only_where_found_above() -> None:
    league, county = OFFICES["top"] + 50, OFFICES["top"] + 51
    story = hazard().does("found_above", "upper_supervisor", finding="f")
    story.cannot("assign_down", "upper_supervisor", because="guard", answering=county)
    story.does("assign_down", "upper_supervisor", answering=league).does("pass_down", "field.answering", answering=county)
    story.cannot("pass_down", "field.answering", because="spent", answering=county)
    story.does("sign", "field.answering")
    assert (story.case.state, story.case.fields["answering"]) == ("found", county)
    hazard().does("found_here", "site_supervisor", finding="f").cannot(
        "assign_down", "site_supervisor", because="not_offered", answering=league
    )
    assert hazard().does("listed_above", "top", finding="f").case.fields["answering"] == OFFICES["top"]


def test_a_plan_without_all_five_is_refused() -> None:
    story = hazard().does("found_here", "site_supervisor", finding="f").signs("list", "site_supervisor", 0, 1, criterion="c")
    for name in FIVE:
        story.cannot("settle", "enterprise", because="missing", **{key: value for key, value in FIVE.items() if key != name})
    story.cannot("settle", "enterprise", because="bad_value", **{**FIVE, "deadline": "2027-06-01"})  # over 90 days


def test_returns_are_bounded_then_the_site_is_stopped_or_closed() -> None:
    story = rectifying()
    for round_ in range(4):
        story.does("submit", "enterprise", evidence=[PHOTO]).does("return", "site_supervisor", reason="不合格")
        assert story.case.state == ("rectifying" if round_ < 3 else "stopped")
        assert "evidence" not in story.case.fields
    story.cannot("resettle", "site_supervisor", because="missing", reason="停产整顿")  # what is stopped is said
    story.signs("resettle", "site_supervisor", 0, 1, reason="停产整顿", interim_control="全厂停产停业整顿")
    assert story.last is not None and story.last.effects == ("stop_work",)
    story.does("settle", "enterprise", **FIVE).does("approve", "site_supervisor").does("submit", "enterprise", evidence=[PHOTO])
    story.does("return", "site_supervisor", reason="仍不合格")
    story.cannot("resettle", "site_supervisor", because="spent", reason="r", interim_control="i")
    story.signs("close_down", "site_supervisor", 0, 1, grounds="g")
    assert story.case.state == "closed_down" and not story.case.unverified


def test_an_extension_is_decided_above_and_moves_the_deadline() -> None:
    story = rectifying().does("extend", "enterprise", extension={"until": "2027-02-10", "why": "备件进口"})
    story.cannot("submit", "enterprise", because="child_open", evidence=[PHOTO])
    before = next(row.due for row in story.case.clocks if row.name == "deadline")
    story.child("extension_granted", "granted", until="2027-02-10")
    after = next(row.due for row in story.case.clocks if row.name == "deadline")
    assert after - before == timedelta(days=21)
    story.cannot("extend", "enterprise", because="spent")


def test_raised_supervision_must_be_cleared_before_the_number_is_cancelled() -> None:
    story = rectifying().does("list_supervision", "upper_supervisor")
    assert story.case.fields["supervised_by"] == OFFICES["upper_supervisor"]
    story.does("submit", "enterprise", evidence=[PHOTO]).cannot("pass", "site_supervisor", because="guard")
    story.does("clear", "field.supervised_by", clearance="同意解除").signs("pass", "site_supervisor", 0, 1)
    assert story.case.state == "cancelled"


def test_shutting_the_site_recalls_an_open_extension() -> None:
    story = rectifying().does("extend", "enterprise", extension={"until": "2027-02-10", "why": "w"})
    kid = story.case.kids[0].id
    story.signs("shut_site", "site_supervisor", 1, 2, grounds="g")
    assert story.last is not None and story.last.recalls == (kid,)


def test_the_decision_on_an_order_given_on_the_spot_is_signed_by_two_before_the_case_can_end() -> None:
    story = hazard().does("found_here", "site_supervisor", finding="f")
    story.does("order_stop", "site_supervisor", 0, interim_control="停用")  # by one, at once
    row = next(row for row in story.case.clocks if row.name == "countersign" and row.stopped is None)
    assert row.holder == OFFICES["site_supervisor"]
    story.cannot("nothing", "site_supervisor", because="guard", grounds="g")
    story.signs("countersign", "site_supervisor", 0, 1, decision="应急停决〔2026〕1号")
    assert "ordered_by" not in story.case.fields
    assert not [row for row in story.case.clocks if row.name == "countersign" and row.stopped is None]
    story.does("order_evacuation", "site_supervisor", 1, interim_control="撤离")  # again: owed anew
    story.cannot("nothing", "site_supervisor", because="guard", grounds="g")


def test_stopped_work_goes_on_by_a_decision_within_the_law_s_time_of_asking() -> None:
    def running(story: Story) -> list[ClockRow]:
        return [row for row in story.case.clocks if row.name == "resumption" and row.stopped is None]

    story = rectifying().does("order_stop", "site_supervisor", 0, interim_control="停用")
    story.does("confirm_control", "enterprise", control_done="已停用")
    story.cannot("refuse_to_resume", "site_supervisor", because="guard", reason="无申请")
    story.cannot("ask_to_resume", "site_supervisor", because="not_yours", resumption="已整改")
    story.cannot("ask_to_resume", "enterprise", because="missing")
    story.does("ask_to_resume", "enterprise", resumption="已整改，申请恢复生产")
    (clock,) = running(story)
    assert (clock.holder, clock.due) == (OFFICES["site_supervisor"], end_of_day(date(2026, 12, 4)))
    story.cannot("lift_interim", "enterprise", because="not_yours", grounds="g")
    story.does("refuse_to_resume", "site_supervisor", reason="联锁未投用")
    assert not running(story) and story.case.fields["interim_control"] == "停用", "the order stands"
    story.now += timedelta(days=3)
    story.does("ask_to_resume", "enterprise", resumption="联锁已投用")
    assert running(story)[0].due == end_of_day(date(2026, 12, 7))
    story.does("countersign", "site_supervisor", 0, decision="应急停决〔2026〕1号").does("countersign", "site_supervisor", 1)
    story.signs("lift_interim", "site_supervisor", 0, 1, grounds="现场审查合格，同意恢复生产")
    assert not running(story) and "interim_control" not in story.case.fields and story.case.state == "rectifying"


def test_asking_again_to_resume_leaves_the_due_where_it_was() -> None:
    story = rectifying().does("order_stop", "site_supervisor", 0, interim_control="停用")
    story.does("ask_to_resume", "enterprise", resumption="已整改")
    before = story.case.clocks
    story.now += timedelta(days=12)
    story.cannot("ask_to_resume", "enterprise", because="guard", resumption="再次申请")  # overdue stays overdue
    assert story.case.clocks == before
    story.does("refuse_to_resume", "site_supervisor", reason="联锁未投用")
    assert "resumption" not in story.case.fields
    story.does("ask_to_resume", "enterprise", resumption="联锁已投用")
    story.signs("countersign", "site_supervisor", 0, 1, decision="1号").signs(
        "lift_interim", "site_supervisor", 0, 1, grounds="g"
    )
    story.does("order_stop", "site_supervisor", 0, interim_control="再停用").does(
        "ask_to_resume", "enterprise", resumption="已整改"
    )


def test_a_site_stopped_to_settle_anew_may_ask_to_resume() -> None:
    story = rectifying()
    for _ in range(4):
        story.does("submit", "enterprise", evidence=[PHOTO]).does("return", "site_supervisor", reason="不合格")
    story.signs("resettle", "site_supervisor", 0, 1, reason="三次复核不合格", interim_control="全厂停产停业整顿")
    assert story.case.fields["interim_control"] == "全厂停产停业整顿"
    story.does("settle", "enterprise", **FIVE).does("ask_to_resume", "enterprise", resumption="已整顿")
    story.signs("lift_interim", "site_supervisor", 0, 1, grounds="现场审查合格")
    assert "interim_control" not in story.case.fields


def test_an_extension_lasts_at_most_half_of_the_time_first_set() -> None:
    story = rectifying()  # on 24 November, until 20 January: 57 days and some hours
    refused = story.call("extend", "enterprise", 0, {"extension": {"until": "2027-02-18", "why": "w"}})
    assert isinstance(refused, Refusals) and [(one.code, one.about) for one in refused.reasons] == [
        ("bad_value", "extension.until")
    ]
    assert dict(refused.reasons[0].args) == {"latest": "2027-02-17", "share": "50%", "term": 57, "more": 28}
    for none in ("2027-01-19", "2027-01-20"):  # no later than what holds: it would move nothing and spend the one there is
        refused = story.call("extend", "enterprise", 0, {"extension": {"until": none, "why": "w"}})
        assert isinstance(refused, Refusals) and refused.reasons[0].args == {"due": "2027-01-20"}
    story.does("extend", "enterprise", extension={"until": "2027-02-17", "why": "w"})
    before = {row.name: row.due for row in story.case.clocks}
    story.child("extension_granted", "granted", until="2027-03-20")  # the law's share may have shrunk since it was asked for
    after = {row.name: row.due for row in story.case.clocks}
    assert after["deadline"] == end_of_day(date(2027, 2, 17)), "28 whole days more"
    assert after["overall"] - before["overall"] == after["deadline"] - before["deadline"] == timedelta(days=28)


# -------------------------------------------------------------- instruction


def test_the_chain_of_an_instruction() -> None:
    story = Story(MECHANISMS["instruction"]).does("register", "registry", paper="国办来文")
    story.does("propose", "registry", proposal="拟请阅示", leader=7)
    leader = Actor("person", person=7, office=OFFICES["leader"])
    story.does("instruct", leader, words="请抓好落实", due="2027-01-31")
    county, top = OFFICES["county_office"], OFFICES["top"]
    story.does("assign", "supervision_office", lead_office=county, supporting=[top])
    assert [dict(one.values)["part"] for one in story.last.opens] == ["lead", "support"]  # type: ignore[union-attr]
    story.does("report", "field.lead_office", progress="已部署")
    story.cannot("feed_back", "field.lead_office", because="child_open", feedback="f")
    story.child("task_done", "done").child("task_done", "done")
    story.does("feed_back", "field.lead_office", feedback="已完成")
    story.cannot("agree", "field.lead_office", because="not_yours").does("agree", "supervision_office")
    story.cannot("read_closed", "supervision_office", because="not_yours", view="v")
    story.does("read_closed", leader, view="同意办结").does("strike_off", "supervision_office", 1)
    assert story.case.state == "closed" and not story.case.unverified


def test_the_leader_may_instruct_again_and_supervision_return() -> None:
    story = Story(MECHANISMS["instruction"])
    story.does("spoken", "supervision_office", paper="p", words="w", leader=7, due="2027-01-31")
    leader = Actor("person", person=7, office=OFFICES["leader"])
    story.does("assign", "supervision_office", lead_office=OFFICES["county_office"]).child("task_withdrawn", "withdrawn")
    for _ in range(3):
        story.does("feed_back", "field.lead_office", feedback="f").does("return", "supervision_office", reason="r")
    assert story.case.state == "reporting"  # the third return goes to the leader
    story.does("again", leader, words="再抓").does("assign", "supervision_office", lead_office=OFFICES["county_office"])
    assert story.case.kids[-1].state == "open"


# ------------------------------------------------------------------ warning


def warned(colour: str = "yellow") -> Story:
    event = Actor("event", name="warning.level")
    return Story(MECHANISMS["warning"]).does("by_alarm", event, hazard_kind="leak", colour=colour)


def test_a_warning_owes_three_answers() -> None:
    story = warned("red")
    assert story.last is not None and story.last.effects == ("call_list",)
    assert {row.name: row.holder for row in story.case.clocks} == {
        "acknowledge": OFFICES["control_room"],
        "feedback": OFFICES["control_room"],
        "lift": OFFICES["county_office"],
    }
    story.does("acknowledge", "control_room").does("note_call", "control_room", call="已电话叫应值班长")
    story.does("feed_back", "control_room", feedback="已关阀喷淋").cannot(
        "lift", "control_room", because="not_yours", grounds="g"
    )
    story.does("reject", "county_office", grounds="数值未降").cannot("lift", "county_office", because="not_offered", grounds="g")
    story.does("feed_back", "control_room", feedback="已停车").does("lift", "county_office", grounds="已恢复")
    assert story.case.state == "lifted" and set(story.last.tells) == {"raiser", "control_room", "parties"}


def test_a_warning_goes_on_as_hazard_or_accident_or_proves_unfounded() -> None:
    story = warned().does("open_hazard", "county_office", hazard={"finding": "安全阀根部阀关闭"})
    assert story.last is not None and story.last.opens[0].values == {"finding": "安全阀根部阀关闭"}
    story.does("to_incident", "duty_room", grounds="已发生泄漏", accident={"course": "c"})
    assert story.case.state == "incident"
    unfounded = warned().signs("unfounded", "duty_room", 0, 1, grounds="仪表故障")
    assert unfounded.case.state == "unfounded"


def test_whoever_fed_back_neither_lifts_nor_finds_it_unfounded() -> None:
    story = warned().does("county_feeds_back", "county_office", feedback="现场处置")
    story.cannot("lift", "county_office", because="same_person", grounds="g")
    story.cannot("unfounded", "county_office", because="same_person", grounds="g")
    story.does("lift", "county_office", 1, grounds="g")


# ------------------------------------------------------------ the other ones


def test_an_extension_is_never_decided_by_who_asked() -> None:
    asker = Actor("parent", name="hazard", person=person_of(OFFICES["up"]), office=OFFICES["enterprise"])
    story = Story(MECHANISMS["extension"]).does("ask", asker, until="2027-02-01", why="w")
    boss = Actor("person", person=person_of(OFFICES["up"]), office=OFFICES["parent_owner.up"])
    story.cannot("grant", boss, because="same_person")
    story.does("grant", Actor("person", person=5, office=OFFICES["parent_owner.up"]))
    assert carried(story.case) == frozenset()


def test_every_act_that_people_do_has_somebody_who_may_see_it() -> None:
    story = rectifying()
    for role in ("enterprise", "site_supervisor", "upper_supervisor", "top"):
        office = OFFICES[role]
        actor = Actor("person", person=person_of(office), office=office)
        offered = may(story.mechanism, story.case, actor, facts_of(office), NOW)
        assert {one.act.name for one in offered} == {
            "report",
            "submit",
            "extend",
            "order_interim",
            "order_stop",
            "order_evacuation",
            "confirm_control",
            "countersign",
            "ask_to_resume",
            "refuse_to_resume",
            "lift_interim",
            "list_supervision",
            "shut_site",
        }
