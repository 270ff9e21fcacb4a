"""The doors with the real mechanisms: what they refuse, what they write, and that nothing changes when they refuse."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from fengsui.ledger import clockwork, doors, mechanisms, sentences
from fengsui.ledger.doors import About, Receipt, Refused
from fengsui.ledger.kernel import extensions
from fengsui.ledger.kernel.shapes import Actor, Call, Refusal
from fengsui.ledger.models import Case, Clock, Entry, Evidence, Link, Notice, Outbox
from fengsui.moment import LEGAL_ZONE
from tests.integration.ledger.conftest import NOW
from tests.small_region import SITE_AT, Small, Somebody, brought_by_all

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)


def site(small: Small, **more: Any) -> About:
    return About(kind="site", id=str(small.site.pk), duty="hazchem", title="安全阀根部阀关闭", **more)


def found(small: Small, key: str = "") -> Receipt:
    who = small.one("county").actor
    return doors.open("hazard", "found_here", {"finding": "安全阀根部阀关闭"}, who, site(small), key=key, now=NOW)


def do(case: str, act: str, who: Somebody, now: Any = LATER, **values: Any) -> Receipt:
    return doors.act(case, Call(act, who.actor, values), now=now)


def photo(position: tuple[float, float] | None = SITE_AT, digest: str = "ab" * 32) -> str:
    where = {"lon": position[0], "lat": position[1]} if position else None
    Evidence.objects.create(digest=digest, name="a.jpg", media_type="image/jpeg", size=9, position=where, stored_at=NOW)
    return brought_by_all(digest, NOW)


def settle(small: Small, case: str) -> None:
    """From found to rectifying."""
    do(case, "list", small.one("county"), criterion=first_criterion())
    do(case, "list", small.one("county", 1), criterion=first_criterion())
    plan = {"responsibility": small.one("plant").person.pk, "measures": "打开并铅封", "funds": 100, "contingency": "预案"}
    do(case, "settle", small.one("plant"), deadline="2026-12-20", **plan)
    do(case, "approve", small.one("county"))


def first_criterion() -> str:
    """One of the criteria in force, by the law's own list."""
    from fengsui.ledger.doors.facts import choices_of

    return min(choices_of(mechanisms.current("hazard"), NOW).get("criterion") or {"15"})


def refusal(status: int, doing: Any) -> list[str]:
    """The codes of what ``doing`` is refused for, and that it changed nothing."""
    before = list(Case.objects.order_by("id").values_list("id", "seq", "state")), Entry.objects.count(), Notice.objects.count()
    with pytest.raises(Refused) as caught:
        doing()
    assert caught.value.status == status, caught.value
    after = list(Case.objects.order_by("id").values_list("id", "seq", "state")), Entry.objects.count(), Notice.objects.count()
    assert before == after
    return [one.code for one in caught.value.refusals]


def test_an_opening_writes_case_entry_clock_number(small: Small) -> None:
    receipt = found(small)
    case = Case.objects.get(pk=receipt.case)
    assert (case.state, case.seq, case.number) == ("found", 1, "YH-150207-2026-000001")
    assert case.owner_id == small.county.pk
    assert case.place_path == small.place.path
    entry = Entry.objects.get()
    assert entry.content()["values"] == {"finding": "安全阀根部阀关闭"}
    assert bytes(entry.leaf).hex() == receipt.leaf
    clocks = {clock.name: clock for clock in Clock.objects.filter(case=case)}
    assert set(clocks) == {"overall", "within:found"}
    assert clocks["within:found"].law == "hazard.assign"
    assert clocks["within:found"].next_rung_at is not None
    assert case.next_due == min(clock.due for clock in clocks.values())


