"""Every edge of the proof is done for real: through ``decide``, on a case that acts have brought there.

Before each act of a person, the same person tries it in a post whose work it is not, and is refused.

A case is led to each configuration along the proof's own shortest way; each edge out of it is then decided, and the
core of the case after it must be the configuration that the proof said. Where the proof keeps only "below" or "spent"
of a bound, the case's count is set to what the edge claims.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fengsui.law import numbers
from fengsui.ledger.kernel.decide import decide, unopened
from fengsui.ledger.kernel.shapes import Act, Actor, Call, Case, Decision, Facts, Kid, Mechanism, Refusals
from fengsui.ledger.kernel.step import Core, core_of, spent
from fengsui.ledger.proof import Checker, Law
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.space import Move
from tests.unit.ledger.walking import MECHANISMS, NAMES, NOW, actor_by, facts, person_of, values_for

CHECKER = Checker(MECHANISMS, NAMES, Law())
LIVES: dict[str, Life] = {}
for _name in CHECKER.order():
    _life = CHECKER.explore(_name)
    assert _life is not None
    LIVES[_name] = _life


@dataclass
class Stage:
    """One mechanism's cases, with fresh persons for every act."""

    life: Life
    people: int = 0
    decided: int = 0
    wrong_posts: int = 0

    @property
    def mechanism(self) -> Mechanism:
        return self.life.mechanism

    def act(self, case: Case, move: Move, target: Core | None) -> Decision | Refusals:
        """Do the move, every signature of it, with the values it needs."""
        act = move.act
        case = self.fitted(case, act)
        by = next(by for by in act.by if self.fits(by, move, case))
        result: Decision | Refusals = Refusals(())
        for which in range(act.signatures):
            found = actor_by(self.mechanism, by, case, which)
            assert found is not None, (act.name, by)
            actor = self.somebody(found[0], by, case)
            values = self.values(case, act, target) if which == 0 else {}
            seen = replace(facts(holds=frozenset(act.by)), new_ids=(f"kid{self.decided}",), given=self.parents(case, values))
            now = self.late(case, actor)
            if actor.kind == "person":
                self.refused_in_a_wrong_post(case, Call(act.name, actor, values, case.seq), seen, now)
            result = decide(self.mechanism, case, Call(act.name, actor, values, case.seq), seen, now)
            self.decided += 1
            if not isinstance(result, Decision):
                return result
            case = result.case
        return result

    def refused_in_a_wrong_post(self, case: Case, call: Call, seen: Facts, now: datetime) -> None:
        """The same person of the same office, in a post whose work it is not."""
        result = decide(self.mechanism, case, call, replace(seen, holds=frozenset(), fills=frozenset()), now)
        assert isinstance(result, Refusals), (self.mechanism.name, call.act)
        assert result.reasons[0].code == "not_yours", (self.mechanism.name, call.act, result)
        self.wrong_posts += 1

    def fits(self, by: str, move: Move, case: Case) -> bool:
        head, _, rest = by.partition(".")
        if head == "child":
            return rest in move.child_ends and any(k.kind == rest.split(".")[0] and k.state == "open" for k in case.kids)
        if head == "clock":
            return case.seq == 0 or any(row.name == rest and row.stopped is None for row in case.clocks)
        if head == "holder":
            return any(row.name == rest and row.stopped is None for row in case.clocks)
        return True

    def somebody(self, actor: Actor, by: str, case: Case) -> Actor:
        """The actor as a person who has done nothing here yet, unless a field names one."""
        if actor.kind == "child":
            return replace(actor, persons=frozenset())
        if actor.kind != "person" or (by.startswith("field.") and self.mechanism.fields[by[6:]].kind == "person"):
            return actor
        self.people += 1
        return replace(actor, person=1_000_000 + self.people)

    def late(self, case: Case, actor: Actor) -> Any:
        if actor.kind != "clock":
            return NOW
        return max((row.due for row in case.clocks), default=NOW) + timedelta(days=400)

    def parents(self, case: Case, values: dict[str, Any]) -> dict[str, Any]:
        line = {values.get("answering"): {"below": 1, "kind": "bureau", "duty": True}}
        return {"office.line": line, "law.accident.grades": numbers.find("accident.grades", NOW.date()).table}

    def fitted(self, case: Case, act: Act) -> Case:
        """The same case with values under which the act's guards about values can hold."""
        fields = dict(case.fields)
        needs = {guard.name for guard in act.needs}
        if "colour_higher" in needs:
            fields["colour"] = "blue"
        if "colour_lower" in needs:
            fields["colour"] = "red"
        if "larger_or_above" in needs:
            fields["grade"] = "major"
        return replace(case, fields=fields)

    def values(self, case: Case, act: Act, target: Core | None) -> dict[str, Any]:
        values = values_for(self.mechanism, act, case, NOW)
        needs = {guard.name for guard in act.needs}
        if "colour_lower" in needs:
            values["colour"] = "blue"
        if "colour_higher" in needs:
            values["colour"] = "orange"
        if "grade_changed" in needs:
            values["deaths"] = (case.fields.get("deaths") or 0) + 1
        if "grade_by_law" in needs:
            values |= {"grade": "major", "deaths": 10 + values.get("deaths", 0), "injuries": 0, "loss": 0}
        if "grade_ordinary" in needs:
            values |= {"grade": "ordinary", "deaths": 0}
        if target is not None:
            for name in act.may_set:
                if name in target.fields and name not in case.fields:
                    values[name] = values_for(self.mechanism, replace(act, sets=(name,)), case, NOW)[name]
        return values

    def counted(self, case: Case, move: Move, before: Core, target: Core) -> Case:
        """The case with the act's count just below its bound where the edge uses it up, else well below."""
        act = move.act
        if act.at_most is None or move.spent_way:
            return case
        uses_up = any(name == act.name for name, _ in target.counts)
        tracked = any(kind == "count" and name == act.name for kind, name in self.life.space.tracked)
        if not tracked:
            return replace(case, counts={**case.counts, act.name: 0})
        times = act.at_most - 1 if uses_up else 0
        return replace(case, counts={**case.counts, act.name: times})

    def kids(self, case: Case, move: Move, target: Core) -> Case:
        """One more open child where the edge says that another goes on, else only one."""
        for end in move.child_ends:
            kind = end.partition(".")[0]
            if kind in target.open_kids:
                return replace(case, kids=(*case.kids, Kid(kind, f"second-{self.decided}", "open")))
            others = [kid for kid in case.kids if kid.kind == kind and kid.state == "open"][1:]
            return replace(case, kids=tuple(replace(kid, state="ended") if kid in others else kid for kid in case.kids))
        return case


