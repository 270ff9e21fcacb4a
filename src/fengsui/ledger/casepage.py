"""One case as a page: head, what I may do and why not the rest, facts, clocks, timeline, lineage, drawing.

In: a case that the reader may see, the post the page speaks for, the time. Out: template context; reads only.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language, gettext

from fengsui.ledger import (
    clocklines,
    drawing,
    effects,
    erasure,
    forms,
    lineage,
    mechanisms,
    names,
    notices,
    openness,
    reading,
    reporters,
    sentences,
    timelines,
    titles,
)
from fengsui.ledger.doors import calling, persons_acts, sharing
from fengsui.ledger.doors.facts import law_of
from fengsui.ledger.doors.held import Held, read
from fengsui.ledger.kernel.shapes import Act, Mechanism, Rung
from fengsui.ledger.kernel.times import later
from fengsui.ledger.models import CallLine, CallRecord, Case, Clock, Leaf, Notice
from fengsui.ledger.reading.possible import Cannot, May, may
from fengsui.ledger.reading.sealed import files, hidden_fields
from fengsui.ledger.timelines import facts, timeline
from fengsui.region.acting import Acting, scope
from fengsui.region.tree import once, tree

DIRECT = 3
"""So many acts stand as buttons; the rest in a menu."""


@dataclass(frozen=True, slots=True)
class Can:
    """An act that may be done: ``form`` whether it asks for anything."""

    name: str
    title: str
    form: bool
    primary: bool
    signed: int
    signatures: int


@dataclass(frozen=True, slots=True)
class WhyNot:
    """An act that may not be done, with the reasons as sentences."""

    title: str
    why: list[str]


def who(acting: Acting) -> str:
    """``苏日娜·自治区应急管理厅·值班员``: the person, the office, the post."""
    return who_each([acting])[0]


def who_each(actings: Sequence[Acting]) -> list[str]:
    """``who`` of each; one query however many there are, asked once for a page."""
    posts = once(("who", tuple(actings)), lambda: _names_of(actings))
    persons, offices, titled = posts
    said = []
    for one in actings:
        parts = (persons.get(one.person_id, ""), titles.here(offices.get(one.office_id)), titles.here(titled.get(one.post_id)))
        line = "·".join(part for part in parts if part)
        if one.principal_id:
            line += gettext(" (for %(principal)s)") % {"principal": persons.get(one.principal_id, "")}
        said.append(line)
    return said


def _names_of(actings: Sequence[Acting]) -> tuple[dict[int, str], dict[Any, Any], dict[Any, Any]]:
    return (
        names.persons(person for one in actings for person in (one.person_id, one.principal_id)),
        names.offices(one.office_id for one in actings),
        names.posts(one.post_id for one in actings),
    )


def places_below(posts: Sequence[Acting]) -> list[tuple[str, str]]:
    """The places of my posts and those directly below them, for the filter."""
    known = tree().places
    mine = {scope(one).place_path for one in posts}
    codes = {node.code for node in known.values() if node.path in mine}
    found = [node for node in known.values() if node.code in codes or node.parent in codes]
    found.sort(key=lambda node: node.pinyin)
    return [(node.code, titles.here({"zh": node.name[0], "en": node.name[1]})) for node in found[:130]]


def build(
    case: Case, posts: Sequence[Acting], acting: Acting, now: datetime, *, whole: bool = False, before: int | None = None
) -> dict[str, Any]:
    """Everything the case's template needs. ``before``: the timeline shows the entries below this number."""
    mechanism = mechanisms.version(case.version_id)
    clocks = list(Clock.objects.filter(case=case, current=True).order_by("stopped", "due"))
    running = [clock for clock in clocks if clock.stopped is None and not case.ended]
    walked = timelines.steps(case)
    can, cannot = sorted_out(mechanism, *may(case, acting, now), stopping(mechanism, running, [acting.office_id]))
    held = read([str(case.pk)], lock=False)[str(case.pk)]
    hidden = hidden_fields(mechanism, held, acting, walked, now)
    shown = timelines.shown(case, before)
    offices = names.offices([case.owner_id, case.opener_id, case.holder_id, *(clock.holder_id for clock in clocks)])
    plan = _plan(mechanism, walked, case, running, offices, whole)
    main = _main_clock(running, case)
    return {
        "case": case,
        "mechanism": mechanism,
        "mechanism_title": titles.mechanism(mechanism),
        "version": mechanisms.stored(case.version_id),
        "state_title": titles.state(mechanism, case.state),
        "phase": drawing.phase(mechanism, case.state, bool(main and main.paused_at)),
        "mine": any(one.primary for one in can) and case.owner_id == acting.office_id,
        "owner": titles.here(offices.get(case.owner_id)),
        "holder": titles.here(offices.get(case.holder_id)) if case.holder_id != case.owner_id else "",
        "opener": titles.here(offices.get(case.opener_id)),
        "place": titles.here(names.places([case.place_code]).get(case.place_code)),
        "site": titles.here(next(iter(names.sites([case.about_id]).values()), None)) if case.about_kind == "site" else "",
        "openness": openness.words(case),
        "acting": acting,
        "acting_name": who(acting),
        "other_posts": [(one, said) for one, said in zip(posts, who_each(posts), strict=True) if one != acting],
        "can": can[:DIRECT],
        "can_more": can[DIRECT:],
        "cannot": cannot,
        "key": str(uuid.uuid4()),
        **_clocks(mechanism, main, running, offices, now),
        "reckoned": clocklines.reckoned(mechanism, clocks, offices),
        "facts": facts(mechanism, case, hidden),
        "evidence": _evidence(case, hidden, acting),
        "timeline": timeline(mechanism, shown, hidden, timelines.corrections_of(case, walked)),
        "beside": beside(case, held, acting, now),
        "entries": case.seq,
        "earlier": shown[-1].seq if shown and shown[-1].seq > 1 else None,
        "later": before is not None,
        "sealed": Leaf.objects.filter(entry__case=case).count(),
        "lineage": lineage.drawn(case, posts, now),
        "unclaimed": [titles.here(title) for title in effects.unclaimed(case)],
        "reporter": reporters.beside(case, acting, now),
        "calls": calls(case, acting),
        "drawing": drawing.svg(plan, gettext("The mechanism with the present state marked")),
        "folded": plan.folded,
        "steps": _steps(mechanism, plan, walked, case),
    }  # fmt: skip


