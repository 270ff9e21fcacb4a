"""What lies inside a proof: every core that step reaches, and not the ones that it cannot."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui.ledger.kernel.step import blocks, choices, opened, step
from fengsui.ledger.proof import reachable
from fengsui.ledger.proof.shipped_proof import load_all, shipped_names

MECHANISMS = load_all(shipped_names())


@given(st.sampled_from(sorted(MECHANISMS)), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_every_walk_of_step_stays_inside_the_proof(name, rng) -> None:
    mechanism = MECHANISMS[name]
    core = opened(mechanism, rng.choice(list(mechanism.opening.values())))
    path: list[str] = []
    for _ in range(25):
        assert reachable.contains(mechanism, core), path
        state = mechanism.states.get(core.state)
        if state is None:
            return
        open_to = [act for act in state.actions if not blocks(mechanism, core, act) and all(_may(by, core) for by in act.by)]
        if not open_to:
            return
        act = rng.choice(open_to)
        core = step(mechanism, core, act, rng.choice(list(choices(mechanism, core, act))))
        path.append(act.name)


def _may(by: str, core) -> bool:
    head, _, rest = by.partition(".")
    if head == "clock":
        return rest in core.running
    if head == "child":
        return rest.split(".")[0] in core.open_kids
    return True


def test_what_no_life_leads_to_lies_outside() -> None:
    hazard = MECHANISMS["hazard"]
    core = opened(hazard, hazard.opening["found_here"])
    assert reachable.contains(hazard, core)
    assert not reachable.contains(hazard, replace(core, state="rectifying"))  # its clock does not run
    for act in ("list", "settle", "approve", "submit"):
        core = step(hazard, core, hazard.states[core.state].offers[act])
        assert reachable.contains(hazard, core)
    assert not reachable.contains(hazard, replace(core, unverified=frozenset()))
    assert not reachable.contains(hazard, replace(core, fields=core.fields - {"deadline"}))
    assert not reachable.contains(hazard, replace(core, open_kids=frozenset({"extension"})))
