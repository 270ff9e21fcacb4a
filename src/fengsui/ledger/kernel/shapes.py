"""The frozen shapes that the kernel, the proof and the doors share.

Times are aware UTC ``datetime``; offices and persons are the region's integer ids; field values are
JSON values (money in fen as int, dates as ISO strings, files as lists of SHA-256 hex digests).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from fengsui.law.amounts import Duration

Json = Any
Frozen = Mapping[str, Json]

# ---------------------------------------------------------------- the language


LEDGER_ACTS = frozenset({
    "adopt", "call", "climb", "correct", "erase", "look", "merge", "message", "move", "past", "recompute", "rung", "share",
    "succeed",
})  # fmt: skip
"""Acts that no mechanism declares, nor may name one of its own so: the ledger's own entries, also on ended cases."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How long: a law number (``law.hazard.sign``), a field of the case, or nothing else."""

    kind: Literal["law", "field"]
    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a case knows."""

    name: str
    kind: str  # text money date time number choice office person people site team files list point reading year week case figures
    title: Frozen = field(default_factory=dict)  # {zh, en}
    of: tuple[str, ...] | str = ()  # the choices, or the name of a law table
    at_most: str | None = None  # a law number that bounds it
    after: str | None = None  # a date or time must be later than this: "now", or a field of the case
    before: str | None = None  # … or not later than this; "clock.C": than that clock's due, while that can be kept
    spare: str | None = None  # … so much earlier than the clock's due: a law number
    sealed_until: str | None = None  # hidden from others until this act
    sealed: tuple[str, ...] = ()  # roles that alone may read it
    acts_as: tuple[str, ...] = ()  # roles whose posts act for the office it names, or one of which the person it names has
    says: Frozen = field(default_factory=dict)  # a hint under the input, {zh, en}
    labels: Frozen = field(default_factory=dict)  # choice → {zh, en}


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder, relative to the due time."""

    at: str  # as written: "-3d", "0", "5min", "2wd"
    offset: Duration  # may be negative
    tells: tuple[str, ...] = ()
    climbs: str | None = None  # role that becomes an overseer
    effects: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    repeats: str | None = None
    hour: str | None = None  # "09:00": waits for that hour of a working day in Asia/Shanghai


@dataclass(frozen=True, slots=True)
class LadderBy:
    """A ladder that depends on a choice field: its choice → the ladder climbed. The first row stands for an unknown choice."""

    field: str
    rows: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline that acts start and stop."""

    name: str
    amount: Amount
    starts: frozenset[str]
    stops: frozenset[str]  # may contain "end"
    holder: str  # role
    ladder: str  # a ladder, or one of the mechanism's ``chosen``
    since: str | None = None  # a field holding the start; else the act's time
    again: Literal["once", "each"] = "once"
    per_holder: bool = False
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Within:
    """The mandatory clock of a state."""

    kind: Literal["amount", "clock", "child"]
    name: str  # law number, clock name, child kind


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition: an exact one (set, unset, ended, none_open, clock_running, any) or a registered name.

    ``registered`` tells the two apart; ``about`` is the field, child or clock of an exact guard.
    """

    name: str
    about: str = ""
    registered: bool = False
    any_of: tuple[Guard, ...] = ()


