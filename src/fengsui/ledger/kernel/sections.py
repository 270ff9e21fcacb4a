"""The sections of a mechanism file, read one by one into the kernel's shapes.

In: a document's plain data. Out: a raw ``Mechanism`` (acts not yet tied to clocks and states). Every
unknown key and every value of the wrong form becomes a fault of the document.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from fengsui.ledger.kernel.document import SLIPPERY, Document
from fengsui.ledger.kernel.names import Names
from fengsui.ledger.kernel.rungs import read_choice, read_ladder
from fengsui.ledger.kernel.shapes import (
    Act,
    Amount,
    Child,
    Clock,
    End,
    Field,
    Guard,
    LadderBy,
    Mechanism,
    Number,
    Owes,
    Rung,
    State,
    Within,
)

FIELD_KINDS = frozenset(
    [
        "text",
        "money",
        "date",
        "time",
        "number",
        "choice",
        "office",
        "person",
        "people",
        "offices",
        "site",
        "team",
        "files",
        "list",
        "point",
        "reading",
        "year",
        "week",
        "case",
        "figures",
    ]
)
TITLE_WORDS = frozenset({"title", "subject", "place"})
"""What a case's title may speak of besides the fields: the words given at the opening (else the mechanism's own title),
the name of the site, place or office that it is about, and the place's."""
TITLE_KINDS = frozenset({"text", "choice", "number", "date", "week", "year"})
"""The kinds of field that read well in a title."""
EXACT_GUARDS = frozenset({"set", "unset", "ended", "none_open", "clock_running", "any"})

_NAME = re.compile(r"[a-z][a-z0-9_]*")
KEYS = {
    "file": frozenset(
        [
            "mechanism",
            "title",
            "says",
            "number",
            "about",
            "key",
            "readers",
            "ladder",
            "ladders",
            "case_title",
            "pace",
            "fields",
            "groups",
            "clocks",
            "open",
            "states",
            "always",
            "children",
            "ends",
        ]
    ),
    "field": frozenset(
        {"kind", "of", "at_most", "after", "before", "spare", "sealed_until", "sealed", "acts_as", "title", "says", "labels"}
    ),
    "clock": frozenset({"amount", "since", "starts", "stops", "holder", "ladder", "again", "per_holder", "title"}),
    "state": frozenset({"owner", "within", "owes", "ignores", "actions", "ladder", "title"}),
    "owes": frozenset({"every", "ladder", "until"}),
    "act": frozenset(
        [
            "by",
            "to",
            "in",
            "at_most",
            "then",
            "sets",
            "may_set",
            "assigns",
            "about",
            "clears",
            "needs",
            "does",
            "verifies",
            "signatures",
            "restarts",
            "rebases",
            "extends",
            "starts",
            "stops",
            "opens",
            "recalls",
            "effects",
            "tells",
            "title",
        ]
    ),
    "child": frozenset({"joined", "at_once", "pauses", "pause_at_most", "gives", "each", "when", "title"}),
    "end": frozenset({"unverified", "tells", "effects", "opens", "title"}),
    "number": frozenset({"pattern", "on", "gapless"}),
}


