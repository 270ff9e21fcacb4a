"""The record of a case in words: the states it went through, its facts, its entries newest first.

In: a case that the reader may see, and what stays sealed from them. Out: lines for pages. Bodies of entries are read
for the lines shown and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext, pgettext

from fengsui.ledger import drawing, erasure, names, titles
from fengsui.ledger.doors import calling, correcting, merging, sharing
from fengsui.ledger.kernel.shapes import Field, Mechanism
from fengsui.ledger.models import Case, Entry
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole

AT_ONCE = 60
"""Entries on one page; earlier ones are one click further."""


class Step(NamedTuple):
    """An entry without its body."""

    seq: int
    act: str
    state_after: str


def steps(case: Case) -> list[Step]:
    """All entries of the case, newest first, without their bodies."""
    rows = Entry.objects.filter(case=case).order_by("-seq").values_list("seq", "act", "state_after")
    return [Step(*row) for row in rows]


def shown(case: Case, before: int | None) -> list[Entry]:
    """The newest entries, or those just below ``before``; at most ``AT_ONCE``."""
    entries = Entry.objects.filter(case=case).order_by("-seq")
    return list((entries.filter(seq__lt=before) if before is not None else entries)[:AT_ONCE])


def corrections_of(case: Case, walked: Sequence[Step]) -> dict[tuple[int, str], Any]:
    """``corrections`` of the whole case; no query where nothing was ever corrected."""
    if not any(one.act == correcting.ACT for one in walked):
        return {}
    return corrections(Entry.objects.filter(case=case, act=correcting.ACT))


# --------------------------------------------------------------------- values in words


@dataclass(frozen=True, slots=True)
class Known:
    """The names that values refer to, read together."""

    offices: Mapping[Any, Any] = field(default_factory=dict)
    persons: Mapping[int, str] = field(default_factory=dict)
    sites: Mapping[Any, Any] = field(default_factory=dict)
    places: Mapping[str, Any] = field(default_factory=dict)


_SORTS = {"office": "offices", "offices": "offices", "person": "persons", "people": "persons", "site": "sites", "place": "places"}


def known_of(pairs: Iterable[tuple[Field, Any]]) -> Known:
    """The names for these fields' values: at most one query of each sort."""
    wanted: dict[str, list[Any]] = {"offices": [], "persons": [], "sites": [], "places": []}
    for one, value in pairs:
        if sort := _SORTS.get(one.kind):
            wanted[sort] += _each(value)
    return Known(
        offices=names.offices(wanted["offices"]),
        persons=names.persons(wanted["persons"]),
        sites=names.sites(wanted["sites"]),
        places=names.places(wanted["places"]),
    )


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def facts(mechanism: Mechanism, case: Case, hidden: frozenset[str]) -> list[tuple[str, str]]:
    """What the case knows, as label and text; fields sealed from this reader and files are left out."""
    shown = []
    known = known_of((mechanism.fields[name], value) for name, value in case.fields.items() if name in mechanism.fields)
    for name, value in case.fields.items():
        field = mechanism.fields.get(name)
        if field is None or name in hidden or field.kind == "files" or value in (None, "", [], {}):
            continue
        shown.append((titles.field(field), said(field, value, case.moved_at.date(), known)))
    return shown


def said(field: Field, value: Any, day: date, known: Known | None = None) -> str:
    """A field's value in words; ``known`` where the names were read before."""
    kind = field.kind
    if kind in _SORTS:
        known = known or known_of([(field, value)])
        if kind in ("person", "people"):
            return titles.listed(known.persons[one] for one in _each(value) if one in known.persons)
        if kind == "site":
            return titles.here(known.sites.get(number)) if (number := whole(value)) is not None else ""
        from_ids = known.places if kind == "place" else known.offices
        return titles.listed(titles.here(from_ids[one]) for one in _each(value) if one in from_ids)
    if kind == "money" and isinstance(value, int):
        return f"¥{value / 100:,.2f}".removesuffix(".00")
    if kind == "time":
        return datetime.fromisoformat(str(value)).astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
    if kind == "choice":
        return _choice(field, value, day)
    if kind == "point" and isinstance(value, list) and len(value) == 2:
        return f"{value[0]}°E {value[1]}°N"
    if isinstance(value, list):
        return titles.listed((str(one) for one in value), "；")
    if isinstance(value, Mapping):
        return (
            titles.here(value)
            if set(value) <= {"zh", "en"}
            else titles.listed((f"{key} {one}" for key, one in value.items()), "；")
        )
    return str(value)


def _choice(field: Field, value: Any, day: date) -> str:
    if isinstance(field.of, tuple):
        return titles.here(field.labels.get(str(value))) or titles.spaced(str(value))
    from fengsui.law import numbers

    try:
        known = numbers.choices(field.of.removeprefix("law."), day) if field.of else []
    except numbers.UnknownNumber:
        known = []
    found = next((one for one in known if str(one.code) == str(value)), None)
    return titles.here(found.title) if found else str(value)


# --------------------------------------------------------------------- entries