@dataclass(frozen=True, slots=True)
class Owes:
    """A report due every period while the state lasts."""

    act: str
    every: str  # day, week, or a law number
    ladder: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody may do to a case."""

    name: str
    by: tuple[str, ...]
    to: str | None = None
    within_states: tuple[str, ...] = ()  # the states that offer it, in file order; () for an opening act
    at_most: int | None = None
    then: str | None = None
    sets: tuple[str, ...] = ()  # must be given
    may_set: tuple[str, ...] = ()  # may be given
    assigns: Frozen = field(default_factory=dict)
    about: str | None = None  # a site field: from this act on the case is about that site
    clears: tuple[str, ...] = ()
    needs: tuple[Guard, ...] = ()
    does: bool = False
    verifies: tuple[str, ...] = ()
    signatures: int = 1
    restarts: tuple[str, ...] = ()
    rebases: tuple[str, ...] = ()
    extends: Frozen = field(default_factory=dict)
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()  # with ``starts``: also from the clocks' own lists
    opens: tuple[str, ...] = ()
    recalls: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """Where a case rests: who owes, within which clock, and what may be done."""

    name: str
    owner: str  # role, field.F, opener …
    within: Within
    actions: tuple[Act, ...]  # in file order, `always` acts last
    offers: Mapping[str, Act] = field(default_factory=dict)  # the same by name
    owes: tuple[Owes, ...] = ()
    ignores: frozenset[str] = frozenset()
    ladder: str | None = None
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Child:
    """A kind of case that this one opens; a joined one is waited for."""

    kind: str
    joined: bool
    at_once: int | None = None
    pauses: tuple[str, ...] = ()
    pause_at_most: str | None = None
    gives: Frozen = field(default_factory=dict)  # child's field → field.F of this case, a role, or a literal
    each: Mapping[str, Frozen] = field(default_factory=dict)
    """List field of this case → child's values: one more child per member that the act names, ``member`` standing for it."""
    when: tuple[Guard, ...] = ()  # exact guards: opened only where they hold
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class End:
    """Where a life ends, verified unless the reason why not is stated."""

    name: str
    unverified: str | None = None  # the reason why no verification is needed
    tells: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    title: Frozen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Number:
    """The case's number: its pattern, the act that gives it, and whether the series may have gaps."""

    pattern: str
    on: str | None = None  # the act at which it is given; else at opening
    gapless: bool = False


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A declared lifecycle, loaded and checked for form. ``digest`` is the SHA-256 of its canonical JSON."""

    name: str
    digest: str
    title: Frozen
    about: str
    fields: Mapping[str, Field]
    clocks: Mapping[str, Clock]
    opening: Mapping[str, Act]
    states: Mapping[str, State]
    always: Mapping[str, Act]
    ends: Mapping[str, End]
    children: Mapping[str, Child]
    ladder: str
    ladders: Mapping[str, tuple[Rung, ...]]  # every one that a clock of it may climb
    chosen: Mapping[str, LadderBy] = field(default_factory=dict)  # ladders that depend on a field
    case_title: Frozen = field(default_factory=dict)  # pattern of a case's title, {zh, en}
    readers: tuple[str, ...] = ()  # non-empty: confidential
    key: tuple[str, ...] = ()
    number: Number | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guards: Mapping[str, Frozen] = field(default_factory=dict)  # registered guards used → {kind, facts, fields, given, title}
    says: Frozen = field(default_factory=dict)  # what it is for, {zh, en}
    pace: int = 1  # an exercise's version: minutes and hours run this many times faster, legal days as ever
    source: Frozen = field(default_factory=dict)  # the YAML as plain data, kept with the version
    file: str = field(default="", compare=False)  # the file it was read from, for whoever has to mend it
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    """Path in the file (``states.doing.actions.work``) → its line; empty where it was not read from text."""


# ------------------------------------------------------------------- the case


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A running, paused or stopped deadline of one holder."""

    name: str  # clock name; "within:STATE" for a state's own; "owes:ACT" for a report owed
    holder: int | None  # office id
    start: datetime
    due: datetime
    first: datetime | None = None  # the first due ever set; a `once` clock resumes it
    person: int | None = None  # where the holder is one named person
    again: Literal["once", "each"] = "once"
    n: int = 1  # how many times it was started
    stopped: datetime | None = None
    paused_at: datetime | None = None
    pause_used: int = 0  # seconds
    rung: int = 0  # how many rungs have fired
    answered: int | None = None  # person who stopped it


@dataclass(frozen=True, slots=True)
class Kid:
    """A child case as its parent knows it."""

    kind: str
    id: str
    state: Literal["open", "ended"]
    end: str | None = None
    persons: frozenset[int] = frozenset()  # its doers, carried up


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``principal`` is the person whose act it is when a deputy signs (代签)."""

    kind: Literal["person", "event", "clock", "child", "parent", "public", "system"]
    person: int | None = None
    principal: int | None = None
    office: int | None = None  # the office of the post acted in
    post: int | None = None
    name: str = ""  # event name, clock name, child kind, parent mechanism
    end: str | None = None  # the child's end
    kid: str | None = None  # the child's id
    persons: frozenset[int] = frozenset()  # the child's doers, carried up with its end


@dataclass(frozen=True, slots=True)
class Case:
    """What the kernel needs of a case."""

    id: str
    mechanism: str
    version: str  # the mechanism's digest
    seq: int  # 0 before opening
    state: str  # a state or an end
    fields: Frozen = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)  # act → times done
    clocks: tuple[ClockRow, ...] = ()
    kids: tuple[Kid, ...] = ()
    persons: Mapping[str, frozenset[int]] = field(default_factory=dict)  # doing act (or "opened") → persons
    unverified: frozenset[str] = frozenset()  # doing acts not yet verified
    verified: frozenset[str] = frozenset()
    signed: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    """Act → the signatures so far, each with its natural persons (the deputy and the principal)."""
    pending: Frozen = field(default_factory=dict)  # the values that they signed
    overseers: tuple[int, ...] = ()  # offices it has climbed to
    parent: str | None = None
    parent_mechanism: str | None = None
    raiser: Frozen = field(default_factory=dict)  # {kind, person, office, name}
    opened: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A wish: do ``act`` with ``values``; ``expects`` is the seq the caller saw, ``key`` its idempotency key.

    Values of children that the act opens stand under the child's kind: ``{"extension": {"until": …}}``,
    or a list of such mappings for several children.
    """

    act: str
    actor: Actor
    values: Frozen = field(default_factory=dict)
    expects: int | None = None
    key: str = ""
    handed: frozenset[str] = frozenset()  # values that a parent hands down: bounded when they were given there


