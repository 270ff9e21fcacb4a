"""What the kernel may know about the world, gathered for one call: roles, the law of the day, guards' facts.

In: a held case, who acts, what is given, the time. Out: the kernel's ``Facts``; reading happens here so that
the kernel stays pure.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop

from fengsui.law import edits, numbers
from fengsui.law.amounts import parse_amount
from fengsui.ledger import mechanisms, registry
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.kernel import extensions
from fengsui.ledger.kernel.guards import PURE
from fengsui.ledger.kernel.pace import shortened
from fengsui.ledger.kernel.people import roles_of
from fengsui.ledger.kernel.shapes import Act, Actor, Facts, Mechanism, Share, Table
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole
from fengsui.region import roles as region_roles

PERSON_KINDS = frozenset({"person", "people"})


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What ``region.roles`` wants to know of a case."""

    kind: str
    id: str
    place_code: str | None
    duty: str
    site_id: int | None
    office_id: int | None
    opener: int | None
    owner: int | None
    parent_owner: int | None


def whereabouts(held: Held, parent: Held | None) -> Whereabouts:
    """Where the case stands, for finding offices; ``owner`` is its last overseer once it has climbed."""
    row, about = held.row, str(held.row["about_id"])
    number = whole(about)
    over = held.case.overseers
    return Whereabouts(
        kind=row["about_kind"],
        id=about,
        place_code=row["place_code"] or None,
        duty=row["duty"],
        site_id=number if row["about_kind"] == "site" else None,
        office_id=number if row["about_kind"] == "office" else None,
        opener=row["opener_id"],
        owner=over[-1] if over else row["owner_id"],
        parent_owner=parent.row["owner_id"] if parent else row["opener_id"],
    )


# ------------------------------------------------------------------ remembered

_found: ContextVar[dict[Hashable, Any] | None] = ContextVar("found", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Inside, what depends on region and time alone is found once: a batch asks the same for case after case.

    For one transaction that changes nothing in the region.
    """
    mark = _found.set({})
    try:
        yield
    finally:
        _found.reset(mark)


def _once(key: Hashable, find: Callable[[], Any]) -> Any:
    known = _found.get()
    if known is None:
        return find()
    if key not in known:
        known[key] = find()
    return known[key]


# ---------------------------------------------------------------------- roles

_SIGNALS = ("event.", "clock.", "child.", "parent.", "holder.", "field.")
_TOLD = frozenset({"raiser", "holder", "owner", "parties"})


@functools.cache
def words_used(digest: str) -> frozenset[str]:
    """Every role that the mechanism names: ``ROLE`` or ``ROLE.up``."""
    mechanism, found = mechanisms.version(digest), set[str]()
    for act in every_act(mechanism):
        found |= {*act.by, *act.tells, *(word for word in act.assigns.values() if isinstance(word, str))}
    found |= {state.owner for state in mechanism.states.values()}
    found |= {clock.holder for clock in mechanism.clocks.values()}
    found |= {word for end in mechanism.ends.values() for word in end.tells}
    for child in mechanism.children.values():
        found |= {word for word in child.gives.values() if isinstance(word, str)}
    found |= set(mechanism.readers)
    known = registry.names().roles
    return frozenset(
        word for word in found if not word.startswith(_SIGNALS) and word not in _TOLD and word.removesuffix(".up") in known
    )


def every_act(mechanism: Mechanism) -> Iterable[Act]:
    """Opening acts, those of states, and those possible always."""
    yield from mechanism.opening.values()
    for state in mechanism.states.values():
        yield from state.actions
    yield from mechanism.always.values()


def resolve(words: Iterable[str], where: Whereabouts, now: datetime) -> dict[str, int | None]:
    """Role words → offices now."""
    wanted = list(words)
    plain = {word.removesuffix(".up") for word in wanted}
    offices = region_roles.resolve_all(sorted(plain), where, now)
    return {
        word: _up(offices[word.removesuffix(".up")], where, now) if word.endswith(".up") else offices[word] for word in wanted
    }


def _up(office: int | None, where: Whereabouts, now: datetime) -> int | None:
    return region_roles.one_up(office, where.duty, now) if office is not None else None


def person_offices(held: Held, values: Mapping[str, Any], now: datetime) -> dict[str, int | None]:
    """``field.F`` → the office of the first running post of the person it names."""
    named: dict[str, int] = {}
    for name, field in held.mechanism.fields.items():
        value = values.get(name, held.case.fields.get(name))
        if field.kind in PERSON_KINDS and value:
            first = value[0] if isinstance(value, list) else value
            if isinstance(first, int) and not isinstance(first, bool):
                named[f"field.{name}"] = first
    if not named:
        return {}
    return {word: _once((person, now), partial(office_of_person, person, now)) for word, person in named.items()}


def office_of_person(person: int, now: datetime) -> int | None:
    """The office of the person's first running post, or who is above it where nobody can sign in; None without a post."""
    from fengsui.region.models import Holding

    running = Holding.running(now).filter(person_id=person)
    office = running.values_list("post__office_id", flat=True).first()
    return region_roles.stand_in((), office, "", now) if office is not None else None


def held_roles(held: Held, actor: Actor, offices: Mapping[str, int | None], now: datetime) -> frozenset[str]:
    """Which of the role words the actor fills in the post acted in."""
    if actor.kind == "public":
        return frozenset({"public"})
    if actor.kind != "person" or actor.person is None or actor.post is None:
        return frozenset()
    return frozenset(
        word
        for word, office in offices.items()
        if office == actor.office
        and not word.startswith("field.")
        and region_roles.answers_for(actor.person, actor.post, "up" if word.endswith(".up") else word, office, now)
    )


@functools.cache
def posts_asked(digest: str) -> frozenset[str]:
    """Every role by whose posts somebody may act in the mechanism for an office that a field or a clock names."""
    mechanism, found = mechanisms.version(digest), {"up", "opener"}
    for field in mechanism.fields.values():
        found |= set(field.acts_as)
    for clock in mechanism.clocks.values():
        found |= set(roles_of(mechanism, clock.holder))
    return frozenset(found & region_roles.roles().keys())


def filled_roles(mechanism: Mechanism, actor: Actor, now: datetime) -> frozenset[str]:
    """Of those roles the ones whose work is that of the post acted in, which the actor must hold or deputise."""
    if actor.kind != "person" or actor.person is None or actor.post is None:
        return frozenset()
    return region_roles.held_in(posts_asked(mechanism.digest), actor.person, actor.post, actor.office, now)


def people_named(
    mechanism: Mechanism, where: Whereabouts, values: Mapping[str, Any], now: datetime
) -> tuple[dict[tuple[str, int], int], frozenset[tuple[str, int]]]:
    """Of the values given: (field, office) → how many may act there for it, and (field, person) that have its role."""
    people: dict[tuple[str, int], int] = {}
    fit: set[tuple[str, int]] = set()
    for name, value in values.items():
        declared = mechanism.fields.get(name)
        if declared is None or not declared.acts_as or value is None:
            continue
        named = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)]
        if declared.kind in PERSON_KINDS:
            able = region_roles.persons_of(declared.acts_as, where, now)
            fit.update((name, one) for one in named if one in able)
        else:
            people |= {(name, one): len(region_roles.people_in(declared.acts_as, one, now)) for one in named}
    return people, frozenset(fit)


