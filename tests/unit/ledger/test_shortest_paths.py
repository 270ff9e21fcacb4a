"""The paths that the broken mechanisms' expectations pin are witnesses, and no shorter story is one.

For every broken file stands here what a story has to show for its fault to be seen, in the kernel's terms alone. All
stories up to the pinned length are told (``stories``), so that a shorter witness would be found.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import yaml

from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.kernel.step import Core
from tests.unit.ledger.stories import Story, acts_in, cores, everywhere, possible, stories
from tests.unit.ledger.test_proof import BROKEN, CASES, names, read

__all__ = ["names"]

Witness = Callable[[Mechanism, Story], bool]


def in_state(state: str) -> Witness:
    return lambda mechanism, story: story.now.state == state


def done(act: str, state: str) -> Witness:
    return lambda mechanism, story: story.last.name == act and story.before.state == state


def not_waited_for(mechanism: Mechanism, story: Story) -> bool:
    """The case rests where neither a clock runs nor a child is open for it."""
    state = mechanism.states.get(story.now.state)
    if state is None or state.within.kind == "amount":
        return False
    return state.within.name not in (story.now.running if state.within.kind == "clock" else story.now.open_kids)


def held_by_another(mechanism: Mechanism, story: Story) -> bool:
    state = mechanism.states.get(story.now.state)
    return bool(state and state.within.kind == "clock" and mechanism.clocks[state.within.name].holder != state.owner)


def lost(may: Callable[[Core, Act], bool]) -> Witness:
    return lambda mechanism, story: (
        story.now.state in mechanism.states and not any(one.state in mechanism.ends for one in cores(mechanism, [story.now], may))
    )


def without_facts(core: Core, act: Act) -> bool:
    return not any(guard.registered for guard in act.needs)


def climbs(ladder: str) -> Witness:
    def shows(mechanism: Mechanism, story: Story) -> bool:
        state = mechanism.states.get(story.now.state)
        clocks = [mechanism.clocks[name].ladder for name in story.now.running]
        waits = [state.ladder or mechanism.ladder] if state and state.within.kind == "amount" else []
        return ladder in (*clocks, *waits)

    return shows


def at_verified_end(mechanism: Mechanism, story: Story) -> bool:
    end = mechanism.ends.get(story.now.state)
    return end is not None and end.unverified is None


def unverified_there(mechanism: Mechanism, story: Story) -> bool:
    return at_verified_end(mechanism, story) and bool(story.now.unverified)


def consents_to_own_work(mechanism: Mechanism, story: Story) -> bool:
    pending = story.before.unverified - set(story.last.verifies)
    waits = {g.about for act in acts_in(mechanism, story.before) for g in act.needs if act.verifies and g.name == "set"}
    return bool(pending and not story.last.does and waits & set(story.last.sets))


def fires_again(mechanism: Mechanism, story: Story) -> bool:
    answered = {by.removeprefix("clock.") for by in story.last.by if by.startswith("clock.")}
    return bool(answered & story.now.running) and story.before.state == story.now.state


def restarts(mechanism: Mechanism, story: Story) -> bool:
    return bool(set(story.last.restarts) & story.before.running)


def entered_twice(state: str) -> Witness:
    def shows(mechanism: Mechanism, story: Story) -> bool:
        befores = ("", *(core.state for core in story.cores))
        entered = [
            now.state == state and (was != state or act.to == state)
            for was, now, act in zip(befores, story.cores, story.acts, strict=False)
        ]
        return entered[-1] and sum(entered) == 2

    return shows


def goes_round_unbounded(mechanism: Mechanism, story: Story) -> bool:
    """The last act brings the case back to a state that it had left, and nothing on the round was bounded."""
    for at, core in enumerate(story.cores[:-1]):
        round_trip = story.acts[at + 1 :]
        left = any(later.state != core.state for later in story.cores[at + 1 : -1])
        if core.state == story.now.state and left and all(act.at_most is None for act in round_trip):
            return True
    return False


def raiser_untold(mechanism: Mechanism, story: Story) -> bool:
    end = mechanism.ends.get(story.now.state)
    return end is not None and "raiser" not in (*end.tells, *story.last.tells)


def unset_when(act: str, field: str) -> Witness:
    return lambda mechanism, story: story.last.name == act and field not in story.before.fields


def unset_in(state: str, field: str) -> Witness:
    return lambda mechanism, story: story.now.state == state and field not in story.now.fields


def stale_when(act: str, field: str) -> Witness:
    """The act reads a value from before the case came back to the state where it was set."""

    def shows(mechanism: Mechanism, story: Story) -> bool:
        if story.last.name != act or field not in story.before.fields:
            return False
        given = max(at for at, one in enumerate(story.acts) if field in one.sets)
        home = story.cores[given - 1].state
        since = [core.state for core in story.cores[given:-1]]
        return any(was != home and now == home for was, now in itertools.pairwise(since))

    return shows


def child_open(mechanism: Mechanism, story: Story) -> bool:
    return bool(story.now.open_kids)


def unanswered_child(mechanism: Mechanism, story: Story) -> bool:
    answered = {by for act in acts_in(mechanism, story.now) if possible(mechanism, story.now, act) for by in act.by}
    kinds = [kind for kind in story.now.open_kids if not any(by.startswith(f"child.{kind}.") for by in answered)]
    return bool(kinds) and story.now.state in mechanism.states


def recalls_open(mechanism: Mechanism, story: Story) -> bool:
    return bool(set(story.last.recalls) & story.before.open_kids)


def tells(role: str) -> Witness:
    return lambda mechanism, story: story.now.state in mechanism.ends and role in mechanism.ends[story.now.state].tells


def numbered(mechanism: Mechanism, story: Story) -> bool:
    """The case has its number: at its opening, where no act is named that gives it."""
    number = mechanism.number
    return bool(number and number.gapless and (number.on is None or number.on in [act.name for act in story.acts]))


def deaf_to(signal: str, state: str, *, clock: str = "") -> Witness:
    def shows(mechanism: Mechanism, story: Story) -> bool:
        if story.now.state != state or (clock and clock not in story.now.running):
            return False
        answers = [act for act in acts_in(mechanism, story.now) if signal in act.by and without_facts(story.now, act)]
        return not answers and signal not in mechanism.states[state].ignores

    return shows


SHOWS: dict[str, Witness] = {
    "01-child-not-open": not_waited_for,
    "01-clock-not-running": not_waited_for,
    "01-clock-of-another": held_by_another,
    "01-clock-only-measured": not_waited_for,
    "02-bound-spent": lost(lambda core, act: True),
    "02-trap": lost(lambda core, act: True),
    "02-waits-for-the-world": lost(without_facts),
    "03-ladder-falls-silent": climbs("plain"),
    "03-ladder-stops-below": climbs("plain"),
    "04-alone-through-a-child": at_verified_end,
    "04-one-person-alone": at_verified_end,
    "04-own-consent": consents_to_own_work,
    "04-work-unverified": unverified_there,
    "05-clock-act-for-ever": fires_again,
    "05-once-number-again": entered_twice("doing"),
    "05-once-number-restarted": restarts,
    "05-sent-back-for-ever": goes_round_unbounded,
    "06-raiser-untold": raiser_untold,
    "06-raiser-untold-on-one-way": raiser_untold,
    "07-field-stale": stale_when("pass", "clearance"),
    "07-field-unset": unset_when("pass", "evidence"),
    "07-owner-unset": unset_in("checking", "reviewer"),
    "07-time-by-a-field-missing": in_state("checking"),
    "07-time-by-a-field-unset": unset_in("checking", "grade"),
    "08-act-never-possible": in_state("doing"),
    "08-state-unreachable": in_state("limbo"),
    "09-pause-without-ladder": child_open,
    "09-pause-without-maximum": child_open,
    "10-child-unanswered": unanswered_child,
    "10-recall-unheard": recalls_open,
    "11-climbs-to-a-stranger": climbs("plain"),
    "11-gapless-number": numbered,
    "11-tells-a-stranger": tells("enterprise"),
    "12-clock-unheard": deaf_to("clock.due", "checking", clock="due"),
    "12-event-only-if": deaf_to("event.alarm.again", "checking"),
    "12-event-sent-unheard": deaf_to("event.alarm.again", "doing"),
    "12-event-unheard": deaf_to("event.alarm.again", "doing"),
}
"""What the path of each broken file shows. Two files have no story of one mechanism: see the tests below."""


def alone(core: Core, act: Act) -> bool:
    """What the one person who does everything may do: not verify that person's own work."""
    return act.signatures == 1 and not core.mine & set(act.verifies)