@dataclass(frozen=True, slots=True)
class Table:
    """A law number that depends on one field of the case (``warning.acknowledge`` by ``colour``)."""

    key: str
    rows: Mapping[str, Duration]


@dataclass(frozen=True, slots=True)
class Share:
    """A law number that is a part of a clock's own first length (``hazard.extension_share``), above 0."""

    part: float


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything outside the case that the decision may look at; the entry records what it did look at.

    ``roles`` also carries ``field.F`` → office for fields that name a person; ``up`` is relative to the last
    overseer, else the owner. ``holds`` carries ``field.F`` too where the actor's office has succeeded the one
    named. ``roles`` has ``parent.F`` → value for the parent's fields and ``parent.title``, too.
    ``fills`` are roles whose work is that of the actor's post, wherever the role's own office is: who acts for an
    office that a field or a clock names. ``people`` and ``fit`` are about the values given with the call.
    """

    roles: Mapping[str, Json]  # role → office that it resolves to for this case
    holds: frozenset[str]  # roles that the actor holds for this case (eligible post in that office)
    truths: Mapping[str, bool]  # registered guards already evaluated
    law: Mapping[str, Duration | Table | Share]  # law number → the length in force on the day of the act
    given: Frozen = field(default_factory=dict)  # raw facts by name, for the kernel's own guards
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)  # field → the choices of its law table
    new_ids: tuple[str, ...] = ()  # ids reserved for the children that the act opens
    why: Mapping[str, str] = field(default_factory=dict)  # guard → the fact that is missing, for people
    fills: frozenset[str] = frozenset()
    people: Mapping[tuple[str, int], int] = field(default_factory=dict)  # (field, office) → persons who may act for it
    fit: Container[tuple[str, int]] = frozenset()  # (field, person): the person has one of the field's roles


# --------------------------------------------------------------- what comes out


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why not. ``code`` is stable; ``about`` names the field, guard or person; ``needs`` what would help.

    Where ``needs`` is for people (bad_value, guard, effect …) it is an English msgid and ``args`` its parameters, so
    that whoever shows it can say it in the reader's language.

    Codes: ended, version, no_such_act, not_offered, not_yours, spent, at_once, child_open, clock_stopped,
    missing, unknown, bad_value, too_few_people, not_of_role, guard, same_person, already_signed, differs, unverified,
    not_due, no_office.
    """

    code: str
    about: str = ""
    needs: str = ""
    args: Frozen = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Refusals:
    """All reasons, in the order of the checks; never empty."""

    reasons: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A child or follow-up case that the decision opens, with the values that its opening act gets."""

    mechanism: str
    joined: bool
    id: str = ""
    values: Frozen = field(default_factory=dict)
    handed: frozenset[str] = frozenset()  # those of them that the mechanism itself hands down


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens: the case after it, and what a door must do besides."""

    case: Case  # after the act, seq + 1
    act: str
    state_before: str
    facts_seen: Frozen
    opens: tuple[Open, ...] = ()
    recalls: tuple[str, ...] = ()  # ids of children to end by parent.recall
    effects: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    ended: bool = False
    signed_only: bool = False  # a signature was recorded, more are needed
    seen_only: bool = False  # a signal whose bound is spent was recorded as seen
    numbers: bool = False  # the case's number is due now


@dataclass(frozen=True, slots=True)
class May:
    """What an actor may do: the act, or every reason why not."""

    act: Act
    refusals: tuple[Refusal, ...] = ()
    signed: int = 0  # signatures given so far

    @property
    def allowed(self) -> bool:
        """Nothing stands against it."""
        return not self.refusals