def _clocks(
    mechanism: Mechanism, main: Clock | None, running: Sequence[Clock], offices: Mapping[int | None, Any], now: datetime
) -> dict[str, Any]:
    """The big clock with its ladder, and the others that run."""
    return {
        "clock": main,
        "clock_title": titles.clock(mechanism, main.name) if main else "",
        "clock_total": titles.amount(main.amount) if main and main.amount else "",
        "ladder": _ladder(mechanism, main, now) if main else [],
        "other_clocks": [
            (one, titles.clock(mechanism, one.name), titles.here(offices.get(one.holder_id)))
            for one in running
            if one is not main
        ],
    }


def beside(case: Case, held: Held, acting: Acting, now: datetime) -> dict[str, bool]:
    """Which of the ledger's own acts this post may do, for the case's menu; the doors ask again."""
    actor = reading.actor_of(acting)
    answers = not persons_acts.is_enterprise(acting.office_id) and persons_acts.answers(held, actor, now)
    return {
        "merge": answers and not case.ended and not case.confidential,
        "share": sharing.may_share(held, actor, now),
        "payee": case.owner_id == acting.office_id and reporters.claimed_by_secret(case) is not None,
        "erase": erasure.may_erase(held, actor, now) and acting.may_do(case.mechanism, erasure.ACT, own=True),
    }


# ----------------------------------------------------------------- what I may do


def sorted_out(
    mechanism: Mechanism, possible: Sequence[May], others: Sequence[Cannot], urgent: frozenset[str] = frozenset()
) -> tuple[list[Can], list[WhyNot]]:
    """Acts allowed and the others with their reasons.

    First what stops my soonest clock (``urgent``), then what leads on; of the others those nearest to possible.
    """

    def rank(one: May) -> tuple[bool, ...]:
        return one.act.name not in urgent, one.act.name in mechanism.always, not one.act.to, _aside(one.act)

    allowed = sorted(possible, key=rank)
    can = [
        Can(
            name=one.act.name,
            title=_title(one.act),
            form=bool(forms.asked(mechanism, one.act)),
            primary=at == 0 and (one.act.name in urgent or one.act.name not in mechanism.always),
            signed=one.signed,
            signatures=one.act.signatures,
        )
        for at, one in enumerate(allowed)
    ]
    far = sorted(others, key=lambda one: (one.act.name in mechanism.always, any(why.code == "not_yours" for why in one.reasons)))
    return can, [WhyNot(_title(one.act), sentences.all_of(mechanism, one.reasons)) for one in far]