# ------------------------------------------------------------------------ law


@dataclass(frozen=True, slots=True)
class LawLine:
    """What a clock's row tells people about its amount."""

    written: str
    version: str


def _law_names(mechanism: Mechanism) -> frozenset[str]:
    found = {clock.amount.name for clock in mechanism.clocks.values() if clock.amount.kind == "law"}
    found |= {state.within.name for state in mechanism.states.values() if state.within.kind == "amount"}
    for act in every_act(mechanism):
        found |= set(extensions.limits(act).values())
    for state in mechanism.states.values():
        found |= {owes.every.removeprefix("law.") for owes in state.owes}
    found |= {law.removeprefix("law.") for field in mechanism.fields.values() for law in (field.at_most, field.spare) if law}
    found |= {child.pause_at_most.removeprefix("law.") for child in mechanism.children.values() if child.pause_at_most}
    return frozenset(name for name in found if "." in name)


@functools.lru_cache(maxsize=512)
def _law(digest: str, on: date, book: int) -> tuple[Mapping[str, Any], Mapping[str, LawLine]]:
    lengths: dict[str, Any] = {}
    lines: dict[str, LawLine] = {}
    for name in _law_names(mechanisms.version(digest)):
        try:
            number = numbers.find(name, on)
        except numbers.UnknownNumber:
            continue
        pace = mechanisms.version(digest).pace
        lines[name] = LawLine(number.written, (number.amended or str(number.effective_from)) + (f" ÷{pace}" if pace > 1 else ""))
        if number.table is not None and number.duration is not None:
            lengths[name] = Table(number.keyed_by, {key: shortened(parse_amount(row), pace) for key, row in number.table.items()})
        elif number.duration is not None:
            lengths[name] = shortened(number.duration, pace)
        elif number.unit == "1" and isinstance(number.value, int | float):
            lengths[name] = Share(number.value)
    return lengths, lines


