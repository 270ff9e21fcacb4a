"""Cases led through the real doors along the edges of the proof: by people in posts, signals, time, children and parents.

``World`` is the small region with enough people for every role; ``Leader`` leads its cases. After each act it looks at
what the doors left: the configuration that the proof says, the entry, the clock of the state, parties and notices.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from fengsui.law.amounts import LEGAL_ZONE
from fengsui.ledger import doors, mechanisms, reading
from fengsui.ledger.clockwork import Clockwork, Ticked
from fengsui.ledger.doors import About, Receipt, Refused, facts
from fengsui.ledger.doors.applying import office_of
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.kernel.decide import opening_for
from fengsui.ledger.kernel.shapes import Act, Actor, Call, End, Mechanism, State
from fengsui.ledger.kernel.step import blocks, core_of
from fengsui.ledger.kernel.times import due_at, length_of
from fengsui.ledger.models import Case, Clock, Entry, Notice, Party
from fengsui.ledger.proof.graph import Explored
from fengsui.ledger.proof.life import Life
from fengsui.ledger.proof.space import Look, Move
from fengsui.region.models import Site
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.edges_and_people import LIVES, PER_OFFICE, PHOTO, Edge, World, ends_of
from tests.integration.ledger.test_doors import first_criterion
from tests.small_region import SITE_AT, Somebody

STEPS = 60
"""Acts after which a case led to an edge counts as lost."""
PLAIN: dict[str, Any] = {
    "text": "如实记录", "money": 120_000, "number": 2, "files": [PHOTO], "list": ["一"], "point": list(SITE_AT),
    "case": "storm-1", "year": 2026, "week": "2026-W48",
}  # fmt: skip
COLOURS = ("blue", "yellow", "orange", "red")


# ---------------------------------------------------------------------- leading


@dataclass
class Leader:
    """Leads one case and whatever belongs to it. ``now`` goes on with every act."""

    world: World
    place: bool = False  # the case is about a place: its site is not known yet
    now: datetime = NOW
    blocked: set[Edge] = field(default_factory=set)  # mechanism, state, act that could not be done here
    trail: list[Edge] = field(default_factory=list)  # what was done on the way, in that form
    refusals: dict[Edge, str] = field(default_factory=dict)

    # ---------------------------------------------------------------- openings

    def open(self, name: str, act: Act, by: str) -> str | None:
        """A new case by that opening act, done by ``by``; None where it could not be opened so."""
        if by.startswith("parent."):
            return self._by_parent(name, by.removeprefix("parent."))
        if by.startswith("clock."):
            return self._by_rung(name)
        about = self._about(LIVES[name].mechanism)
        for actor in self._openers(by):
            values = self.values(LIVES[name].mechanism, act, None)
            try:
                receipt = doors.open(name, act.name, values, actor, about, key="", now=self.now)
            except Refused as refused:
                self.refusals[(name, "", act.name)] = str(refused)
                continue
            self._opened(receipt.case, by)
            return receipt.case
        return None

    def _opened(self, case: str, by: str) -> None:
        held = _held(case)
        entry = Entry.objects.get(case_id=case, seq=1)
        core = core_of(held.mechanism, held.case)
        life = LIVES[held.case.mechanism]
        expected = [target for move, target in life.space.openings() if move.name == entry.act]
        if held.case.seq == 1:
            assert life.space.projected(core) in expected, (held.case.mechanism, entry.act)
        self.world.opened.add((held.case.mechanism, entry.act, by))
        self._look(held, entry, by)

    def _about(self, mechanism: Mechanism) -> About:
        small = self.world.small
        if mechanism.about == "site" and not self.place:
            return About("site", str(self._site().pk), duty="hazchem", title="安全阀根部阀关闭")
        if mechanism.about == "office":
            self.world.sites += 1  # another office each time, for the same reason as another site
            offices = (small.county, small.league, small.other)
            return About("office", str(offices[self.world.sites % 3].pk), "150207", title="岗位")
        kind = "place" if mechanism.about == "site" else mechanism.about.removesuffix("_or_none")
        return About(kind, "150207", "150207", duty="hazchem" if self.place else "", title="来文")

    def _site(self) -> Site:
        """A site of the plant's own for each case, so that none is the double of another."""
        self.world.sites += 1
        return Site.objects.create(
            code=f"HC-{self.world.sites + 1}", name_zh="示例化工", name_en="Example Chemical", place=self.world.small.place,
            office=self.world.small.plant, industry="hazchem", duties=["hazchem"], lon=SITE_AT[0], lat=SITE_AT[1],
        )  # fmt: skip

    def _openers(self, by: str) -> Iterator[Actor]:
        if by == "public":
            yield Actor("public", name="public")
        elif by.startswith("event."):
            yield Actor("event", name=by.removeprefix("event."))
        else:
            for name in ("plant",) if by == "enterprise" else ("county", "league", "top"):
                yield self.world.small.one(name, self.world.sites % PER_OFFICE).actor

    def _by_parent(self, name: str, parent: str) -> str | None:
        """Lead a parent until it opens one."""
        if parent not in LIVES:
            return None
        ways = [(act, by) for act in LIVES[parent].mechanism.opening.values() for by in act.by]
        ways.sort(key=lambda way: not self._fulfils(parent, name, way[0]))
        direct = [way for way in ways if not way[1].startswith("parent.")]
        for act, by in direct or ways:
            above = Leader(self.world, now=self.now).open(parent, act, by)
            if above is None:
                continue
            leader = Leader(self.world, now=self.now)
            done = leader.lead(
                above,
                lambda move, _before, after: name in opened_by(LIVES[parent].mechanism, move.act, after),
                next(
                    (act for act in LIVES[parent].space.acts() if name in act.opens and act.name not in LIVES[parent].space.loud),
                    None,
                ),
            )
            self.now = leader.now
            child = Case.objects.filter(mechanism=name, parent_id=above).order_by("-opened_at").first()
            if done and child is not None:
                self._opened(str(child.pk), f"parent.{parent}")
                return str(child.pk)
        return None

    def _fulfils(self, parent: str, name: str, act: Act) -> bool:
        """Whether a case opened so meets the conditions under which the parent opens such a child."""
        needs = {guard.about for guard in LIVES[parent].mechanism.children[name].when}
        return needs <= {*act.sets, *act.assigns}

    def _by_rung(self, name: str) -> str | None:
        """Let a hazard become overdue until its ladder opens one."""
        act = LIVES["hazard"].mechanism.opening["found_here"]
        above = self.open("hazard", act, act.by[0])
        assert above is not None
        for days in (8, 16, 40):
            self.attend(above, self.now + timedelta(days=days))
        child = Case.objects.filter(mechanism=name, parent_id=above).first()
        if child is None:
            return None
        self._opened(str(child.pk), "clock.any")
        return str(child.pk)

    def adopt(self, name: str, state: State) -> str:
        """A case from the old world in that state, with every field filled in; its clock and owner are looked at."""
        mechanism = LIVES[name].mechanism
        filled = Act("", (), sets=tuple(mechanism.fields))
        about = self._about(mechanism)
        fields = {field: value for field, value in self.values(mechanism, filled, None).items() if field != "ordered_by"}
        [receipt] = doors.adopt([doors.Adoption(name, state.name, about, fields=fields)], self.now)
        held = _held(receipt.case)
        running = {clock.name: clock for clock in Clock.objects.filter(case=receipt.case, current=True, stopped__isnull=True)}
        self._clock_of_state(held, running, (name, state.name))
        assert held.row["owner_id"] is not None, (name, state.name)
        return receipt.case

    def go_on(self, case: str) -> str | None:
        """Do whatever can be done first; the act's name, or None where nobody can do anything."""
        before = _held(case)
        for act in before.mechanism.states[before.case.state].actions:
            for by in act.by:
                if self._by(before, act, by) and _held(case).case.seq > before.case.seq:
                    return act.name
        return None

    # ------------------------------------------------------------------- ways

    def lead(self, case: str, goal: Callable[[Move, str, str], bool], focus: Act | None = None) -> bool:
        """Act along the shortest ways until an act that meets ``goal(move, state before, state after)`` was done."""
        for _ in range(STEPS):
            held = _held(case)
            if held.case.ended:
                return False
            way = self._way(held, goal, focus)
            if way is None:
                return False
            before = held.case.state
            after = self.do(case, way[0].act, way[0])
            if after is None:
                self.blocked.add((held.case.mechanism, before, way[0].name))
            elif goal(way[0], before, after.case.state):
                return True
            else:
                self.trail.append((held.case.mechanism, before, way[0].name))
        return False

    def _way(self, held: Held, goal: Callable[[Move, str, str], bool], focus: Act | None = None) -> list[Move] | None:
        space = LIVES[held.case.mechanism].space
        graph: Explored[Any, Move] = space.focused(focus) if focus else space.graph
        look: Look = space.look(focus)
        start = graph.index[look.project(core_of(held.mechanism, held.case))]
        came: dict[int, tuple[int, Move] | None] = {start: None}
        queue = deque([start])
        while queue:
            at = queue.popleft()
            state = graph.nodes[at].state
            for move, target in graph.out[at]:
                if (held.case.mechanism, state, move.name) in self.blocked:
                    continue
                if goal(move, state, graph.nodes[target].state):
                    return [*_back(came, at), move]
                if target not in came:
                    came[target] = (at, move)
                    queue.append(target)
        return None

    def cover(self, case: str) -> None:
        """Go on to the nearest edge that nobody has done, as long as there is one."""
        for _ in range(STEPS * 4):
            held = _held(case)
            if held.case.ended:
                return
            name, state = held.case.mechanism, held.case.state
            if self._quiet(held):
                continue

            def new(move: Move, before: str, _after: str, name: str = name) -> bool:
                ends = sorted(move.child_ends) or [""]
                return any((name, before, move.name, move.spent_way, end) not in self.world.covered for end in ends)

            way = self._way(held, new)
            if way is None:
                return
            if self.do(case, way[0].act, way[0]) is None:
                self.blocked.add((name, state, way[0].name))

    def _quiet(self, held: Held) -> bool:
        """Do one act of the state that is no edge and was not done yet."""
        name, state = held.case.mechanism, held.case.state
        core = core_of(held.mechanism, held.case)
        for act in LIVES[name].space.quiet(state):
            if any(blocks(held.mechanism, core, act)):
                continue
            for end in ends_of(act) or [""]:
                if (name, state, act.name, False, end) in self.world.covered or (name, state, act.name + end) in self.blocked:
                    continue
                move = Move(act, frozenset(), frozenset({end} if end else ()))
                if self.do(held.case.id, act, move) is not None:
                    return True
                self.blocked.add((name, state, act.name + end))
        return False

    # ------------------------------------------------------------------- acts

    def do(self, case: str, act: Act, move: Move) -> Held | None:
        """Do the act by whoever has done it least; the case after it, or None where nobody could."""
        before = _held(case)
        name = before.case.mechanism
        words = [by for by in act.by if not by.startswith("child.")]
        words += [f"child.{end}" for end in sorted(move.child_ends, key=lambda end: self._seen(before, act, end))]
        for by in sorted(words, key=lambda by: self.world.acted[(name, act.name, by)] if "child." not in by else 0):
            self.now += timedelta(seconds=20)
            if self._by(before, act, by) and (entry := self._entry(before, act)) is not None:
                self.world.acted[(name, act.name, by)] += 1
                after = _held(case)
                self._covered(before, act, by)
                self._legal(before, after, move, entry)
                self._look(after, entry, by)
                return after
        return None

    def _seen(self, held: Held, act: Act, end: str) -> bool:
        return (held.case.mechanism, held.case.state, act.name, False, end) in self.world.covered

    def _entry(self, before: Held, act: Act) -> Entry | None:
        found = Entry.objects.filter(
            case_id=before.case.id, seq__gt=before.case.seq, act=act.name, state_before=before.case.state
        )
        return found.order_by("-seq").first()

    def _covered(self, before: Held, act: Act, by: str) -> None:
        case = before.case
        over = act.at_most is not None and act.then is not None and case.counts.get(act.name, 0) >= act.at_most
        end = by.removeprefix("child.") if by.startswith("child.") else ""
        self.world.covered.add((case.mechanism, case.state, act.name, over, end))

    def _by(self, held: Held, act: Act, by: str) -> bool:
        head, _, rest = by.partition(".")
        if head == "event":
            return self._act(held, act, Actor("event", name=rest), self.values(held.mechanism, act, held)) is not None
        if head == "clock":
            row = next((row for row in held.case.clocks if row.name == rest and row.stopped is None), None)
            if row is None:
                return False
            self.attend(held.case.id, max(self.now, row.due + timedelta(seconds=1)))
            return True
        if head == "child":
            return self._child_ends(held, *rest.split("."))
        if by == "parent.recall":
            recalls = held.case.mechanism
            return held.case.parent is not None and self.lead(held.case.parent, lambda move, *_: recalls in move.act.recalls)
        return self._by_people(held, act, by)

    def _child_ends(self, held: Held, kind: str, end: str) -> bool:
        kid = next((kid for kid in held.case.kids if kid.kind == kind and kid.state == "open"), None)
        return kid is not None and self.lead(kid.id, lambda _move, _before, after: after == end)

    def attend(self, case: str, now: datetime) -> None:
        """Let the clock look at the case at ``now``, until nothing is due."""
        self.now = now
        told = Ticked()
        for _ in range(9):
            if not Clockwork()._attend([case], now, told):
                break
        assert not told.failed

    def _by_people(self, held: Held, act: Act, by: str) -> bool:
        """As many persons as must sign, of those who fill the word, who did least in this case first."""
        before, signed = held, 0
        values = self.values(held.mechanism, act, held)
        for one in self._people(held, by):
            offered = self._page_offers(before, act, one)
            if self._act(before, act, one.actor, values) is None:
                continue
            assert act.name in offered, (
                held.case.mechanism,
                held.case.state,
                act.name,
                "the page does not offer what the door does",
            )
            signed += 1
            if signed == act.signatures:
                return True
            before = _held(held.case.id)
        return False

    def _page_offers(self, held: Held, act: Act, one: Somebody) -> set[str]:
        """What the case's page offers this person; asked once for each act of a state."""
        key = (held.case.mechanism, held.case.state, act.name)
        if key in self.world.offered:
            return {act.name}
        found = {line.act.name for line in reading.may(Case.objects.get(pk=held.case.id), one.acting, self.now)[0]}
        self.world.offered |= {key} if act.name in found else set()
        return found

    def _people(self, held: Held, by: str) -> list[Somebody]:
        head, _, rest = by.partition(".")
        if head == "holder":
            offices = [row.holder for row in held.case.clocks if row.name == rest and row.stopped is None]
        elif head == "field" and held.mechanism.fields[rest].kind == "person":
            return [one for some in self.world.people.values() for one in some if one.person.pk == held.case.fields.get(rest)]
        else:
            roles = facts.gather(held, (), Actor("system"), {}, self.now).facts.roles
            offices = [office_of(by, held.mechanism, held.case, roles, self.now)]
        did = Counter(person for who in held.case.persons.values() for person in who)
        for row in Entry.objects.filter(case_id=held.case.id, person_id__isnull=False).values_list("person_id", flat=True):
            did[row] += 1
        found = [one for office in dict.fromkeys(offices) if office is not None for one in self.world.people.get(office, [])]
        return sorted(found, key=lambda one: did[one.person.pk])

    def _act(self, held: Held, act: Act, actor: Actor, values: dict[str, Any]) -> Receipt | None:
        """Through ``act`` and ``act_many`` by turns, on the version that was read."""
        call = Call(act.name, actor, values, held.case.seq)
        many = sum(self.world.acted.values()) % 2
        try:
            if not many:
                return doors.act(held.case.id, call, now=self.now)
            [answer] = doors.act_many([(held.case.id, call)], self.now)
            if isinstance(answer, Refused):
                raise answer
            return answer
        except Refused as refused:
            self.refusals[(held.case.mechanism, held.case.state, act.name)] = str(refused)
            assert _held(held.case.id).case == held.case, "a refused act changed the case"
            return None

    # ------------------------------------------------------------------ values

    def values(self, mechanism: Mechanism, act: Act, held: Held | None) -> dict[str, Any]:
        """What the act must be given, and its children's opening acts."""
        fields = held.case.fields if held else {}
        names = [*act.sets, *(name for name in act.may_set if name in ("position", "supporting", "deaths"))]
        given = {name: self._value(mechanism, name, act, fields) for name in names}
        for kind in act.opens:
            child = LIVES[kind].mechanism
            opening = opening_for(child, f"parent.{mechanism.name}")
            own = {} if opening is None else {
                name: self._value(child, name, opening, {}) for name in opening.sets if name not in mechanism.children[kind].gives
            }  # fmt: skip
            if "until" in own and held:  # more time than there is
                own["until"] = self._a_day_more(held)
            if own:
                given[kind] = own
        return given

    @staticmethod
    def _a_day_more(held: Held) -> str:
        moved = {clock for act in facts.every_act(held.mechanism) for clock in act.extends}
        due = min(row.due for row in held.case.clocks if row.name in moved and row.stopped is None)
        return due.astimezone(LEGAL_ZONE).date().isoformat()  # due at 24:00: that instant's date is the day after

    def _value(self, mechanism: Mechanism, name: str, act: Act, fields: Any) -> Any:
        small, kind = self.world.small, mechanism.fields[name].kind
        special: dict[str, Callable[[], Any]] = {
            "answering": lambda: (
                self._below(fields.get("answering")) if act.name in ("assign_down", "pass_down") else small.county.pk
            ),
            "criterion": first_criterion,
            "colour": lambda: self._colour(act.name, fields.get("colour")),
            "grade": lambda: {"grade_larger": "larger", "regrade_up": "major"}.get(act.name, "ordinary"),
            "deaths": lambda: {"grade_ordinary": 0, "grade_larger": 3}.get(act.name, max(10, (fields.get("deaths") or 0) + 1)),
            "responsibility": lambda: small.one("plant", 3).person.pk,
        }
        if name in special:
            return special[name]()
        if mechanism.name == "amendment" and name in ("number", "content"):
            return {"number": "hazard.sign", "content": "12h"}[name]
        today = self.now.astimezone(LEGAL_ZONE).date()
        if kind == "date":
            return (today if mechanism.fields[name].before == "now" else today + timedelta(days=4)).isoformat()
        if kind == "time":
            return (self.now - timedelta(hours=1)).isoformat()
        by_kind: dict[str, Callable[[], Any]] = {
            "office": lambda: small.county.pk,
            "person": lambda: small.one("top", 6).person.pk,
            "people": lambda: [small.one("top", 1).person.pk, small.one("top", 2).person.pk],
            "offices": lambda: [small.other.pk],
            "site": lambda: self._site().pk,
            "choice": lambda: (mechanism.fields[name].of or [""])[0],
        }
        return by_kind[kind]() if kind in by_kind else PLAIN[kind]

    def _below(self, office: int | None) -> int:
        small = self.world.small
        return small.league.pk if office == small.top.pk else small.county.pk

    def _colour(self, act: str, present: str | None) -> str:
        at = COLOURS.index(present) if present else 1
        return COLOURS[max(0, min(3, at + {"upgrade": 1, "downgrade": -1}.get(act, 0)))]

    # ------------------------------------------------------------------ checks

    def _legal(self, before: Held, after: Held, move: Move, entry: Entry) -> None:
        """The case stands where the proof's edge leads."""
        assert (after.case.seq, after.case.state) == (Case.objects.get(pk=after.case.id).seq, after.case.state)
        if entry.seq != after.case.seq or after.case.seq - before.case.seq > move.act.signatures:
            return  # time or a child did more in the same transaction
        life: Life = LIVES[before.case.mechanism]
        graph, project = life.graph, life.space.projected
        start, end = project(core_of(before.mechanism, before.case)), project(core_of(after.mechanism, after.case))
        if move.name in life.space.loud:
            targets = [graph.nodes[to] for one, to in graph.out[graph.index[start]] if one.name == move.name]
        else:
            targets = [start]
        assert end in targets, (before.case.mechanism, before.case.state, move.name, end, targets)

    def _look(self, held: Held, entry: Entry, by: str) -> None:
        """Entry, clocks, owner, parties and notices after it."""
        case, row = held.case, Case.objects.get(pk=held.case.id)
        told = (case.mechanism, entry.state_before, entry.act, case.state, by)
        assert entry.content()["after"] == entry.state_after, told
        if entry.seq != case.seq or told in self.world.looked:
            return
        self.world.looked.add(told)
        assert (row.state, row.ended) == (entry.state_after, case.state in held.mechanism.ends), told
        running = {clock.name: clock for clock in Clock.objects.filter(case=row, current=True, stopped__isnull=True)}
        if row.ended:
            assert (row.owner_id, running) == (None, {}), told
        else:
            self._clock_of_state(held, running, told)
            assert row.owner_id is not None, told
        self._told(held, entry, told)

    def _clock_of_state(self, held: Held, running: dict[str, Clock], told: Any) -> None:
        state = held.mechanism.states[held.case.state]
        if state.within.kind == "amount":
            clock = running[f"within:{state.name}"]
            lengths, _ = facts.law_of(held.mechanism, clock.start)
            known = facts.gather(held, (), Actor("system"), {}, clock.start).facts
            assert clock.due == due_at(
                clock.start, length_of(state.within.name, held.case.fields, replace(known, law=lengths))
            ), told
        elif state.within.kind == "clock":
            assert any(name == state.within.name for name in running), (told, sorted(running))
        else:
            assert any(kid.kind == state.within.name and kid.state == "open" for kid in held.case.kids), told
        for owes in state.owes:
            stopped = owes.until and held.case.counts.get(owes.until)
            assert stopped or f"owes:{owes.act}" in running, (told, sorted(running))

    def _told(self, held: Held, entry: Entry, told: Any) -> None:
        row, readers = Case.objects.get(pk=held.case.id), set(held.row["readers"] or ())
        parties = set(Party.objects.filter(case=row).values_list("office_id", flat=True))
        for office in {entry.office_id, row.owner_id} - {None}:
            assert office in parties or office == row.opener_id or (row.confidential and office not in readers), told
        notices = set(Notice.objects.filter(entry=entry).values_list("office_id", "person_id"))
        act = held.mechanism.opening.get(entry.act) if entry.seq == 1 else self._act_named(held.mechanism, entry)
        end: End | None = held.mechanism.ends.get(entry.state_after)
        roles = facts.gather(held, (), Actor("system"), {}, self.now).facts.roles
        raised_by_public = held.case.raiser.get("kind") == "public"
        for word in (*(act.tells if act else ()), *(end.tells if end else ())):
            for whom in self._whom(word, held, roles):
                if row.confidential and whom[0] not in readers:
                    whom = (None, whom[1])
                    if whom[1] is None and not (word == "reporter" or raised_by_public):
                        continue
                assert whom in notices or word == "owner", (told, word, whom, notices)

    def _act_named(self, mechanism: Mechanism, entry: Entry) -> Act | None:
        state = mechanism.states.get(entry.state_before)
        return state.offers.get(entry.act) if state else None

    def _whom(self, word: str, held: Held, roles: Any) -> Iterator[tuple[int | None, int | None]]:
        raiser = held.case.raiser
        if word == "raiser":
            if raiser.get("office") or raiser.get("person"):
                yield raiser.get("office"), raiser.get("person")
            elif raiser.get("kind") == "public":
                yield None, None
        elif word == "reporter":
            above = Case.objects.filter(pk=held.case.parent).values_list("raiser", flat=True).first() or {}
            if "public" in (raiser.get("kind"), above.get("kind")):
                yield None, None
        elif word == "parties":
            if raiser.get("office"):
                yield raiser["office"], None
        elif word not in ("owner", "holder"):
            office = office_of(word, held.mechanism, held.case, roles, self.now)
            if office is not None:
                yield office, None


def _back(came: dict[int, tuple[int, Move] | None], at: int) -> list[Move]:
    moves: list[Move] = []
    step = came[at]
    while step is not None:
        moves.append(step[1])
        step = came[step[0]]
    return moves[::-1]


def opened_by(mechanism: Mechanism, act: Act, state: str) -> set[str]:
    """The kinds of case that the act opens, or the end that it leads to."""
    end = mechanism.ends.get(state)
    return {*act.opens, *(end.opens if end else ())}


def _held(case: str) -> Held:
    return read([case], lock=False)[case]


def current(name: str) -> Mechanism:
    """As it is stored in this database: the very one that was proven."""
    found = mechanisms.current(name)
    assert found.digest == LIVES[name].mechanism.digest
    return found