def stopping(mechanism: Mechanism, running: Iterable[Clock], offices: Iterable[int]) -> frozenset[str]:
    """The acts that stop the soonest declared clock held by one of these offices."""
    mine = set(offices)
    held = [one for one in running if one.holder_id in mine and one.stopped is None and one.name in mechanism.clocks]
    first = min(held, key=lambda one: one.due, default=None)
    return mechanism.clocks[first.name].stops if first else frozenset()


def _title(act: Act) -> str:
    return titles.here(act.title) or titles.spaced(act.name)


def _aside(act: Act) -> bool:
    """Acts that set the matter aside or send it back stand behind those that lead on."""
    return "opened" in act.verifies or bool(act.clears)


# ------------------------------------------------------------------ clocks, drawing


def _main_clock(running: Sequence[Clock], case: Case) -> Clock | None:
    own = [clock for clock in running if clock.name == f"within:{case.state}"]
    return min(own or running, key=lambda clock: clock.due, default=None)


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the ladder under the big clock."""

    offset: str
    what: str
    at: datetime | None
    done: bool


def _ladder(mechanism: Mechanism, clock: Clock, now: datetime) -> list[Step]:
    rungs = mechanism.ladders.get(clock.ladder, ())
    return [_step(rungs, index, clock) for index in range(len(rungs))]


def _step(rungs: Sequence[Rung], index: int, clock: Clock) -> Step:
    rung = rungs[index]
    said = []
    if rung.tells:
        said.append(gettext("remind %(whom)s") % {"whom": titles.listed(_whom(one) for one in rung.tells)})
    if rung.climbs:
        said.append(gettext("climb to %(whom)s") % {"whom": _whom(rung.climbs)})
    said += [titles.spaced(one) if one != "call_list" else gettext("call list") for one in rung.effects]
    said += [gettext("draft: %(what)s") % {"what": sentences.child(one)} for one in rung.opens if not _confidential(one)]
    plain = rung.at.strip()
    offset = gettext("when due") if plain in ("0", "+0") else ("−" if plain.startswith("-") else "+") + titles.amount(plain)
    return Step(offset, titles.listed(said, "，"), later(clock.due, rung.offset), index < clock.rung)


def _confidential(kind: str) -> bool:
    """Whether a rung's child has readers of its own: a ladder that was climbed would tell everybody that it exists."""
    try:
        return bool(mechanisms.current(kind).readers)
    except LookupError:
        return False


def _whom(role: str) -> str:
    known = {"holder": gettext("the holder"), "up": gettext("the office above"), "top": gettext("the region")}
    return known.get(role) or titles.role(role)


def _plan(
    mechanism: Mechanism,
    entries: Sequence[timelines.Step],
    case: Case,
    running: Sequence[Clock],
    offices: Mapping[Any, Any],
    whole: bool,
) -> drawing.Plan:
    walked = [entry.state_after for entry in reversed(entries)]
    path = [state for at, state in enumerate(walked) if at == 0 or state != walked[at - 1]]
    _, lines = law_of(mechanism, case.moved_at)

    def words(name: str) -> tuple[str, str]:
        title = titles.state(mechanism, name)
        if name not in mechanism.states:
            verified = drawing.phase(mechanism, name) == "verified"
            return title, gettext("verified, raiser told") if verified else gettext("raiser told")
        state = mechanism.states[name]
        owner = titles.role(state.owner, mechanism)
        if name == case.state and case.owner_id in offices:
            owner = titles.here(offices.get(case.owner_id))
        line = lines.get(state.within.name)
        within = titles.amount(line.written) if line else ""
        return title, "·".join(part for part in (owner, within) if part)

    return drawing.plan(mechanism, path, words, whole=whole)