def law_of(mechanism: Mechanism, now: datetime) -> tuple[Mapping[str, Any], Mapping[str, LawLine]]:
    """The mechanism's law numbers on the legal day of ``now``: lengths for the kernel, lines for people."""
    edits.sync()
    return _law(mechanism.digest, now.astimezone(LEGAL_ZONE).date(), id(numbers.book()))


@functools.lru_cache(maxsize=512)
def _choices(digest: str, on: date, book: int) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name, field in mechanisms.version(digest).fields.items():
        if isinstance(field.of, str) and field.of:
            try:
                rows = numbers.choices(field.of.removeprefix("law."), on)
            except numbers.UnknownNumber:
                continue
            found[name] = frozenset(row.code for row in rows)
    return found


def choices_of(mechanism: Mechanism, now: datetime) -> Mapping[str, frozenset[str]]:
    """Field → what may be chosen, for fields whose choices are a law number's."""
    edits.sync()
    return _choices(mechanism.digest, now.astimezone(LEGAL_ZONE).date(), id(numbers.book()))


# --------------------------------------------------------------------- guards


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts, and what the door needs besides to write its rows."""

    facts: Facts
    law: Mapping[str, LawLine]
    given: Mapping[str, Any]  # registered facts read, by name


def judge(
    names: Iterable[str], held: Held, act: str, actor: Actor, values: Mapping[str, Any], now: datetime
) -> tuple[dict[str, bool], dict[str, str], dict[str, Any]]:
    """Evaluate registered guards: truths, the sentence for each that fails, and the facts that were read."""
    truths: dict[str, bool] = {}
    why: dict[str, str] = {}
    given: dict[str, Any] = {}
    sight = registry.Sight(held.case, held.row, act, actor, values, now)
    for name in names:
        declared = held.mechanism.guards.get(name, {}).get("facts", ())
        for fact in declared:
            if fact not in given and registry.has_fact(fact):
                given[fact] = registry.fact(fact)(sight)
        if name in PURE:
            continue  # the kernel judges these itself
        if not registry.has_guard(name):
            truths[name], why[name] = False, gettext_noop("No room of this installation can establish this condition")
            continue
        rule = registry.guard(name)
        for fact in rule.facts:
            if fact not in given:
                given[fact] = registry.fact(fact)(sight)
        sight = registry.Sight(held.case, held.row, act, actor, values, now, {fact: given[fact] for fact in rule.facts})
        verdict = rule.check(sight)
        truths[name] = not isinstance(verdict, str) and bool(verdict)
        if not truths[name]:
            why[name] = verdict if isinstance(verdict, str) and verdict else rule.why
    return truths, why, given


def gather(
    held: Held,
    acts: Iterable[Act],
    actor: Actor,
    values: Mapping[str, Any],
    now: datetime,
    *,
    parent: Held | None = None,
    new_ids: tuple[str, ...] = (),
    judged: bool = True,
    there: Held | None = None,
) -> Gathered:
    """Everything that deciding one of ``acts`` may look at; ``judged`` False leaves guards to be asked by act.

    ``there`` is the case as the act will put it to a site: roles are looked for from there.
    """
    if parent is None and held.case.parent:
        parent = read([held.case.parent], lock=False).get(held.case.parent)
    where = whereabouts(there or held, parent)
    digest = held.mechanism.digest
    offices: dict[str, Any] = dict(_once((digest, where, now), lambda: resolve(words_used(digest), where, now)))
    offices.update(person_offices(held, values, now))
    who = (actor.kind, actor.person, actor.principal, actor.office, actor.post)
    holds = _once((digest, who, now, *offices.items()), lambda: held_roles(held, actor, offices, now))
    lengths, lines = law_of(held.mechanism, now)
    truths: dict[str, bool] = {}
    why: dict[str, str] = {}
    given: dict[str, Any] = {}
    if parent is not None:
        given["parent"] = {**parent.case.fields, "title": parent.row["title"]}
        offices.update({f"parent.{name}": value for name, value in given["parent"].items()})
    if judged:
        for act in acts:
            # a guard looks at the case, the actor and the values: judged for one act, judged for all
            asked = [name for name in mechanisms.registered_guards(act.needs) if name not in truths]
            ruled = judge(asked, held, act.name, actor, values, now)
            truths.update(ruled[0])
            why.update(ruled[1])
            given.update(ruled[2])
    people, fit = people_named(held.mechanism, where, values, now)
    facts = Facts(
        roles=offices,
        holds=holds,
        fills=_once(("fills", digest, who, now), lambda: filled_roles(held.mechanism, actor, now)),
        people=people,
        fit=fit,
        truths=truths,
        law=lengths,
        given=given,
        choices=choices_of(held.mechanism, now),
        new_ids=new_ids,
        why=why,
    )
    return Gathered(facts, lines, {name: value for name, value in given.items() if name != "parent"})
