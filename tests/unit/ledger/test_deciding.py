"""``decide`` and ``may``: each rule of mechanisms.md on a mechanism of a few lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fengsui.ledger.kernel.decide import answer, candidates, decide, may, opening_for
from fengsui.ledger.kernel.people import carried
from fengsui.ledger.kernel.shapes import Actor, Call, Case, Decision, Mechanism, Refusals
from tests.unit.ledger.small import NOW, OFFICES, attempt, begun, by, codes, facts, facts_of, go, person_of, small, unopened
from tests.unit.ledger.walking import MECHANISMS, PHOTO


def done(result: Decision | Refusals) -> Decision:
    assert isinstance(result, Decision), result
    return result


# ------------------------------------------------------------- order of checks


def test_opening_sets_raiser_state_and_first_entry() -> None:
    m = small()
    decision = done(attempt(m, unopened(m, "c"), "begin"))
    case = decision.case
    assert (case.seq, case.state, decision.state_before, case.opened) == (1, "one", "", NOW)
    assert case.raiser == {"kind": "person", "person": 100 * OFFICES["enterprise"], "office": OFFICES["enterprise"], "name": ""}
    assert case.persons == {"opened": frozenset({by("enterprise").person})}


def test_an_ended_case_refuses_before_all_else() -> None:
    m = small()
    case = go(m, begun(m), "work", ("check", "up"))
    assert case.ended and case.state == "done"
    assert codes(attempt(m, case, "nonsense", "top", expects=99)) == [("ended", "done")]


def test_a_stale_seq_and_another_version_are_refused() -> None:
    m = small()
    case = begun(m)
    assert codes(attempt(m, case, "work", expects=0)) == [("version", "0")]
    assert codes(attempt(m, replace(case, version="old"), "work")) == [("version", "mechanism")]
    assert isinstance(attempt(m, case, "work", expects=1), Decision)


def test_not_offered_here_differs_from_no_such_act() -> None:
    m = small()
    assert codes(attempt(m, begun(m), "check", "up")) == [("not_offered", "check")]
    assert codes(attempt(m, begun(m), "chekc", "up")) == [("no_such_act", "chekc")]


def test_all_refusals_are_gathered_by_whom_first() -> None:
    m = small(one__hard={"sets": ["words", "files"], "needs": ["certified", {"set": "office"}], "at_most": 1})
    seen = facts(truths={"certified": False}, why={"certified": "no certificate"})
    result = attempt(m, begun(m), "hard", "top", seen, words=3, odd=1)
    assert set(codes(result)) == {
        ("not_yours", "hard"),
        ("missing", "files"),
        ("bad_value", "words"),
        ("unknown", "odd"),
        ("guard", "office"),
        ("guard", "certified"),
    }
    assert codes(result)[0] == ("not_yours", "hard")
    assert [r.needs for r in result.reasons if r.about == "certified"] == ["no certificate"]  # type: ignore[union-attr]


def test_nothing_changes_where_an_act_is_refused() -> None:
    m = small()
    case = begun(m)
    attempt(m, case, "work", "top")
    assert case.state == "one" and case.seq == 1


# ------------------------------------------------------------------ by whom


@pytest.mark.parametrize(
    ("by_whom", "actor", "fits"),
    [
        ("up", by("up"), True),
        ("up", by("enterprise"), False),
        ("field.office", by("top"), True),
        ("field.office", by("up"), False),
        ("opener", by("enterprise", 2), True),
        ("opener", by("up"), False),
        ("public", Actor("public"), True),
        ("event.cap.in", Actor("event", name="cap.in"), True),
        ("event.cap.in", Actor("event", name="storm.declared"), False),
        ("up", Actor("event", name="up"), False),
        ("parent.recall", Actor("parent", name="recall"), True),
        ("parent.hazard", Actor("parent", name="warning"), False),
        ("up", Actor("system"), False),
    ],
)
def test_by_whom(by_whom: str, actor: Actor, fits: bool) -> None:
    m = small(one__note={"by": [by_whom]}, open={"begin": {"by": ["enterprise"], "to": "one", "assigns": {"office": "top"}}})
    assert isinstance(attempt(m, begun(m), "note", actor), Decision) is fits


BOSS = {"boss": {"kind": "person", "acts_as": ["leader"]}}


def test_a_field_may_name_the_person_and_a_deputy_acts_for_him() -> None:
    m = small(fields=BOSS, one__name={"sets": ["boss"]}, one__note={"by": ["field.boss"]})
    case = go(m, begun(m), ("name", "enterprise", {"boss": 77}))
    assert isinstance(attempt(m, case, "note", Actor("person", person=77, office=1)), Decision)
    assert isinstance(attempt(m, case, "note", Actor("person", person=5, principal=77, office=1)), Decision)
    assert codes(attempt(m, case, "note", Actor("person", person=5, office=1))) == [("not_yours", "note")]


def in_no_such_post(m: Mechanism, case: Case, act: str, actor: Actor, **more: Any) -> list[tuple[str, str]]:
    """What refuses the actor of the right office in a post whose work is another."""
    seen = replace(facts_of(actor.office), holds=frozenset(), **{"fills": frozenset({"finance", "up"}), **more})
    return codes(attempt(m, case, act, actor, seen))


def test_an_office_named_by_a_field_acts_only_through_the_posts_that_the_field_says() -> None:
    m = small(
        one__note={"by": ["field.office"]}, open={"begin": {"by": ["enterprise"], "to": "one", "assigns": {"office": "top"}}}
    )
    assert in_no_such_post(m, begun(m), "note", by("top")) == [("not_yours", "note")]
    assert isinstance(attempt(m, begun(m), "note", by("top")), Decision)


def test_a_person_named_by_a_field_acts_only_in_a_post_of_the_role() -> None:
    m = small(fields=BOSS, one__name={"sets": ["boss"]}, one__note={"by": ["field.boss"]})
    case = go(m, begun(m), ("name", "enterprise", {"boss": 77}))
    assert in_no_such_post(m, case, "note", Actor("person", person=77, office=1)) == [("not_yours", "note")]


def test_a_clock_s_holder_acts_only_through_the_posts_of_its_role() -> None:
    clocks = {"tick": {"amount": "law.hazard.sign", "starts": ["begin"], "stops": ["note", "end"], "holder": "enterprise"}}
    m = small(clocks=clocks, one__note={"by": ["holder.tick"]})
    assert in_no_such_post(m, begun(m), "note", by("enterprise")) == [("not_yours", "note")]
    assert isinstance(attempt(m, begun(m), "note", by("enterprise")), Decision)
    # who has been climbed to answers by the work of the offices above, not by the plant's
    climbed = replace(begun(m), overseers=(OFFICES["county_office"],))
    climbed = replace(climbed, clocks=tuple(replace(row, holder=OFFICES["county_office"]) for row in climbed.clocks))
    seen = replace(facts_of(OFFICES["county_office"]), holds=frozenset(), fills=frozenset({"up"}))
    assert isinstance(attempt(m, climbed, "note", by("county_office"), seen), Decision)
    seen = replace(seen, fills=frozenset({"finance"}))
    assert codes(attempt(m, climbed, "note", by("county_office"), seen)) == [("not_yours", "note")]


def test_an_office_is_chosen_only_where_enough_people_may_act_for_it() -> None:
    m = small(one__give={"sets": ["office"]}, two__sign={"by": ["field.office"], "signatures": 2})
    seen = replace(facts_of(OFFICES["enterprise"]), people={("office", 5): 1, ("office", 6): 2})
    refused = attempt(m, begun(m), "give", "enterprise", seen, office=5)
    assert codes(refused) == [("too_few_people", "office")]
    assert refused.reasons[0].args == {"people": 2}  # type: ignore[union-attr]
    assert isinstance(attempt(m, begun(m), "give", "enterprise", seen, office=6), Decision)


def test_a_person_is_chosen_only_who_has_the_role() -> None:
    m = small(fields=BOSS, one__name={"sets": ["boss"]})
    seen = replace(facts_of(OFFICES["enterprise"]), fit=frozenset({("boss", 77)}))
    assert codes(attempt(m, begun(m), "name", "enterprise", seen, boss=78)) == [("not_of_role", "boss")]
    assert isinstance(attempt(m, begun(m), "name", "enterprise", seen, boss=77), Decision)


# ---------------------------------------------------------------- bounds, then


def test_a_bound_counts_per_case_and_then_leads_elsewhere() -> None:
    m = small(
        one__round={"to": "one", "at_most": 2, "then": "two"},
        one__few={"at_most": 1},
    )
    case = go(m, begun(m), "round", "round")
    assert case.state == "one"
    case = go(m, case, "round")
    assert (case.state, case.counts["round"]) == ("two", 3)
    case = go(m, begun(m), "few")
    assert codes(attempt(m, case, "few")) == [("spent", "few")]


def test_a_signal_whose_bound_is_spent_is_recorded_as_seen() -> None:
    m = small(one__shock={"by": ["event.alarm.again"], "to": "two", "at_most": 1}, two__back={"to": "one"})
    signal = Actor("event", name="alarm.again")
    case = go(m, begun(m), ("shock", signal), ("back", "up"))
    decision = done(attempt(m, case, "shock", signal))
    assert decision.seen_only and decision.case == replace(case, seq=case.seq + 1)


# ---------------------------------------------------------------------- fields


def test_sets_assigns_clears_and_optional_fields() -> None:
    m = small(
        one__fill={"sets": ["words"], "may_set": ["files"], "assigns": {"office": "actor"}},
        one__empty={"clears": ["words"]},
    )
    case = go(m, begun(m), ("fill", "enterprise", {"words": "a", "files": [PHOTO]}))
    assert dict(case.fields) == {"words": "a", "files": [PHOTO], "office": OFFICES["enterprise"]}
    assert "words" not in go(m, case, "empty").fields
    assert codes(attempt(m, case, "fill", words="  ")) == [("missing", "words")]
    assert codes(attempt(m, case, "fill", words="a", files=["x"])) == [("bad_value", "files")]


def test_a_computed_office_that_does_not_resolve_refuses() -> None:
    m = small(one__send={"assigns": {"office": "top"}})
    assert codes(attempt(m, begun(m), "send", seen=facts(holds=frozenset({"enterprise"}), roles={"top": None}))) == [
        ("no_office", "top")
    ]


# ---------------------------------------------------------------------- guards


def test_guards_exact_registered_and_any() -> None:
    m = small(
        one__fill={"sets": ["words"]},
        one__either={"needs": [{"any": [{"set": "words"}, "certified"]}]},
        one__empty={"needs": [{"unset": "words"}]},
    )
    no = facts(holds=frozenset({"enterprise"}), truths={"certified": False})
    case = begun(m)
    assert set(codes(attempt(m, case, "either", seen=no))) == {("guard", "words"), ("guard", "certified")}
    assert isinstance(attempt(m, case, "either"), Decision)
    case = go(m, case, ("fill", "enterprise", {"words": "a"}))
    assert isinstance(attempt(m, case, "either", seen=no), Decision)
    assert codes(attempt(m, case, "empty")) == [("guard", "words")]


def test_the_entry_records_the_facts_it_saw() -> None:
    m = small(one__odd={"needs": ["certified", "on_site"]})
    assert done(attempt(m, begun(m), "odd")).facts_seen == {"certified": True, "on_site": True}


# --------------------------------------------------------------------- persons


def test_the_doer_never_verifies_not_through_deputy_nor_principal() -> None:
    m = small(
        states={
            "one": {"owner": "enterprise", "within": "law.hazard.sign", "actions": {"work": {"to": "two", "does": True}}},
            "two": {
                "owner": "enterprise",
                "within": "law.hazard.plan",
                "actions": {"check": {"to": "done", "verifies": ["work"]}, "back": {"to": "one"}},
            },
        }
    )
    doer = by("enterprise").person
    deputy = by("enterprise", 1, principal=by("enterprise", 2).person)
    case = go(m, begun(m), "work")
    assert case.unverified == {"work"}
    assert codes(attempt(m, case, "check")) == [("same_person", "work")]
    assert codes(attempt(m, case, "check", by("enterprise", 1, principal=doer))) == [("same_person", "work")]
    assert isinstance(attempt(m, case, "check", by("enterprise", 1)), Decision)
    case = go(m, begun(m), ("work", deputy))
    for who in (1, 2):
        assert codes(attempt(m, case, "check", by("enterprise", who))) == [("same_person", "work")]
    case = go(m, case, "back", "work")  # done again by another: both are doers
    assert codes(attempt(m, case, "check", by("enterprise", 1))) == [("same_person", "work")]
    after = go(m, case, ("check", by("enterprise", 3)))
    assert after.unverified == frozenset() and after.verified == {"work"}


def test_a_verified_end_is_not_reached_over_unverified_work() -> None:
    m = small(two__skip={"to": "done"}, ends={"dropped": {"unverified": "stated"}}, two__drop={"to": "dropped"})
    case = go(m, begun(m), "work")
    assert codes(attempt(m, case, "skip", "up")) == [("unverified", "work")]
    assert go(m, case, ("drop", "up")).state == "dropped"


def test_the_opener_is_kept_from_verifying_the_opening() -> None:
    m = small(one__none={"to": "done", "verifies": ["opened"]})
    assert codes(attempt(m, begun(m), "none")) == [("same_person", "opened")]
    assert isinstance(attempt(m, begun(m), "none", by("enterprise", 1)), Decision)


def test_a_childs_doers_are_carried_up() -> None:
    m = MECHANISMS["task"]
    values = {"office": OFFICES["county_office"], "due": "2027-01-10"}
    task = begun_by_parent(m, "given", values)
    task = go(m, task, ("sign", "county_office", {"measures": "m"}), ("submit", by("county_office", 1), {"result": "r"}))
    assert carried(task) == {person_of(OFFICES["county_office"], 1)}
    small_parent = small(
        children={"task": {"joined": True}},
        one__ask={"opens": ["task"]},
        one__told={"by": ["child.task.done"]},
        two__check={"to": "done", "by": ["up", "county_office"], "verifies": ["work"]},
    )
    case = go(small_parent, begun(small_parent), ("ask", "enterprise", {"task": values}))
    kid = case.kids[0]
    end = Actor("child", name="task", end="done", kid=kid.id, persons=carried(task))
    case = go(small_parent, case, ("told", end), "work")
    assert codes(attempt(small_parent, case, "check", by("county_office", 1))) == [("same_person", "work")]
    assert isinstance(attempt(small_parent, case, "check", by("county_office", 0)), Decision)


def begun_by_parent(m, act: str, values: dict) -> object:
    name = m.opening[act].by[0].removeprefix("parent.")
    actor = Actor("parent", name=name, person=1, office=OFFICES["supervision_office"])
    return done(decide(m, unopened(m, "k"), Call(act, actor, values), facts(), NOW)).case


# ------------------------------------------------------------------ signatures


def signing() -> object:
    return small(one__close={"to": "done", "signatures": 2, "sets": ["words"]}, one__note={})


def test_signatures_are_entries_by_different_persons() -> None:
    m = signing()
    first = done(attempt(m, begun(m), "close", words="why"))
    assert first.signed_only and first.case.state == "one" and first.case.seq == 2
    assert "words" not in first.case.fields
    assert codes(attempt(m, first.case, "close")) == [("already_signed", "close")]
    assert codes(attempt(m, first.case, "close", by("enterprise", 1), words="other")) == [("differs", "words")]
    second = done(attempt(m, first.case, "close", by("enterprise", 1)))
    assert (second.case.state, second.case.fields["words"], second.case.signed) == ("done", "why", {})


def test_any_other_act_voids_the_signatures() -> None:
    m = signing()
    case = go(m, begun(m), ("close", "enterprise", {"words": "why"}), "note")
    assert case.signed == {} and case.pending == {}
    again = done(attempt(m, case, "close", words="why"))
    assert again.signed_only


def test_a_deputy_and_the_principal_are_one_signature() -> None:
    m = signing()
    deputy = by("enterprise", 1, principal=by("enterprise", 2).person)
    case = done(attempt(m, begun(m), "close", deputy, words="why")).case
    for who in (1, 2):
        assert codes(attempt(m, case, "close", by("enterprise", who))) == [("already_signed", "close")]
    assert done(attempt(m, case, "close", by("enterprise", 3))).ended


# -------------------------------------------------------------------- children


def parenting(**more):
    return small(
        children={"extension": {"joined": True, "at_once": 1}, "task": {"joined": True}},
        one__ask={"opens": ["extension"]},
        one__got={"by": ["child.extension.granted"]},
        one__stop={"to": "done", "recalls": ["extension"]},
        one__quit={"to": "done"},
        one__hand={"sets": ["words"], "opens": ["task"]},
        **more,
    )


def test_children_open_with_ids_and_values_and_block_the_end() -> None:
    m = parenting()
    result = attempt(m, begun(m), "ask", seen=facts(holds=frozenset({"enterprise"}), new_ids=("k1",)), extension={"why": "rain"})
    decision = done(result)
    assert [(one.mechanism, one.id, one.joined, one.values) for one in decision.opens] == [
        ("extension", "k1", True, {"why": "rain"})
    ]
    case = decision.case
    assert codes(attempt(m, case, "ask")) == [("at_once", "extension")]
    assert codes(attempt(m, case, "quit")) == [("child_open", "extension")]
    stopped = done(attempt(m, case, "stop"))
    assert stopped.recalls == ("k1",) and stopped.ended
    wrong = Actor("child", name="extension", end="granted", kid="k9")
    assert ("not_offered", "k9") in codes(attempt(m, case, "got", wrong))
    case = go(m, case, ("got", Actor("child", name="extension", end="granted", kid="k1")))
    assert case.kids[0].state == "ended" and case.kids[0].end == "granted"
    assert isinstance(attempt(m, case, "quit"), Decision)


def test_gives_each_and_when_decide_what_children_open() -> None:
    m = MECHANISMS["instruction"]
    case = done(attempt(m, unopened(m, "c"), "spoken", "registry", paper="p", words="w", leader=7, due="2026-12-31")).case
    decision = done(attempt(m, case, "assign", "supervision_office", lead_office=3, supporting=[4, 5]))
    got = [dict(one.values) for one in decision.opens]
    assert got == [
        {"office": 3, "due": "2026-12-31", "content": "w", "part": "lead"},
        {"office": 4, "due": "2026-12-31", "content": "w", "part": "support"},
        {"office": 5, "due": "2026-12-31", "content": "w", "part": "support"},
    ]
    assert len({one.id for one in decision.opens}) == 3


def test_opening_for_finds_the_childs_own_opening_act() -> None:
    assert opening_for(MECHANISMS["hazard"], "parent.look_back").name == "from_inspection"  # type: ignore[union-attr]
    assert opening_for(MECHANISMS["accountability_lead"], "clock.any").name == "lead"  # type: ignore[union-attr]
    assert opening_for(MECHANISMS["hazard"], "parent.task") is None


# --------------------------------------------------------------- signals, pages


def test_a_signal_goes_to_the_first_act_that_fits() -> None:
    m = MECHANISMS["warning"]
    event = Actor("event", name="warning.level")
    case = done(answer(m, unopened(m, "c"), event, {"hazard_kind": "leak", "colour": "yellow"}, facts(), NOW)).case
    assert [act.name for act in candidates(m, case, event, facts())] == ["upgrade", "downgrade", "again"]
    higher = done(answer(m, case, event, {"colour": "red", "seen": "HH"}, facts(), NOW))
    lower = done(answer(m, case, event, {"colour": "blue", "seen": "L"}, facts(), NOW))
    same = done(answer(m, case, event, {"colour": "yellow", "seen": "H"}, facts(), NOW))
    assert [one.act for one in (higher, lower, same)] == ["upgrade", "downgrade", "again"]
    none = answer(m, case, Actor("event", name="gas.out_of_limit"), {}, facts(), NOW)
    assert codes(none) == [("not_offered", "gas.out_of_limit")]


def test_may_lists_every_act_of_people_with_all_reasons_and_asks_no_values() -> None:
    m = MECHANISMS["hazard"]
    case = done(attempt(m, unopened(m, "c"), "found_here", "site_supervisor", finding="阀门关闭")).case
    mine = {one.act.name: one for one in may(m, case, by("site_supervisor"), facts_of(OFFICES["site_supervisor"]), NOW)}
    assert mine["list"].allowed and mine["order_stop"].allowed
    assert [r.code for r in mine["downgrade"].refusals] == ["same_person"]
    assert [r.code for r in mine["lift_interim"].refusals] == ["guard"]
    theirs = {one.act.name: one for one in may(m, case, by("enterprise"), facts_of(OFFICES["enterprise"]), NOW)}
    assert {name for name, one in theirs.items() if one.allowed} == {"ask_to_resume"}, "every registered guard holds here"
    assert "extension_granted" not in mine
    assert may(m, replace(case, ended=True), by("top"), facts(), NOW) == []


def test_a_number_is_due_at_opening_or_at_its_act() -> None:
    m = MECHANISMS["circular"]
    opened = done(attempt(m, unopened(m, "c"), "draft", "drafter", heading="关于…的通报"))
    assert not opened.numbers
    case = go(m, opened.case, ("submit", "drafter", {"body": "b", "recipients": [7, 8]}), ("agree", "reviewer"))
    assert done(attempt(m, case, "sign", "signer")).numbers
    assert done(
        attempt(MECHANISMS["hazard"], unopened(MECHANISMS["hazard"], "c"), "found_here", "site_supervisor", finding="x")
    ).numbers


def test_effects_and_tells_of_act_and_end_come_together() -> None:
    m = small(
        one__quit={"to": "done", "effects": ["publish"], "tells": ["up", "raiser"]},
        ends={"done": {"tells": ["raiser", "top"], "effects": ["alarm_site"]}},
    )
    decision = done(attempt(m, begun(m), "quit"))
    assert (decision.effects, decision.tells) == (("publish", "alarm_site"), ("up", "raiser", "top"))
    assert all(row.stopped == NOW for row in decision.case.clocks)


def test_a_date_beyond_the_laws_limit_or_past_is_refused() -> None:
    m = small(fields={"day": {"kind": "date", "at_most": "law.hazard.plan"}}, one__plan={"sets": ["day"]})
    far = (NOW + timedelta(days=30)).date().isoformat()
    assert codes(attempt(m, begun(m), "plan", day=far)) == [("bad_value", "day")]
    assert codes(attempt(m, begun(m), "plan", day="2026-11-01")) == [("bad_value", "day")]
    assert isinstance(attempt(m, begun(m), "plan", day="2026-11-27"), Decision)