def _steps(mechanism: Mechanism, plan: drawing.Plan, entries: Sequence[timelines.Step], case: Case) -> list[dict[str, str]]:
    """The five-step form of the drawing for a phone."""
    seen = {entry.state_after for entry in entries}
    road = list(plan.road)
    at = road.index(case.state) if case.state in road else 0
    first = max(0, min(at - 2, len(road) - 5))
    marks = []
    for state in road[first : first + 5]:
        mark = "present" if state == case.state else "walked" if state in seen else "end" if state in mechanism.ends else "ahead"
        marks.append({"title": titles.state(mechanism, state), "mark": mark})
    return marks


# ------------------------------------------------------------------------- evidence


def _evidence(case: Case, hidden: frozenset[str], acting: Acting) -> list[dict[str, Any]]:
    """The files, the newest first; where a photo was taken is not said of those the public sent."""
    found: dict[str, dict[str, Any]] = {}
    for use in reversed(files(case, hidden, acting)):
        kept = use.evidence
        found.setdefault(
            kept.digest,
            {"digest": kept.digest, "name": kept.name, "photo": kept.media_type.startswith("image/"), "small": kept.thumbnail,
             "at": use.entry.at, "size": kept.size, "position": kept.position, "withdrawn": use.withdrawn_seq},
        )  # fmt: skip
    return list(found.values())


# ----------------------------------------------------------------------- calls

CALL_RESULTS = CallRecord.RESULTS


def calls(case: Case, acting: Acting) -> list[dict[str, Any]]:
    """The call list: each number once (its newest listing) with the results recorded so far; of an ended case to read only."""
    found = calls_of({case.pk: acting}).get(case.pk, [])
    return [one | {"mine": one["mine"] and not case.ended} for one in found]


def calls_of(posts: Mapping[Any, Acting]) -> dict[Any, list[dict[str, Any]]]:
    """``calls`` of many cases, each with the post it is shown to; those without a list are absent. Three queries.

    ``whose`` is the callee's post and office, ``mine`` whether that post may record the call (`doors.calling`).
    """
    lines = CallLine.objects.filter(case__in=list(posts)).prefetch_related("records").order_by("-listed_at", "order")
    whose = names.callees((line.contact_id, line.office_id) for line in lines)
    found: dict[Any, dict[str, dict[str, Any]]] = {}
    for line in lines:
        known = {
            "line": line,
            "records": [],
            "results": CALL_RESULTS,
            "whose": whose[line.contact_id, line.office_id],
            "mine": calling.may_record(posts[line.case_id].office_id, line.office_id),
        }
        one = found.setdefault(line.case_id, {}).setdefault(line.phone, known)
        one["records"] += list(line.records.all())
    return {
        case: sorted(each.values(), key=lambda one: (one["line"].listed_at, one["line"].order)) for case, each in found.items()
    }


def notice_lines(lines: Sequence[Notice]) -> list[dict[str, Any]]:
    """Notices as sentences in the reader's language."""
    shown = []
    for one in lines:
        subject, _ = notices.words(one, get_language() or "zh-hans")
        line = {"notice": one, "case": one.case, "text": subject.split(": ")[0], "link": notices.link(one), "times": 1}
        if one.case is not None:
            line |= {"mechanism": titles.mechanism(mechanisms.version(one.case.version_id)), "under": one.case.title}
        else:
            line |= {"under": f"{notices.shared_by(one)} · {notices.shared_what(one)}"}
        shown.append(line)
    return shown


def gathered(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """`notice_lines` with one line for the same words about the same case: the newest, and how many ``times``.

    A clock that climbs every few minutes would otherwise push everything else off the page. A line counts as
    unseen while its reader (``notices.marked``) has not seen one of those gathered in it.
    """
    kept: dict[tuple[Any, str], dict[str, Any]] = {}
    for line in lines:
        about = line["case"].pk if line["case"] is not None else line["under"]
        first = kept.setdefault((about, line["text"]), line | {"times": 0, "unseen": False})
        first["times"] += 1
        first["unseen"] |= not getattr(line["notice"], "seen", False)
    return list(kept.values())
