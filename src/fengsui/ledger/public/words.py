"""The ledger's states and decisions in words for somebody who never saw the ledger.

In: a case whose secret was shown. Out: where it stands, what was decided when and on what grounds, what comes next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from fengsui.ledger import drawing, mechanisms, names, notices, timelines, titles
from fengsui.ledger.doors.applying import REPORTER
from fengsui.ledger.doors.doubles import survivor
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.models import Case, Clock, Entry, Notice
from fengsui.ledger.public.intake import intake
from fengsui.ledger.public.intake import told as told_fields

SHOWN_KINDS = ("text", "choice", "date")
"""Kinds of fields whose values name nobody."""


@dataclass(frozen=True, slots=True)
class Told:
    """One decision that the reporter is told: what, when, in which words."""

    title: str
    at: datetime
    text: str
    phase: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step still to come, or the one that runs."""

    title: str
    text: str
    phase: str
    clock: Clock | None = None
    at: datetime | None = None


def too_many() -> str:
    """Too many reports from one address."""
    return gettext("Many reports came from your network in the last hour. Please wait a little, or phone 12350.")


PHASES = {
    "new": lambda: gettext("Received. The office has to decide whether to take it up."),
    "doing": lambda: gettext("Taken up and being dealt with."),
    "review": lambda: gettext("The work is reported as done; officers who did not do it check it."),
    "paused": lambda: gettext("Paused for a reason that is on record."),
    "verified": lambda: gettext("Done, and checked by officers who did not do it."),
    "ended": lambda: gettext("Closed. The decision and its grounds stand below."),
}


def standing(case: Case) -> dict[str, Any]:
    """Where the matter stands now: the state's title, a sentence, the office, the running deadline."""
    mechanism = mechanisms.version(case.version_id)
    phase = drawing.phase(mechanism, case.state)
    first = Entry.objects.filter(case=case, seq=1).values_list("state_after", flat=True).first()
    if phase == "new" and case.state != first:  # a state that other cases begin in: this one has left its own beginning
        phase = "doing"
    clock = None if case.ended else _running(case)
    return {
        "state": titles.state(mechanism, case.state),
        "phase": phase,
        "sentence": PHASES[phase]() if phase in PHASES else "",
        "office": titles.here(names.offices([case.owner_id]).get(case.owner_id)),
        "clock": clock,
    }


def _running(case: Case) -> Clock | None:
    own = Clock.objects.filter(case=case, stopped__isnull=True, paused_at__isnull=True)
    return own.filter(name=f"within:{case.state}").first() or own.order_by("due").first()


def told(case: Case) -> list[Told]:
    """Everything the reporter was told, newest first: the receipt of the report, then each decision with its grounds.

    After a merge also what the case that goes on told, and what a reward's case tells the reporter.
    """
    mechanism = mechanisms.version(case.version_id)
    entries = {one.seq: one for one in Entry.objects.filter(case=case)}
    found = [
        _told(mechanism, entries.get(notice.args.get("seq", 0)), notice.args, notice.at, notice.kind == "end")
        for notice in notices.told(case)
    ]
    found += _elsewhere(case)
    found.sort(key=lambda one: one.at)
    opened = entries.get(1)
    if opened is not None:
        found.insert(0, Told(gettext("Your report was received and sealed"), opened.at, "", "verified"))
    return found[::-1]


def _elsewhere(case: Case) -> list[Told]:
    """What cases beside the report's own tell its reporter: the one it was merged into, and those it opened."""
    rows: dict[tuple[Any, int], tuple[Case, Notice]] = {}
    if goes_on := survivor(case.pk):
        other = Case.objects.get(pk=goes_on)
        for one in notices.told(other):
            if case.ended_at is not None and one.at >= case.ended_at:
                rows[other.pk, one.args.get("seq", 0)] = (other, one)
    for one in (
        Notice.objects.filter(case__parent_id=goes_on or case.pk, role=REPORTER).select_related("case").order_by("at", "id")
    ):
        if one.case is not None:
            rows[one.case_id, one.args.get("seq", 0)] = (one.case, one)
    found = []
    for about, one in rows.values():
        mechanism = mechanisms.version(about.version_id)
        entry = Entry.objects.filter(case=about, seq=one.args.get("seq", 0)).first()
        said = _told(mechanism, entry, one.args, one.at, one.kind == "end")
        title = said.title if about.mechanism == case.mechanism else f"{titles.mechanism(mechanism)}：{said.title}"
        found.append(Told(title, said.at, said.text, said.phase))
    return found


def _told(mechanism: Mechanism, entry: Entry | None, args: Mapping[str, Any], at: datetime, end: bool) -> Told:
    title = titles.act(mechanism, str(args.get("act", "")))
    state = str(args.get("state", ""))
    if end:
        title = f"{title}：{titles.state(mechanism, state)}"
    return Told(title, at, _grounds(mechanism, entry), drawing.phase(mechanism, state))


def _grounds(mechanism: Mechanism, entry: Entry | None) -> str:
    """What the deciding person wrote for the reporter: the fields that ``data/public.yaml`` lists for the act, none other.

    Anybody with the secret reads it, so nothing is shown for being there: neither what offices write to each other nor
    orders and papers to an enterprise; nothing sealed and no names, whatever is listed.
    """
    if entry is None:
        return ""
    fields = told_fields().get(mechanism.name, {}).get(entry.act, ())
    said, values = [], _values(entry) if fields else {}
    for name in fields:
        field, value = mechanism.fields.get(name), values.get(name)
        if field is None or value in (None, "") or field.sealed or field.sealed_until or field.kind not in SHOWN_KINDS:
            continue
        said.append(f"{titles.field(field)}{titles.mark('：')}{timelines.said(field, value, entry.at.date())}")
    return titles.listed(said, "；")


def _values(entry: Entry) -> dict[str, Any]:
    """The values of a decision: those with the last signature and, where it gave none, those that the ones before signed."""
    values = dict(entry.content().get("values", {}))
    for earlier in Entry.objects.filter(case_id=entry.case_id, act=entry.act, seq__lt=entry.seq).order_by("-seq"):
        content = earlier.content()
        if not content.get("besides", {}).get("signed_only"):
            break
        values = {**content.get("values", {}), **values}
    return values


def ahead(case: Case, clock: Clock | None) -> list[Step]:
    """What happens after a report, with the deadline that runs."""
    office = titles.here(names.offices([case.owner_id]).get(case.owner_id))
    by = gettext("%(office)s must decide by then whether to take it up.") % {"office": office} if office else ""
    return [
        Step(gettext("Received and sealed"), "", "verified", at=case.opened_at),
        Step(gettext("Check"), by, "doing", clock=clock),
        Step(gettext("You are told the decision"), gettext("With code and password; nobody phones you unasked."), "new"),
        Step(gettext("Closed, and you are told how"), titles.here(intake().ending), "new"),
    ]
