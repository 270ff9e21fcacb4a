"""Does every name in a mechanism mean something? Each that does not becomes a fault with its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fengsui.ledger.kernel.document import Document
from fengsui.ledger.kernel.extensions import ALONG, along, limits
from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.shapes import Act, Field, Guard, LadderBy, Mechanism, Rung

TOLD = frozenset({"raiser", "holder", "owner"})
"""Who may be told besides roles."""

PARTIES = "parties"
"""Told by an act or an end: every office that raised the case, acted in it or was climbed to."""

_BUILT_IN = frozenset({"opener", "parent_owner"})


class _Check:
    def __init__(self, mechanism: Mechanism, document: Document, names: Names) -> None:
        self.m = mechanism
        self.document = document
        self.names = names
        self.acts = {**mechanism.opening, **mechanism.always}
        for state in mechanism.states.values():
            for act in state.actions:
                self.acts.setdefault(act.name, act)
        self.places = mechanism.states.keys() | mechanism.ends.keys()
        self.climbable = names.ladders.keys() | mechanism.ladders.keys() | mechanism.chosen.keys()

    def one(self, name: str, known: Iterable[str], what: str, path: str) -> None:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            self.document.fault(path, f"no {what} {name!r}", f"Known: {listed}")

    def each(self, names: Iterable[str], known: Iterable[str], what: str, path: str) -> None:
        for name in names:
            self.one(name, known, what, path)

    def field(self, name: str, path: str) -> None:
        self.one(name, self.m.fields, "field", path)

    # ------------------------------------------------------------- who

    def role(self, name: str, path: str) -> None:
        """A role, ``ROLE.up``, or a field that names an office or a person."""
        if name.startswith("field."):
            word = name.removeprefix("field.")
            self.field(word, path)
            kind = self.m.fields[word].kind if word in self.m.fields else "office"
            if kind not in ("office", "person", "people", "offices", "team"):
                self.document.fault(path, f"the field {word!r} ({kind}) names nobody", "Use an office or person field")
            return
        self.one(name.removesuffix(".up"), self.names.roles.keys() | _BUILT_IN, "role", path)

    def answers(self, name: str, path: str) -> None:
        """``role`` for whoever acts or owes: a field must say through which posts its office does."""
        self.role(name, path)
        declared = self.m.fields.get(name.removeprefix("field.")) if name.startswith("field.") else None
        if declared is not None and not declared.acts_as:
            self.document.fault(
                path,
                f"any post of the office in {declared.name!r} could act",
                f"Add acts_as: [ROLE] to fields.{declared.name}",
            )

    def roles_of_field(self, name: str, field: Field) -> None:
        """``acts_as`` belongs to fields that name offices or persons; a person is somebody of a role."""
        path = f"fields.{name}.acts_as"
        for role in field.acts_as:
            self.one(role, self.names.roles, "role", path)
        if field.acts_as and field.kind not in ("office", "offices", "person", "people", "team"):
            self.document.fault(path, f"the field {name!r} ({field.kind}) names nobody", "Drop it")
        if field.kind in ("person", "people") and not field.acts_as:
            self.document.fault(path, f"anybody at all could be named in {name!r}", "Add acts_as: [ROLE]")

    def told(self, names: Iterable[str], path: str, *, parties: bool = True) -> None:
        for name in names:
            if name not in TOLD and not (parties and name == PARTIES):
                self.role(name, path)

    def source(self, name: str, path: str) -> None:
        """One entry of ``by``."""
        head, _, rest = name.partition(".")
        if head == "holder" and rest:
            self.one(rest, self.m.clocks, "clock", path)
        elif head == "event" and rest:
            self.one(rest, self.names.events, "event", path)
        elif head == "clock" and rest:
            self.one(rest, self.m.clocks.keys() | {"any"}, "clock", path)
        elif head == "parent" and not rest:
            self.document.fault(path, "`parent` alone says too little", "Write parent.MECHANISM or parent.recall")
        elif head == "parent":
            pass  # which mechanisms may open this one is known only among all files
        elif head == "child":
            kind, _, end = rest.partition(".")
            self.one(kind, self.m.children, "child", path)
            if not end:
                self.document.fault(path, f"{name!r} names no end", "Write child.KIND.END")
        else:
            self.answers(name, path)

    # ------------------------------------------------------------ acts

    def act(self, act: Act, path: str) -> None:
        for i, source in enumerate(act.by):
            self.source(source, f"{path}.by[{i}]")
        for key, place in (("to", act.to), ("then", act.then)):
            if place is not None:
                self.one(place, self.places, "state or end", f"{path}.{key}")
        if act.then and act.at_most is None:
            self.document.fault(f"{path}.then", "`then` without `at_most`", "Say how often first: at_most: 3")
        for key, words in (("sets", act.sets), ("may_set", act.may_set), ("clears", act.clears), ("assigns", act.assigns)):
            for word in words:
                self.field(word, f"{path}.{key}")
        for word in set(act.sets) & set(act.clears):
            self.document.fault(f"{path}.clears", f"{word!r} is both set and cleared", "Keep one of the two")
        for word, source in act.assigns.items():
            self.assigned(source, f"{path}.assigns.{word}")
        self.subject(act, path)
        self.guards(act.needs, f"{path}.needs")
        doing = {name for name, other in self.acts.items() if other.does} | {"opened"}
        self.each(act.verifies, doing, "act that does work", f"{path}.verifies")
        clocks = self.m.clocks
        for key, words in (("restarts", act.restarts), ("rebases", act.rebases), ("extends", act.extends)):
            self.each(words, clocks, "clock", f"{path}.{key}")
        for word, other in along(act).items():
            self.one(other, limits(act), "clock that this act extends by a law number", f"{path}.extends.{word}")
        self.each(act.opens, self.m.children, "child", f"{path}.opens")
        self.each(act.recalls, self.m.children, "child", f"{path}.recalls")
        self.effects(act.effects, f"{path}.effects")
        self.told(act.tells, f"{path}.tells")
        if act.signatures > 1 and any(source.startswith(("event.", "clock.", "child.")) for source in act.by):
            self.document.fault(f"{path}.signatures", "only persons sign", "Drop the signals from `by`, or split the act")

    def subject(self, act: Act, path: str) -> None:
        """``about`` names a site field that the act must set; a keyed case stays what it is about."""
        if act.about is None:
            return
        self.field(act.about, f"{path}.about")
        if act.about in self.m.fields and self.m.fields[act.about].kind != "site":
            self.document.fault(f"{path}.about", f"the field {act.about!r} names no site", "Use a field of kind site")
        if act.about not in act.sets:
            self.document.fault(f"{path}.about", f"the act does not set {act.about!r}", f"Add sets: [{act.about}]")
        if self.m.key:
            self.document.fault(
                f"{path}.about", "a keyed case cannot come to be about something else", "End it, and open another"
            )

    def assigned(self, source: object, path: str) -> None:
        if not isinstance(source, str):
            self.document.fault(path, f"{source!r} is no source of a value", "Write a role, actor, field.NAME or parent.NAME")
        elif source != "actor" and not source.startswith("parent."):
            self.role(source, path)

    def guards(self, guards: Iterable[Guard], path: str) -> None:
        for i, guard in enumerate(guards):
            here = f"{path}[{i}]"
            if guard.registered:
                self.one(guard.name, self.names.guards, "guard", here)
                if guard.name in self.names.guards:
                    self.each(self.names.guards[guard.name].fields, self.m.fields, "field read by this guard", here)
            elif guard.name == "any":
                self.guards(guard.any_of, f"{here}.any")
            elif guard.name in ("set", "unset"):
                self.field(guard.about, here)
            elif guard.name == "clock_running":
                self.one(guard.about, self.m.clocks, "clock", here)
            else:
                self.one(guard.about, self.m.children, "child", here)

    def effects(self, names: Iterable[str], path: str) -> None:
        """Effects that are known and that some code carries out."""
        self.each(names, self.names.effects, "effect", path)
        for name in names:
            known = self.names.effects.get(name)
            if known is not None and not known.carried:
                self.document.fault(
                    path, f"nobody carries out the effect {name!r}", "Drop it; let a person record what was done instead"
                )

    # -------------------------------------------------------- sections

    def clocks(self) -> None:
        for name, clock in self.m.clocks.items():
            path = f"clocks.{name}"
            self.each(clock.starts, self.acts, "act", f"{path}.starts")
            self.each(clock.stops, self.acts.keys() | {"end"}, "act", f"{path}.stops")
            self.answers(clock.holder, f"{path}.holder")
            self.one(clock.ladder, self.climbable, "ladder", f"{path}.ladder")
            for key, field, kinds in (
                ("amount", clock.amount.name if clock.amount.kind == "field" else None, ("date", "time")),
                ("since", clock.since, ("date", "time")),
            ):
                if field is None:
                    continue
                self.field(field, f"{path}.{key}")
                if field in self.m.fields and self.m.fields[field].kind not in kinds:
                    self.document.fault(f"{path}.{key}", f"the field {field!r} is no date or time", "Use a date or time field")

    def states(self) -> None:
        for name, state in self.m.states.items():
            path = f"states.{name}"
            self.answers(state.owner, f"{path}.owner")
            if state.within.kind == "clock":
                self.one(state.within.name, self.m.clocks, "clock", f"{path}.within")
            elif state.within.kind == "child":
                self.one(state.within.name, self.m.children, "child", f"{path}.within")
            if state.ladder:
                self.one(state.ladder, self.climbable, "ladder", f"{path}.ladder")
            for owes in state.owes:
                self.one(owes.act, state.offers, "act of this state", f"{path}.owes")
                self.one(owes.ladder, self.climbable, "ladder", f"{path}.owes.{owes.act}.ladder")
                if owes.until:
                    self.one(owes.until, self.acts, "act", f"{path}.owes.{owes.act}.until")
            signals = {f"event.{e}" for e in self.names.events} | {f"clock.{c}" for c in self.m.clocks}
            self.each(state.ignores, signals, "signal", f"{path}.ignores")
            own = [act for act in state.actions if act.name not in self.m.always]
            for act in own:
                self.act(act, f"{path}.actions.{act.name}")

    def unique(self) -> None:
        """Act names are unique, or the acts are identical."""
        seen: dict[str, tuple[str, Act]] = {}
        spots = [(f"open.{a.name}", a) for a in self.m.opening.values()]
        for state in self.m.states.values():
            spots += [(f"states.{state.name}.actions.{a.name}", a) for a in state.actions if a is not self.m.always.get(a.name)]
        spots += [(f"always.{a.name}", a) for a in self.m.always.values()]
        for path, act in spots:
            bare = replace(act, within_states=())
            if act.name in seen and seen[act.name][1] != bare:
                self.document.fault(
                    path, f"another act is named {act.name!r} ({seen[act.name][0]})", "Make the two identical, or rename one"
                )
            seen.setdefault(act.name, (path, bare))
        for name in self.places & seen.keys() & {"opened", "end"}:
            self.document.fault(name, f"{name!r} has a meaning of its own", "Rename it")
        for name in self.m.states.keys() & self.m.ends.keys():
            self.document.fault(f"ends.{name}", f"{name!r} is both a state and an end", "Rename one of the two")
        for reserved in ("opened", "end"):
            if reserved in seen:
                self.document.fault(seen[reserved][0], f"{reserved!r} has a meaning of its own", "Rename the act")

    def children(self) -> None:
        for kind, child in self.m.children.items():
            path = f"children.{kind}"
            self.each(child.pauses, self.m.clocks, "clock", f"{path}.pauses")
            if child.pauses and not child.joined:
                self.document.fault(f"{path}.pauses", "only a joined child pauses", "Add joined: true")
            for field, source in child.gives.items():
                if isinstance(source, str) and source.startswith("field."):
                    self.field(source.removeprefix("field."), f"{path}.gives.{field}")
            self.each(child.each, self.m.fields, "field", f"{path}.each")
            self.guards(child.when, f"{path}.when")
            if any(guard.registered for guard in child.when):
                self.document.fault(f"{path}.when", "only exact guards decide what is opened", "Use set, unset, ended …")

    def ends(self) -> None:
        for name, end in self.m.ends.items():
            self.told(end.tells, f"ends.{name}.tells")
            self.effects(end.effects, f"ends.{name}.effects")
            self.each(end.opens, self.m.children, "child", f"ends.{name}.opens")

    def ladders(self) -> None:
        self.one(self.m.ladder, self.climbable, "ladder", "ladder")
        for name, by in self.m.chosen.items():
            self.chosen(f"ladders.{name}", by)
        for name, rungs in self.m.ladders.items():
            for rung in rungs:
                self.rung(name, rung)

    def chosen(self, path: str, by: LadderBy) -> None:
        """A ladder by a field: a choice of the file itself, with a ladder of its own for each, none chosen in turn."""
        self.field(by.field, f"{path}.by")
        declared = self.m.fields.get(by.field)
        if declared is not None:
            choices = declared.of if declared.kind == "choice" and isinstance(declared.of, tuple) else ()
            if not choices:
                self.document.fault(
                    f"{path}.by", f"the choices of {by.field!r} do not stand in this file", "Use a choice field with of: […]"
                )
            for choice in choices:
                if choice not in by.rows:
                    self.document.fault(path, f"no ladder for {choice!r}", f"Add {choice}: LADDER")
            self.each(by.rows, choices, f"choice of {by.field!r}", path)
        self.each(by.rows.values(), self.climbable - self.m.chosen.keys(), "ladder", path)

    def rung(self, ladder: str, rung: Rung) -> None:
        path = f"ladders.{ladder}"
        self.told(rung.tells, path, parties=False)
        if rung.climbs:
            self.role(rung.climbs, path)
        self.effects(rung.effects, path)
        for kind in rung.opens:
            if kind not in self.m.children:
                self.document.fault(
                    "ladder",
                    f"the ladder {ladder!r} opens {kind!r}, which is no child here",
                    f"Add children: {{{kind}: {{joined: false}}}}",
                )

    def bounds(self, name: str, field: Field) -> None:
        """``after`` and ``before`` bound a date or time by now or by another one."""
        for key, word in (("after", field.after), ("before", field.before)):
            if word is None:
                continue
            path = f"fields.{name}.{key}"
            if field.kind not in ("date", "time"):
                self.document.fault(path, f"{name!r} is no date or time", "Drop it, or use kind: date or kind: time")
            if word.startswith(ALONG):
                self.one(word.removeprefix(ALONG), self.m.clocks, "clock", path)
            elif word != "now":
                self.field(word, path)
                if word in self.m.fields and self.m.fields[word].kind not in ("date", "time"):
                    self.document.fault(path, f"the field {word!r} is no date or time", "Name a date or time field, or now")
        if field.spare and not (field.before or "").startswith(ALONG):
            says = "there is no clock to stay away from"
            self.document.fault(f"fields.{name}.spare", says, "Add before: clock.NAME, or drop it")

    def file(self) -> None:
        m = self.m
        for i, reader in enumerate(m.readers):
            self.role(reader, f"readers[{i}]")
        for name, field in m.fields.items():
            self.bounds(name, field)
            self.roles_of_field(name, field)
            if field.sealed_until:
                self.one(field.sealed_until, self.acts, "act", f"fields.{name}.sealed_until")
            for role in field.sealed:
                self.role(role, f"fields.{name}.sealed")
            if isinstance(field.of, tuple):
                self.each(field.labels, field.of, "choice", f"fields.{name}.labels")
        if m.number and m.number.on:
            self.one(m.number.on, self.acts, "act", "number.on")
        if m.key:
            self.each(m.key, m.fields.keys() | {"about"}, "field", "key")
            if "again" not in m.always or set(m.always["again"].within_states) != set(m.states):
                self.document.fault(
                    "key", "a keyed mechanism answers a second opening in every state", "Add `again` under `always`"
                )
        for name, words in m.groups.items():
            if name in self.acts:
                self.document.fault(f"groups.{name}", f"{name!r} is also an act", "Rename the group")
            if not words:
                self.document.fault(f"groups.{name}", "an empty group", "List its names, or drop it")


def check_references(mechanism: Mechanism, document: Document, names: Names) -> None:
    """Add a fault to ``document`` for every reference that leads nowhere."""
    check = _Check(mechanism, document, names)
    check.file()
    check.clocks()
    for act in mechanism.opening.values():
        check.act(act, f"open.{act.name}")
    check.states()
    for act in mechanism.always.values():
        check.act(act, f"always.{act.name}")
        if not act.within_states:
            document.fault(f"always.{act.name}.in", "the act is offered in no state", "Name states of this file")
    check.unique()
    check.children()
    check.ends()
    check.ladders()