def test_the_whole_life_of_a_hazard(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    do(case, "report", small.one("plant"), progress="已订货")
    digest = photo(None)
    do(case, "submit", small.one("plant"), evidence=[digest])
    seen = photo(digest="cd" * 32)
    first = do(case, "pass", small.one("county"), photos=[seen])
    assert first.signed_only and first.state == "review"
    last = do(case, "pass", small.one("county", 1), photos=[seen])
    assert last.ended and last.state == "cancelled"
    assert [Case.objects.get(pk=one).mechanism for one in last.opened] == ["look_back"]
    assert Link.objects.get().from_case_id == Case.objects.get(pk=case).pk
    assert Notice.objects.filter(case=case, kind="end", role="raiser").exists()
    assert not Clock.objects.filter(case=case, stopped__isnull=True).exists()
    assert refusal(409, lambda: do(case, "report", small.one("plant"), progress="又")) == ["ended"]


def test_the_wrong_post_is_refused(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    do(case, "submit", small.one("plant"), evidence=[photo(None)])
    codes = refusal(403, lambda: do(case, "pass_off_site", small.one("plant"), grounds="已改"))
    assert codes[0] == "not_yours"


def test_another_county_gets_404(small: Small) -> None:
    case = found(small).case
    assert refusal(404, lambda: do(case, "nothing", small.one("other"), grounds="无")) == ["no_such_case"]
    assert refusal(404, lambda: do("not-an-id", "nothing", small.one("county"), grounds="无")) == ["no_such_case"]


def test_a_missing_field_is_named(small: Small) -> None:
    case = found(small).case
    with pytest.raises(Refused) as caught:
        do(case, "nothing", small.one("county"))
    assert caught.value.status == 422
    assert ("missing", "grounds") in [(one.code, one.about) for one in caught.value.refusals]


def test_an_unknown_field_is_refused(small: Small) -> None:
    case = found(small).case
    assert refusal(422, lambda: do(case, "nothing", small.one("county"), grounds="x", colour="red"))[0] == "unknown"


def test_a_stale_version_is_refused(small: Small) -> None:
    receipt = found(small)
    call = Call("order_interim", small.one("county").actor, {"interim_control": "停用"}, expects=receipt.seq)
    doors.act(receipt.case, call, now=LATER)
    assert refusal(412, lambda: doors.act(receipt.case, call, now=LATER)) == ["version"]


def test_the_same_key_gives_the_same_receipt_and_acts_once(small: Small) -> None:
    first = found(small, key="k1")
    assert found(small, key="k1") == first
    assert Case.objects.count() == 1
    call = Call("order_interim", small.one("county").actor, {"interim_control": "停用"}, key="k2")
    done = doors.act(first.case, call, now=LATER)
    assert doors.act(first.case, call, now=LATER + timedelta(hours=1)) == done
    other = Call("order_interim", small.one("county").actor, {"interim_control": "别的"}, key="k2")
    assert refusal(409, lambda: doors.act(first.case, other, now=LATER)) == ["key_reused"]


def test_an_unknown_place_and_an_unknown_mechanism(small: Small) -> None:
    who = small.one("county").actor
    about = About(kind="place", place_code="999999", duty="hazchem")
    assert refusal(422, lambda: doors.open("hazard", "found_here", {"finding": "x"}, who, about, key="", now=NOW))
    assert refusal(422, lambda: doors.open("nothing", "x", {}, who, site(small), key="", now=NOW)) == ["unknown"]


def test_one_warning_per_site_and_hazard(small: Small) -> None:
    signal = Actor(kind="event", name="warning.level")
    values = {"hazard_kind": "toxic_gas", "colour": "orange"}
    first = doors.open("warning", "by_alarm", values, signal, site(small), key="a", now=NOW)
    again = doors.open("warning", "by_alarm", values, signal, site(small), key="b", now=LATER)
    assert again.case == first.case
    assert again.act == "again"
    assert Case.objects.filter(mechanism="warning").count() == 1
    assert Outbox.objects.filter(topic="call_list").count() == 1
    assert Case.objects.get().level == "orange"


def test_a_child_opens_ends_and_reaches_its_parent(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    ask = {"extension": {"until": "2027-01-02", "why": "设备未到货"}}
    receipt = do(case, "extend", small.one("plant"), **ask)
    (child,) = receipt.opened
    assert Case.objects.get(pk=child).parent_id == Case.objects.get(pk=case).pk
    assert refusal(409, lambda: do(case, "submit", small.one("plant"), evidence=[photo(None)])) == ["child_open"]
    owner = Case.objects.get(pk=child).owner_id
    who = small.one("county") if owner == small.county.pk else small.one("league")
    do(child, "grant", who, now=LATER + timedelta(days=1))
    parent = Case.objects.get(pk=case)
    assert parent.entries.order_by("-seq").first().act == "extension_granted"
    assert parent.core["kids"][0]["state"] == "ended"


def dues(case: str) -> dict[str, datetime]:
    """Clock → when it is due, of those that run."""
    return dict(Clock.objects.filter(case_id=case, current=True, stopped__isnull=True).values_list("name", "due"))


def why(doing: Any) -> tuple[str, str, dict[str, Any]]:
    """Code, field and numbers of the only reason why ``doing`` is refused."""
    with pytest.raises(Refused) as caught:
        doing()
    (one,) = caught.value.refusals
    return one.code, one.about, dict(one.args)


def test_more_time_is_at_most_half_of_the_first_and_the_refusal_says_both(small: Small) -> None:
    case = found(small).case
    settle(small, case)  # from 24 November to 20 December: 26 days and some hours
    late = {"extension": {"until": "2027-01-03", "why": "设备未到货"}}
    code, about, args = why(lambda: do(case, "extend", small.one("plant"), **late))
    assert (code, about) == ("bad_value", "extension.until")
    assert args == {"latest": "2027-01-02", "share": "50%", "term": 26, "more": 13}
    assert Case.objects.filter(mechanism="extension").count() == 0
    hazard = mechanisms.current("hazard")
    with translation.override("zh-hans"):
        said = sentences.of(hazard, Refusal(code, about, extensions._BY_SHARE, args))
    assert said == "“申请延至”：最迟至 2027-01-02：延期不超过原期限 26 天的 50%，即 13 天。"


def test_the_whole_time_moves_with_the_deadline_so_that_no_lawful_day_is_overdue(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    before = dues(case)
    (child,) = do(case, "extend", small.one("plant"), extension={"until": "2027-01-02", "why": "设备未到货"}).opened
    owner = Case.objects.get(pk=child).owner_id
    do(child, "grant", small.one("county") if owner == small.county.pk else small.one("league"))
    after = dues(case)
    assert after["deadline"] - before["deadline"] == after["overall"] - before["overall"] == timedelta(days=13)


def test_the_deadline_stands_still_under_review_and_goes_on_where_it_stood(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    (child,) = do(case, "extend", small.one("plant"), extension={"until": "2027-01-02", "why": "设备未到货"}).opened
    owner = Case.objects.get(pk=child).owner_id
    do(child, "grant", small.one("county") if owner == small.county.pk else small.one("league"))
    granted = dues(case)["deadline"]
    do(case, "submit", small.one("plant"), evidence=[photo(None)])
    assert "deadline" not in dues(case), "whoever handed in on time is not overdue while others review"
    do(case, "return", small.one("county"), reason="阀门未铅封")
    assert dues(case)["deadline"] == granted


def test_a_plan_leaves_time_for_its_review_within_the_whole(small: Small) -> None:
    case = found(small).case
    for number in range(2):
        do(case, "list", small.one("county", number), criterion=first_criterion())
    plan = {"responsibility": small.one("plant").person.pk, "measures": "m", "funds": 1, "contingency": "c"}
    last = dues(case)["overall"] - timedelta(days=10)
    day = (last.astimezone(LEGAL_ZONE) - timedelta(seconds=1)).date()
    late = (day + timedelta(days=1)).isoformat()
    assert why(lambda: do(case, "settle", small.one("plant"), deadline=late, **plan)) == (
        "bad_value", "deadline", {"latest": day.isoformat()},
    )  # fmt: skip
    do(case, "settle", small.one("plant"), deadline=day.isoformat(), **plan)
    do(case, "approve", small.one("county"))
    do(case, "submit", small.one("plant"), now=last - timedelta(hours=1), evidence=[photo(None)])
    clockwork.tick(last + timedelta(days=9, hours=22))  # the last day of the review's own ten: still within the law's time
    assert not Case.objects.filter(mechanism__in=["circular", "accountability_lead"]).exists()
    assert dues(case)["overall"] >= dues(case)["within:review"]


def test_a_plan_can_still_be_settled_once_the_whole_time_is_over(small: Small) -> None:
    case = found(small).case
    for number in range(2):
        do(case, "list", small.one("county", number), criterion=first_criterion())
    plan = {"responsibility": small.one("plant").person.pk, "measures": "m", "funds": 1, "contingency": "c"}
    over = dues(case)["overall"] + timedelta(days=1)
    day = (over + timedelta(days=30)).date().isoformat()
    assert do(case, "settle", small.one("plant"), now=over, deadline=day, **plan).state == "settled"


def test_a_parent_recalls_its_child(small: Small) -> None:
    case = found(small).case
    settle(small, case)
    ask = {"extension": {"until": "2027-01-02", "why": "设备未到货"}}
    (child,) = do(case, "extend", small.one("plant"), **ask).opened
    do(case, "shut_site", small.one("county", 1), grounds="关闭")
    do(case, "shut_site", small.one("county", 2), grounds="关闭")
    assert Case.objects.get(pk=child).state == "recalled"
    assert Case.objects.get(pk=case).state == "closed_down"


def test_the_finder_cannot_verify_alone_what_they_opened(small: Small) -> None:
    case = found(small).case
    codes = refusal(403, lambda: do(case, "nothing", small.one("county"), grounds="无"))
    assert codes == ["same_person"]


def test_entries_chain(small: Small) -> None:
    case = found(small).case
    do(case, "order_interim", small.one("county"), interim_control="停用")
    first, second = Entry.objects.filter(case=case).order_by("seq")
    assert bytes(first.previous) == bytes(32)
    assert bytes(second.previous) == bytes(first.leaf)


def test_the_ledgers_own_acts_go_on_after_the_end(small: Small) -> None:
    case = found(small).case
    do(case, "nothing", small.one("county", 1), grounds="无")
    do(case, "nothing", small.one("county", 2), grounds="无")
    doors.append(case, "correct", small.one("county").actor, now=LATER, values={"note": "更正"})
    assert Case.objects.get(pk=case).state == "none"
    assert Entry.objects.filter(case=case).order_by("-seq").first().act == "correct"
    with pytest.raises(ValueError, match="own acts"):
        doors.append(case, "nothing", small.one("county").actor, now=LATER)


def test_an_act_costs_few_statements(small: Small, django_assert_max_num_queries: Any) -> None:
    case = found(small).case
    do(case, "order_interim", small.one("county"), interim_control="停用")
    with django_assert_max_num_queries(12):
        do(case, "order_interim", small.one("county"), interim_control="停用二号罐")
    assert connection.in_atomic_block