@dataclass(frozen=True, slots=True)
class Said:
    """What an entry says of one field; struck where a correction stands beside it."""

    words: str
    right: str = ""
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the timeline."""

    seq: int
    title: str
    phase: str
    at: datetime
    by: str
    deputy: bool
    text: list[Said]
    person: bool
    erased: bool = False
    correctable: bool = False


def timeline(
    mechanism: Mechanism, entries: Sequence[Entry], hidden: frozenset[str], corrected: Corrected | None = None
) -> list[Line]:
    """Entries newest first, in words; ``corrected`` from all entries of the case, else from those given."""
    corrected = corrections(entries) if corrected is None else corrected
    people = names.persons([one for entry in entries for one in (entry.person_id, entry.principal_id)])
    offices = names.offices(entry.office_id for entry in entries)
    then = names.offices_then((entry.office_id, entry.at) for entry in entries)
    contents = [entry.content() for entry in entries]
    given = ((mechanism.fields.get(name), value) for one in contents for name, value in one.get("values", {}).items())
    known = known_of((field, value) for field, value in given if field is not None)
    return [
        _line(mechanism, entry, content, people, _named_then(entry, offices, then), known, hidden, corrected)
        for entry, content in zip(entries, contents, strict=True)
    ]


def _named_then(entry: Entry, offices: Mapping[int, Any], then: Mapping[tuple[int, date], Any]) -> Mapping[int, Any]:
    """The entry's office under the name that it had on that day."""
    old = then.get((entry.office_id or 0, entry.at.astimezone(LEGAL_ZONE).date()))
    return {**offices, entry.office_id: old} if old and entry.office_id else offices


Corrected = Mapping[tuple[int, str], Any]


def corrections(entries: Iterable[Entry]) -> dict[tuple[int, str], Any]:
    """(seq of an entry, field) → what it should have said, by the latest correction."""
    found: dict[tuple[int, str], Any] = {}
    for entry in sorted((one for one in entries if one.act == correcting.ACT), key=lambda one: one.seq):
        values = entry.content().get("values", {})
        if "becomes" in values:
            found[(values["entry"], values["field"])] = values["becomes"].get(values["field"])
    return found


def _line(
    mechanism: Mechanism,
    entry: Entry,
    content: Mapping[str, Any],
    people: Mapping[int, str],
    offices: Mapping[int, Any],
    known: Known,
    hidden: frozenset[str],
    corrected: Corrected,
) -> Line:
    values = content.get("values", {})
    text = _own_words(mechanism, entry, content, hidden)
    for name, value in values.items():
        field = mechanism.fields.get(name)
        if field is None or name in hidden or field.kind in ("files", "point") or value in (None, "", []):
            continue
        right = ""
        if struck := (entry.seq, name) in corrected:
            right = _label(field, corrected[(entry.seq, name)], entry.at.date())
        text.append(Said(_label(field, value, entry.at.date(), known), right, struck))
    by = "·".join(one for one in (people.get(entry.person_id or 0, ""), titles.here(offices.get(entry.office_id or 0))) if one)
    if entry.principal_id:
        by = f"{people.get(entry.principal_id, '')}（{gettext('signed by')} {by}）"
    human, own = entry.person_id is not None, correcting.past_own(entry.act, content)
    return Line(
        seq=entry.seq,
        title=titles.act(mechanism, entry.act, own=own if content else None),
        phase=drawing.phase(mechanism, entry.state_after) if human else "system",
        at=entry.at,
        by=by or (gettext("The public") if content.get("actor", {}).get("kind") == "public" else gettext("System")),
        deputy=entry.principal_id is not None,
        text=text,
        person=human,
        erased=entry.body is None,
        correctable=human and entry.body is not None and not own,
    )


def _result(name: Any) -> str:
    """What came of a call."""
    known = {
        "reached": pgettext("call", "reached"), "no_answer": pgettext("call", "no answer"), "busy": pgettext("call", "busy"),
        "refused": pgettext("call", "refused"), "wrong_number": pgettext("call", "wrong number"),
    }  # fmt: skip
    return known.get(str(name), str(name or ""))


def _label(field: Field, value: Any, day: date, known: Known | None = None) -> str:
    words = said(field, value, day, known) if value not in (None, "", []) else "—"
    return words if field.kind == "text" else f"{titles.field(field)}{titles.mark('：')}{words}"


def _own_words(mechanism: Mechanism, entry: Entry, content: Mapping[str, Any], hidden: frozenset[str]) -> list[Said]:
    """What one of the ledger's own acts says: which entry was corrected, into which case it was merged, with whom shared."""
    values, besides = content.get("values", {}), content.get("besides", {})
    found: list[str] = []
    if entry.act == correcting.ACT and "becomes" in values:
        name = values["field"]
        field = mechanism.fields.get(name)
        label = titles.field(field) if field else gettext("Title")
        found.append(gettext("entry %(n)s, %(field)s") % {"n": values["entry"], "field": label})
        if name not in hidden and (field is None or field.kind not in ("files", "point")):
            day = entry.at.date()
            old, new = (values[part].get(name) for part in ("was", "becomes"))
            words = [said(field, one, day) if field and one not in (None, "", []) else str(one or "—") for one in (old, new)]
            return [Said(found[0]), Said(words[0], words[1], struck=True), Said(str(values.get("grounds", "")))]
    elif entry.act == merging.ACT:
        other = besides.get("into") or besides.get("from") or {}
        found.append(
            gettext("into %(n)s") % {"n": other.get("number") or "—"} if "into" in besides else str(other.get("number", ""))
        )
    elif entry.act == sharing.ACT and "office" in values:
        found.append(titles.here(names.offices([values["office"]]).get(values["office"])))
    elif entry.act == calling.ACT:
        found += [titles.here(names.offices([values.get("office")]).get(values.get("office"))), _result(values.get("result"))]
        found.append(str(values.get("note", "")))
    elif entry.act == erasure.ACT:
        found.append(str(values.get("clause", "")))
    if entry.act in (correcting.ACT, merging.ACT, sharing.ACT, erasure.ACT) and "grounds" not in mechanism.fields:
        found.append(str(values.get("grounds", "")))
    return [Said(one) for one in found if one]