def raised(stage: Stage, move: Move) -> Case:
    parent = next((by.split(".")[1] for by in move.act.by if by.startswith("parent.")), None)
    result = stage.act(unopened(stage.mechanism, "case", parent_mechanism=parent), move, None)
    assert isinstance(result, Decision), (stage.mechanism.name, move.name, result)
    return result.case


def replay(life: Life) -> tuple[int, int]:
    """(edges, decisions) of one mechanism; fails on the first edge that the kernel sees differently."""
    stage = Stage(life)
    graph = life.graph
    project = life.space.projected
    cases: dict[int, Case] = {}
    edges = 0
    for move, core in life.space.openings():
        case = raised(stage, move)
        assert project(core_of(life.mechanism, case)) == core
        cases.setdefault(graph.index[core], case)
        edges += 1
    for at in range(len(graph.nodes)):
        case = cases[at]
        for move, target in graph.out[at]:
            wanted = graph.nodes[target]
            ready = stage.kids(stage.counted(case, move, graph.nodes[at], wanted), move, wanted)
            if move.spent_way:
                assert spent(move.act, core_of(life.mechanism, ready))
            result = stage.act(ready, move, wanted)
            way = [*(one.name for one in graph.way(at)), move.name]
            assert isinstance(result, Decision), (life.mechanism.name, way, result)
            assert project(core_of(life.mechanism, result.case)) == wanted, (life.mechanism.name, way)
            assert result.ended == (wanted.state in life.mechanism.ends)
            cases.setdefault(target, result.case)
            edges += 1
    return edges, stage.decided


@pytest.mark.parametrize("name", sorted(LIVES))
def test_every_edge_is_decided_as_proven(name: str) -> None:
    life = LIVES[name]
    edges, _ = replay(life)
    assert edges == life.graph.edges + len(life.mechanism.opening)


def test_all_edges_in_seconds() -> None:
    begun = time.process_time()
    edges = sum(replay(life)[0] for life in LIVES.values())
    seconds = time.process_time() - begun
    print(f"{edges} edges replayed in {seconds:.2f} s")
    assert edges > 900
    assert seconds < 20


def test_one_person_is_refused_where_the_proof_says_so() -> None:
    """The doer, in another post or behind a deputy, may not verify; another person may."""
    life = LIVES["task"]
    stage = Stage(life)
    by_name = {move.name: move for out in life.graph.out for move, _ in out}
    case = raised(stage, life.space.openings()[0][0])
    for name in ("sign", "submit"):
        result = stage.act(case, by_name[name], None)
        assert isinstance(result, Decision)
        case = result.case
    doer = next(iter(case.persons["submit"]))
    everything = facts(holds=frozenset(by_name["pass"].act.by))
    for actor in (
        Actor("person", person=doer, office=3),
        Actor("person", person=5, principal=doer, office=3),
        Actor("person", person=doer, principal=5, office=3),
    ):
        result = decide(life.mechanism, case, Call("pass", actor, {}, case.seq), everything, NOW)
        assert isinstance(result, Refusals) and [one.code for one in result.reasons] == ["same_person"]
    other = Actor("person", person=person_of(77), office=3)
    assert isinstance(decide(life.mechanism, case, Call("pass", other, {}, case.seq), everything, NOW), Decision)
