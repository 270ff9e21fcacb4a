"""Proof and life agree on mechanisms that nobody wrote: small ones are generated, lived out whole, and judged.

``stories.everywhere`` lives a mechanism in every way with the kernel's own step: no slicing, exact counts. What such a life
shows (a rest without a running clock, no way to an end, a raiser who hears nothing, work unverified at a verified end, a
state that is never met) the proof has to find, and what the proof finds of these some life has to show. Those that the proof
calls closed are walked through ``decide`` besides, with people, values and time.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fengsui.ledger.kernel.document import MechanismError
from fengsui.ledger.kernel.load import mechanism as load
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.kernel.step import Core, choices, opened, step
from fengsui.ledger.proof import Law, check
from tests.unit.ledger.stories import acts_in, cores, everywhere, possible
from tests.unit.ledger.test_walks import at_rest
from tests.unit.ledger.walking import NAMES, Walk

STATES, ENDS, FIELDS = ("one", "two", "three"), ("done", "dropped"), ("words", "more")
OWNERS = {"one": "county_office", "two": "upper_supervisor", "three": "county_office"}


@st.composite
def acts(draw: Any, number: int) -> dict[str, Any]:
    """One act: where it leads, what it sets, clears, needs, does and verifies."""
    act: dict[str, Any] = {"by": [draw(st.sampled_from(["county_office", "upper_supervisor", "clock.due", "clock.due"]))]}
    to = draw(st.sampled_from([None, *STATES, *STATES, *ENDS]))
    optional = {
        "to": st.just(to),
        "at_most": st.just(1),
        "sets": st.lists(st.sampled_from(FIELDS), min_size=1, max_size=1),
        "clears": st.lists(st.sampled_from(FIELDS), min_size=1, max_size=1),
        "needs": st.sampled_from([[{"set": "words"}], [{"unset": "more"}], [{"clock_running": "due"}]]),
        "does": st.just(True),
        "verifies": st.lists(
            st.sampled_from([f"act{n}" for n in range(number)] or ["opened"]), min_size=1, max_size=2, unique=True
        ),
        "tells": st.just(["raiser"]),
    }
    for key, values in optional.items():
        if (key == "to" and to is not None) or (key != "to" and draw(st.integers(0, 3)) == 0):
            act[key] = draw(values)
    if act["by"] == ["clock.due"]:
        act = {key: value for key, value in act.items() if key not in ("does", "verifies", "sets")}
    return act


BACKBONE: dict[str, dict[str, Any]] = {
    "act0": {"by": ["county_office"], "to": "two", "sets": ["words"], "does": True},
    "act1": {"by": ["upper_supervisor"], "to": "three", "sets": ["more"]},
    "act2": {"by": ["upper_supervisor"], "to": "done", "verifies": ["act0"], "tells": ["raiser"]},
    "act3": {"by": ["upper_supervisor"], "to": "dropped", "tells": ["raiser"]},
}
"""A closed life, from which the generated ones depart."""
HOME = {"act0": "one", "act1": "two", "act2": "three", "act3": "two"}


@st.composite
def mechanisms(draw: Any) -> Mechanism:
    """A small mechanism that loads: the backbone, some of it changed, a few acts more. Whether it is closed is left to chance."""
    rarely = st.integers(0, 9).map(lambda number: number == 0)
    made = {name: (draw(acts(int(name[-1]))) if draw(rarely) else act) for name, act in BACKBONE.items()}
    homes = dict(HOME)
    for number in range(4, 4 + draw(st.integers(0, 3))):
        made[f"act{number}"] = draw(acts(number))
        homes[f"act{number}"] = draw(st.sampled_from(STATES))
    states: dict[str, Any] = {
        name: {
            "owner": OWNERS[name],
            "within": "clock.due" if OWNERS[name] == "county_office" and draw(st.booleans()) else "law.hazard.plan",
            "actions": {act: body for act, body in made.items() if homes[act] == name},
        }
        for name in STATES
    }
    names = ["begin", *made]
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    starts = draw(some) if draw(st.integers(0, 2)) == 0 else ["begin"]
    stops = draw(some) if draw(st.integers(0, 2)) == 0 else ["end"]
    data = {
        "mechanism": "made",
        "about": "site",
        "ladder": "plain",
        "fields": {name: {"kind": "text"} for name in FIELDS},
        "clocks": {"due": {"amount": "law.task.review", "starts": starts, "stops": stops, "holder": "county_office"}},
        "open": {"begin": {"by": ["duty_room"], "to": draw(st.sampled_from(["one", "one", "one", "two"]))}},
        "states": states,
        "ends": {"done": {"tells": ["raiser"]} if draw(st.booleans()) else {}, "dropped": {"unverified": "stated"}},
    }
    try:
        return load(data, NAMES)
    except MechanismError:
        assume(False)
        raise


def signs(mechanism: Mechanism) -> dict[str, bool]:
    """What some whole life shows: each sign, and whether it was met."""
    every = everywhere(mechanism)
    resting = [core for core in every if core.state in mechanism.states]
    within = {name: state.within for name, state in mechanism.states.items()}
    edges = [
        (core, act, step(mechanism, core, act, choice))
        for core in resting
        for act in acts_in(mechanism, core)
        if possible(mechanism, core, act)
        for choice in choices(mechanism, core, act)
    ]
    verified = {end.name for end in mechanism.ends.values() if end.unverified is None}
    return {
        "no clock": any(within[core.state].kind == "clock" and "due" not in core.running for core in resting),
        "no end": any(not any(one.state in mechanism.ends for one in cores(mechanism, [core])) for core in resting),
        "untold": any(
            after.state in mechanism.ends and "raiser" not in (*mechanism.ends[after.state].tells, *act.tells)
            for _, act, after in edges
        ),
        "unverified": any(after.state in verified and after.unverified for _, _, after in edges),
        "never met": {*mechanism.states, *mechanism.ends} != {core.state for core in every},
    }


SAID = {
    "no clock": (1, "does not run here"),
    "no end": (2, "no end is reachable from here"),
    "untold": (6, "is not told at the end"),
    "unverified": (4, "is unverified at the verified end"),
    "never met": (8, "cannot be reached"),
}
"""Sign → property and words of the finding that tells it."""


@given(mechanisms())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_proof_finds_what_some_life_shows_and_no_more(made: Mechanism) -> None:
    report = check({"made": made}, NAMES, Law())
    for sign, shown in signs(made).items():
        number, words = SAID[sign]
        told = [one for one in report.findings if one.property == number and words in one.says]
        assert bool(told) == shown, (sign, shown, list(map(str, report.findings)), dict(made.source))
        assert all(_lived(made, one.path) for one in told if one.path), (sign, [str(one) for one in told])


def _lived(mechanism: Mechanism, path: tuple[str, ...]) -> bool:
    """Whether some life goes this way."""
    now: set[Core] = {opened(mechanism, mechanism.opening[path[0]])}
    for name in path[1:]:
        now = {
            step(mechanism, core, act, choice)
            for core in now
            for act in acts_in(mechanism, core)
            if act.name == name and possible(mechanism, core, act)
            for choice in choices(mechanism, core, act)
        }
    return bool(now)


@given(mechanisms(), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_called_closed_rests_with_an_owner_and_a_clock(made: Mechanism, seed: int) -> None:
    """Walked through ``decide`` with people and time: each rest is owned and timed where the proof finds no 1, 2, 4 or 5."""
    report = check({"made": made}, NAMES, Law())
    assume(not any(one.property in (1, 2, 4, 5) for one in report.findings))
    walk = Walk(made, random.Random(seed))
    for _ in range(30):
        if walk.case.ended:
            break
        walk.attempt()
        if walk.case.seq:
            if walk.rng.random() < 0.2:
                walk.pass_time(timedelta(days=walk.rng.choice((1, 8, 40))))
            at_rest(made, walk.case)