class Reader:
    """Reads one document; ``read`` gives the raw mechanism, faults collect in the document."""

    def __init__(self, document: Document, names: Names, titles: bool) -> None:
        self.document = document
        self.names = names
        self.titles = titles
        self.groups: dict[str, tuple[str, ...]] = {}

    def read(self) -> Mechanism:
        """The raw mechanism, as far as it could be read."""
        data: dict[str, Any] = self.document.data
        self._keys(data, "file", "")
        for key in ("mechanism", "open", "states", "ends"):
            if key not in data:
                self._fault(key, f"the file has no {key!r}", f"Add `{key}:`")
        for group, body in self._mapping(data.get("groups"), "groups").items():
            self.groups[group] = self._words(body, f"groups.{group}")
        name: Any = data.get("mechanism")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._fault("mechanism", f"{name!r} is no name", "Use small letters, digits and _")
        about = data.get("about", "none")
        return Mechanism(
            name=str(name),
            digest="",
            title=self._title(data, ""),
            says=self._both(data.get("says"), "says"),
            about=str(about.get("kind", "none") if isinstance(about, dict) else about),
            fields=self._each("fields", self._field),
            clocks=self._each("clocks", self._clock),
            opening=self._each("open", self._opening_act),
            states=self._each("states", self._state),
            always=self._each("always", self._always_act),
            ends=self._each("ends", self._end),
            children=self._each("children", self._child),
            ladder=self._word(data.get("ladder"), "ladder", "plain"),
            ladders=self._own_ladders(data.get("ladders")),
            chosen=self._chosen(data.get("ladders")),
            case_title=self._pattern(data.get("case_title")),
            readers=self._words(data.get("readers"), "readers"),
            key=self._words(data.get("key"), "key"),
            number=self._number(data.get("number")),
            groups=self.groups,
            pace=self._count(data.get("pace"), "pace") or 1,
        )

    # ------------------------------------------------------------ the sections

    def _own_ladders(self, value: Any) -> dict[str, tuple[Rung, ...]]:
        bodies = self._bodies_or_lists(value)
        return {name: read_ladder(body, f"ladders.{name}", self.document) for name, body in bodies if isinstance(body, list)}

    def _chosen(self, value: Any) -> dict[str, LadderBy]:
        bodies = self._bodies_or_lists(value)
        return {name: read_choice(body, f"ladders.{name}", self.document) for name, body in bodies if isinstance(body, dict)}

    def _bodies_or_lists(self, value: Any) -> list[tuple[str, Any]]:
        found = self._mapping(value, "ladders")
        for name, body in found.items():
            if not isinstance(body, list | dict):
                self._fault(f"ladders.{name}", f"{body!r} is no ladder", "Write a list of rungs, or {by: FIELD, CHOICE: LADDER}")
        return list(found.items())

    def _pattern(self, value: Any) -> dict[str, str]:
        """The pattern of a case's title: both languages, with known words in braces."""
        words = self._both(value, "case_title")
        for language, text in words.items():
            try:
                named = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
            except ValueError as error:
                self._fault(
                    f"case_title.{language}", f"no pattern: {error}", "Write {subject}, {title} or a field's name in braces"
                )
                continue
            fields = self._mapping(self.document.data.get("fields"), "fields")
            known = TITLE_WORDS | {
                one for one, body in fields.items() if isinstance(body, dict) and str(body.get("kind")) in TITLE_KINDS
            }
            for name in named:
                if name not in known:
                    self._fault(f"case_title.{language}", f"no word {name!r}", f"Known: {', '.join(sorted(known))}")
        return words

    def _field(self, name: str, body: Mapping[str, Any], path: str) -> Field:
        self._keys(body, "field", path)
        kind = self._word(body.get("kind"), f"{path}.kind", "")
        if kind not in FIELD_KINDS:
            self._fault(f"{path}.kind", f"{kind!r} is no kind of field", f"Known: {', '.join(sorted(FIELD_KINDS))}")
        of = body.get("of", ())
        if isinstance(of, str):
            of = self._law(of, f"{path}.of", lengths=False)
        labels = self._mapping(body.get("labels"), f"{path}.labels")
        return Field(
            name=name,
            kind=kind,
            title=self._title(body, path),
            of=of if isinstance(of, str) else self._words(of, f"{path}.of", expand=False),
            at_most=self._law(body["at_most"], f"{path}.at_most") if "at_most" in body else None,
            after=self._bound(body.get("after"), f"{path}.after"),
            before=self._bound(body.get("before"), f"{path}.before", clocks=True),
            spare=self._law(body["spare"], f"{path}.spare") if "spare" in body else None,
            sealed_until=self._maybe_word(body.get("sealed_until"), f"{path}.sealed_until"),
            sealed=self._words(body.get("sealed"), f"{path}.sealed"),
            acts_as=self._words(body.get("acts_as"), f"{path}.acts_as"),
            says=self._both(body.get("says"), f"{path}.says"),
            labels={choice: self._both(text, f"{path}.labels.{choice}") for choice, text in labels.items()},
        )

    def _clock(self, name: str, body: Mapping[str, Any], path: str) -> Clock:
        self._keys(body, "clock", path)
        for key in ("amount", "starts", "stops", "holder"):
            if key not in body:
                self._fault(f"{path}.{key}", f"the clock has no {key!r}", f"Add `{key}:`")
        again = body.get("again", "")
        if again not in ("once", "each", ""):
            self._fault(f"{path}.again", f"{again!r} is neither once nor each", "Write once or each")
        return Clock(
            name=name,
            amount=self._amount(body.get("amount"), f"{path}.amount"),
            starts=frozenset(self._words(body.get("starts"), f"{path}.starts")),
            stops=frozenset(self._words(body.get("stops"), f"{path}.stops")),
            holder=self._word(body.get("holder"), f"{path}.holder", ""),
            ladder=self._word(body.get("ladder"), f"{path}.ladder", ""),
            since=self._field_name(body.get("since"), f"{path}.since"),
            again=again,
            per_holder=self._flag(body, "per_holder", path),
            title=self._title(body, path),
        )

    def _state(self, name: str, body: Mapping[str, Any], path: str) -> State:
        self._keys(body, "state", path)
        for key in ("owner", "within"):
            if key not in body:
                self._fault(f"{path}.{key}", f"the state has no {key!r}", f"Add `{key}:`")
        owner = self._word(body.get("owner"), f"{path}.owner", "")
        acts = self._mapping(body.get("actions"), f"{path}.actions")
        owes = self._mapping(body.get("owes"), f"{path}.owes")
        return State(
            name=name,
            owner=owner,
            within=self._within(body.get("within"), f"{path}.within"),
            actions=tuple(
                self._act(act, inner, f"{path}.actions.{act}", owner=owner)
                for act, inner in self._bodies(acts, f"{path}.actions")
            ),
            owes=tuple(self._owes(act, inner, f"{path}.owes.{act}") for act, inner in self._bodies(owes, f"{path}.owes")),
            ignores=frozenset(self._words(body.get("ignores"), f"{path}.ignores")),
            ladder=self._maybe_word(body.get("ladder"), f"{path}.ladder"),
            title=self._title(body, path),
        )

    def _within(self, value: Any, path: str) -> Within:
        kind, _, name = str(value or "").partition(".")
        kinds: dict[str, Literal["amount", "clock", "child"]] = {"law": "amount", "clock": "clock", "child": "child"}
        if kind not in kinds or not name:
            self._fault(path, f"{value!r} is no clock of a state", "Write law.NUMBER, clock.NAME or child.KIND")
            return Within("amount", "")
        if kind == "law":
            self._law(str(value), path)
        return Within(kinds[kind], name)

    def _owes(self, act: str, body: Mapping[str, Any], path: str) -> Owes:
        self._keys(body, "owes", path)
        every = self._word(body.get("every"), f"{path}.every", "week")
        if every not in ("day", "week"):
            every = self._law(every, f"{path}.every")
        ladder = self._word(body.get("ladder"), f"{path}.ladder", "owed")
        return Owes(act, every, ladder, self._maybe_word(body.get("until"), f"{path}.until"))

    def _opening_act(self, name: str, body: Mapping[str, Any], path: str) -> Act:
        for key in ("to", "by"):
            if key not in body:
                self._fault(f"{path}.{key}", f"an opening act says {key!r}", f"Add `{key}:`")
        return self._act(name, body, path, owner="")

    def _always_act(self, name: str, body: Mapping[str, Any], path: str) -> Act:
        if "by" not in body:
            self._fault(f"{path}.by", "an act under `always` says by whom", "Add `by: [role]`")
        return self._act(name, body, path, owner="")

    def _act(self, name: str, body: Mapping[str, Any], path: str, *, owner: str) -> Act:
        self._keys(body, "act", path)
        by = self._words(body["by"], f"{path}.by") if "by" in body else (owner,)
        if "in" in body and not path.startswith("always."):
            self._fault(f"{path}.in", "`in` belongs to acts under `always`", "Move the act there, or drop `in`")
        extends = self._mapping(body.get("extends"), f"{path}.extends")

        def words(key: str) -> tuple[str, ...]:
            return self._words(body.get(key), f"{path}.{key}")

        return Act(
            name=name,
            by=by,
            to=self._maybe_word(body.get("to"), f"{path}.to"),
            within_states=words("in"),
            at_most=self._count(body.get("at_most"), f"{path}.at_most"),
            then=self._maybe_word(body.get("then"), f"{path}.then"),
            sets=words("sets"),
            may_set=words("may_set"),
            assigns=self._mapping(body.get("assigns"), f"{path}.assigns"),
            about=self._field_name(body.get("about"), f"{path}.about"),
            clears=words("clears"),
            needs=self._guards(body.get("needs"), f"{path}.needs"),
            does=self._flag(body, "does", path),
            verifies=words("verifies"),
            signatures=self._count(body.get("signatures"), f"{path}.signatures") or 1,
            restarts=words("restarts"),
            rebases=words("rebases"),
            extends={clock: self._extension(limit, f"{path}.extends.{clock}") for clock, limit in extends.items()},
            starts=words("starts"),
            stops=words("stops"),
            opens=words("opens"),
            recalls=words("recalls"),
            effects=words("effects"),
            tells=words("tells"),
            title=self._title(body, path),
        )

    def _end(self, name: str, body: Mapping[str, Any], path: str) -> End:
        self._keys(body, "end", path)
        return End(
            name=name,
            unverified=self._maybe_word(body.get("unverified"), f"{path}.unverified"),
            tells=self._words(body.get("tells"), f"{path}.tells"),
            effects=self._words(body.get("effects"), f"{path}.effects"),
            opens=self._words(body.get("opens"), f"{path}.opens"),
            title=self._title(body, path),
        )

    def _child(self, name: str, body: Mapping[str, Any], path: str) -> Child:
        self._keys(body, "child", path)
        if "joined" not in body:
            self._fault(f"{path}.joined", "a child says whether its parent waits for it", "Add `joined: true` or `false`")
        limit = body.get("pause_at_most")
        return Child(
            kind=name,
            joined=self._flag(body, "joined", path),
            at_once=self._count(body.get("at_once"), f"{path}.at_once"),
            pauses=self._words(body.get("pauses"), f"{path}.pauses"),
            pause_at_most=self._law(limit, f"{path}.pause_at_most") if limit is not None else None,
            gives=self._mapping(body.get("gives"), f"{path}.gives"),
            each={f: self._mapping(v, f"{path}.each.{f}") for f, v in self._mapping(body.get("each"), f"{path}.each").items()},
            when=self._guards(body.get("when"), f"{path}.when"),
            title=self._both(body.get("title"), f"{path}.title"),
        )

    def _number(self, value: Any) -> Number | None:
        if value is None:
            return None
        if isinstance(value, str):
            return Number(value)
        body = self._mapping(value, "number")
        self._keys(body, "number", "number")
        pattern = self._word(body.get("pattern"), "number.pattern", "")
        return Number(pattern, self._maybe_word(body.get("on"), "number.on"), self._flag(body, "gapless", "number"))

    def _guards(self, value: Any, path: str) -> tuple[Guard, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self._fault(path, "expected a list of guards", "Write [guard, {set: field}]")
            return ()
        return tuple(self._guard(item, f"{path}[{i}]") for i, item in enumerate(value))

    def _guard(self, item: Any, path: str) -> Guard:
        if isinstance(item, str):
            return Guard(item, registered=True)
        if not isinstance(item, dict) or len(item) != 1:
            self._fault(path, f"{item!r} is no guard", "Write a registered name, or {set: field}")
            return Guard("any")
        ((name, about),) = item.items()
        if name not in EXACT_GUARDS:
            self._fault(path, f"{name!r} is no exact guard", f"Known: {', '.join(sorted(EXACT_GUARDS))}")
        if name == "any":
            return Guard("any", any_of=self._guards(about, f"{path}.any"))
        return Guard(name, self._word(about, f"{path}.{name}", ""))

    # -------------------------------------------------------- the small pieces

    def _fault(self, path: str, says: str, remedy: str = "") -> None:
        self.document.fault(path, says, remedy)

    def _keys(self, body: Mapping[str, Any], kind: str, path: str) -> None:
        for key in body:
            if key not in KEYS[kind]:
                here = f"{path}.{key}" if path else str(key)
                self._fault(here, f"unknown key {key!r}", f"Known: {', '.join(sorted(KEYS[kind]))}")

    def _mapping(self, value: Any, path: str) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._fault(path, f"expected a mapping, found {value!r}", "Write NAME: {…}")
            return {}
        return value

    def _bodies(self, values: Mapping[str, Any], path: str) -> Iterable[tuple[str, dict[str, Any]]]:
        for name, body in values.items():
            if not _NAME.fullmatch(str(name)) or str(name).lower() in SLIPPERY:
                self._fault(f"{path}.{name}", f"{name!r} is no name", "Use small letters, digits and _, not a word like no")
            yield name, self._mapping(body, f"{path}.{name}")

    def _each(self, section: str, read: Any) -> dict[str, Any]:
        values = self._mapping(self.document.data.get(section), section)
        return {name: read(name, body, f"{section}.{name}") for name, body in self._bodies(values, section)}

    def _words(self, value: Any, path: str, *, expand: bool = True) -> tuple[str, ...]:
        """A list of names with its groups expanded (unless told not to); doubles are dropped."""
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
            self._fault(path, f"expected a list of names, found {value!r}", "Write [name, name]")
            return ()
        found: dict[str, None] = {}
        for word in value:
            found.update(dict.fromkeys(self.groups.get(word, (word,)) if expand else (word,)))
        return tuple(found)

    def _word(self, value: Any, path: str, default: str) -> str:
        if value is None:
            return default
        if not isinstance(value, str):
            self._fault(path, f"expected a name, found {value!r}", "Write one word")
            return default
        return value

    def _maybe_word(self, value: Any, path: str) -> str | None:
        return None if value is None else self._word(value, path, "")

    def _field_name(self, value: Any, path: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not value.startswith("field."):
            self._fault(path, f"{value!r} is no field", "Write field.NAME")
            return None
        return value.removeprefix("field.")

    def _bound(self, value: Any, path: str, *, clocks: bool = False) -> str | None:
        """``now``, ``field.F``, or ``clock.C`` where that is allowed."""
        if clocks and isinstance(value, str) and value.startswith("clock."):
            return value
        return value if value == "now" else self._field_name(value, path)

    def _extension(self, value: Any, path: str) -> str:
        """``law.NAME``, or ``clock.C``: moves along with that clock."""
        return value if isinstance(value, str) and value.startswith("clock.") else self._law(value, path)

    def _flag(self, body: Mapping[str, Any], key: str, path: str) -> bool:
        value = body.get(key, False)
        if not isinstance(value, bool):
            self._fault(f"{path}.{key}", f"{value!r} is neither true nor false", "Write true or false")
            return False
        return value

    def _count(self, value: Any, path: str) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self._fault(path, f"{value!r} is no count", "Write a whole number from 1")
            return None
        return value

    def _amount(self, value: Any, path: str) -> Amount:
        if isinstance(value, str) and value.startswith("field."):
            return Amount("field", value.removeprefix("field."))
        return Amount("law", self._law(value, path))

    def _law(self, value: Any, path: str, *, lengths: bool = True) -> str:
        name = value.removeprefix("law.") if isinstance(value, str) else ""
        if not name or not str(value).startswith("law."):
            self._fault(path, f"{value!r} is no law number", "Write law.NAME; the numbers stand in data/law")
        elif lengths and name not in self.names.law:
            self._fault(path, f"no law number {name!r}", "Add it to data/law, or use one that is there")
        return name

    def _title(self, body: Mapping[str, Any], path: str) -> dict[str, str]:
        here = f"{path}.title" if path else "title"
        if "title" not in body:
            if self.titles:
                self._fault(here, "there is no title", "Add title: {zh: …, en: …}")
            return {}
        return self._both(body["title"], here)

    def _both(self, value: Any, path: str) -> dict[str, str]:
        if value is None:
            return {}
        if (
            not isinstance(value, dict)
            or set(value) != {"zh", "en"}
            or not all(isinstance(text, str) and text.strip() for text in value.values())
        ):
            self._fault(path, "a text has both languages", "Write {zh: …, en: …}")
            return {}
        return value