@pytest.mark.parametrize("case", sorted(SHOWS))
def test_the_pinned_path_is_a_shortest_witness(case: str, names: Names) -> None:
    data = yaml.safe_load((BROKEN / f"{case}.yaml").read_text("utf-8"))
    mechanism = read(data, names)[data["expect"].get("mechanism", "matter")]
    path, shows = tuple(data["expect"]["path"]), SHOWS[case]
    if not path:
        assert data["expect"]["no_way"]
        assert data["expect"]["state"] not in {core.state for core in everywhere(mechanism)}
        return
    one_person = case in ("04-alone-through-a-child", "04-one-person-alone")
    told = stories(mechanism, len(path), may=alone if one_person else lambda core, act: True, played=one_person)
    witnesses = [story.path for story in told if shows(mechanism, story)]
    assert path in witnesses
    assert min(map(len, witnesses)) == len(path), f"shorter: {min(witnesses, key=len)}"


def test_the_act_called_impossible_is_possible_nowhere(names: Names) -> None:
    data = yaml.safe_load((BROKEN / "08-act-never-possible.yaml").read_text("utf-8"))
    mechanism = read(data, names)["matter"]
    hurry = mechanism.states["doing"].offers["hurry"]
    assert not any(core.state == "doing" and possible(mechanism, core, hurry) for core in everywhere(mechanism))


def test_the_circle_of_openings_is_a_shortest_one(names: Names) -> None:
    """Each half: the shortest story without a person, from an opening by the other, that opens the other."""
    data = yaml.safe_load((BROKEN / "10-openings-go-round.yaml").read_text("utf-8"))
    mechanisms = read(data, names)
    pinned = {}
    for line in data["expect"]["path"]:
        name, _, rest = line.partition(": ")
        way, _, kind = rest.partition(" opens ")
        pinned[name, kind] = tuple(way.split(" → "))
    for (name, kind), way in pinned.items():
        mechanism = mechanisms[name]

        def unasked(core: Core, act: Act) -> bool:
            return all(by.startswith(("clock.", "event.", "child.", "parent.")) for by in act.by)

        def opens(story: Story, mechanism: Mechanism = mechanism, kind: str = kind) -> bool:
            end = mechanism.ends.get(story.now.state)
            return kind in story.last.opens or (end is not None and kind in end.opens)

        told = stories(mechanism, len(way), may=unasked, start=lambda act: unasked(Core(""), act))
        assert next(story.path for story in told if opens(story)) == way
    assert {name for name, _ in pinned} == {kind for _, kind in pinned}


def test_every_broken_file_is_held_against_all_stories() -> None:
    assert {*SHOWS, "08-field-never-set", "10-openings-go-round"} == set(CASES)
