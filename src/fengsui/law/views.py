"""The law's pages: every number with its content, clause, source and confidence, on any day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, gettext, gettext_noop, pgettext_lazy
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.law import calendar, edits, ladders, numbers, readers
from fengsui.moment import LEGAL_ZONE
from fengsui.region import roles
from fengsui.region.acting import posts_of
from fengsui.region.filters import mark

CONFIDENCE = {
    "confirmed": gettext_noop("confirmed in a public copy"),
    "memory-high": gettext_noop("from memory, high confidence"),
    "memory-medium": gettext_noop("from memory, medium confidence"),
    "memory-low": gettext_noop("from memory, low confidence"),
    "proposed": gettext_noop("proposed, no regulation behind it"),
    "to_be_supplied": gettext_noop("to be supplied, the text was not obtained"),
    numbers.ENTERED: gettext_noop("entered by an administrator"),
}
UNITS = {
    "s": gettext_noop("seconds"), "min": gettext_noop("minutes"), "h": gettext_noop("hours"),
    "d": gettext_noop("days"), "wd": gettext_noop("working days"),
}  # fmt: skip
ONE = {
    "s": gettext_noop("second"), "min": gettext_noop("minute"), "h": gettext_noop("hour"),
    "d": gettext_noop("day"), "wd": gettext_noop("working day"),
}  # fmt: skip


KEYS = {
    "red": gettext_noop("red"), "orange": gettext_noop("orange"), "yellow": gettext_noop("yellow"), "blue": gettext_noop("blue"),
    "ordinary": gettext_noop("ordinary"), "larger": gettext_noop("larger"), "major": gettext_noop("major"),
    "extraordinary": gettext_noop("extraordinarily serious"), "high_risk": gettext_noop("high-risk sector"),
}  # fmt: skip
"""Words for the rows of clocks' tables."""

RUNG_WORDS = {
    "holder": gettext_noop("who holds the deadline"),
    "up": gettext_noop("the office above"),
    "top": gettext_noop("the region's top office"),
}
"""Whom a step tells or climbs to, besides roles."""

KEYED = {
    "at_least": pgettext_lazy("law row", "at least"),
    "code": pgettext_lazy("law row", "code"),
    "colour": pgettext_lazy("law row", "colour"),
    "criterion": pgettext_lazy("law row", "criterion"),
    "digit": pgettext_lazy("law row", "digit"),
    "goods": pgettext_lazy("law row", "goods"),
    "grade": pgettext_lazy("law row", "grade"),
    "item": pgettext_lazy("law row", "item"),
    "kind": pgettext_lazy("law row", "kind"),
    "level": pgettext_lazy("law row", "level"),
    "level_grade": pgettext_lazy("law row", "alarm level – grade of the installation"),
    "limit": pgettext_lazy("law row", "limit"),
    "measure": pgettext_lazy("law row", "measure"),
    "motion": pgettext_lazy("law row", "motion"),
    "part": pgettext_lazy("law row", "part"),
    "period": pgettext_lazy("law row", "period"),
    "place": pgettext_lazy("law row", "place"),
    "plan": pgettext_lazy("law row", "plan"),
    "reason": pgettext_lazy("law row", "reason"),
    "result": pgettext_lazy("law row", "result"),
    "rule": pgettext_lazy("law row", "rule"),
    "sector": pgettext_lazy("law row", "sector"),
    "seq": pgettext_lazy("law row", "number"),
    "sign": pgettext_lazy("law row", "sign"),
    "substance": pgettext_lazy("law row", "substance"),
    "symbol": pgettext_lazy("law row", "symbol"),
    "trigger": pgettext_lazy("law row", "trigger"),
    "type": pgettext_lazy("law row", "type"),
    "what": pgettext_lazy("law row", "what"),
    "zone": pgettext_lazy("law row", "zone"),
}
"""What the rows of a table are named by."""

ROOMS = {
    "watch": gettext_noop("Alarms and warnings"),
    "ledger": gettext_noop("Case ledger"),
    "law": gettext_noop("Grading of hazard units"),
    "region": gettext_noop("Offices and sites"),
    "cockpit": gettext_noop("Cockpit pages"),
    "services": gettext_noop("Running the platform"),
    "science": gettext_noop("Formulas"),
    "api": gettext_noop("Interface for programs"),
}
"""What a reader calls a room of the code."""


Labels = Mapping[str, Mapping[str, str]]


def here(words: Mapping[str, str] | None) -> str:
    """The reader's language of a {zh, en} pair."""
    return (words or {}).get("zh" if (get_language() or "zh").startswith("zh") else "en", "")


def length(written: Any) -> str:
    """``3wd`` → ``3 working days``; anything else as it stands."""
    text = str(written)
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(number) :].strip()
    if unit not in UNITS or not number:
        return text
    return f"{number} {gettext(ONE[unit] if number == '1' else UNITS[unit])}"


def row_words(content: Any, labels: Labels = {}) -> str:  # noqa: B006 (never changed)
    """One row of a table, for reading; ``labels`` are the number's words for the keys of rows and columns."""
    if isinstance(content, Mapping):
        parts = [
            f"{key_words(key, labels)} {key_words(value, labels)}"
            for key, value in content.items()
            if key not in {"zh", "en"} and value not in ("", None)
        ]
        if "zh" in content:
            zh = (get_language() or "zh").startswith("zh")
            rest = mark("；").join(parts)
            return here(content) + (f"（{rest}）" if rest and zh else f" ({rest})" if rest else "")
        return mark("；").join(parts)
    if isinstance(content, list):
        return " / ".join(map(str, content))
    return length(key_words(content, labels))


def key_words(key: Any, labels: Labels) -> str:
    """A key of a row or a column in words; what has none stays as it is."""
    text = str(key)
    return here(labels[text]) if text in labels else gettext(KEYS.get(text, text))


def content_words(number: numbers.LawNumber) -> str:
    """The number's content in one line."""
    if number.table is not None and number.duration is not None:
        return mark("；").join(f"{key_words(key, number.labels)} {length(row)}" for key, row in number.table.items())
    if number.table is not None and not number.table:
        return gettext("no rows yet")
    if number.table is not None:
        return gettext("table of %(n)s rows") % {"n": len(number.table)}
    if number.duration is not None:
        return length(number.written)
    return f"{row_words(number.value, number.labels)} {gettext(number.unit) if number.unit else ''}".strip()


def used_by(name: str) -> list[dict[str, str]]:
    """Who reads the number: ``kind``, what it is called, its page (``url``, empty for code) and the ``file`` that names it.

    Nobody as long as a process that was started just now still gathers them: a page says so instead of waiting.
    """
    found: list[dict[str, str]] = []
    if not readers.ready():
        return found
    for one in readers.of(name):
        words = here(dict(zip(("zh", "en"), one.title, strict=True))) or gettext(ROOMS.get(one.name, one.name))
        url = "" if one.kind == "code" else _address("ledger:mechanism", one.name)
        found.append({"kind": one.kind, "words": words, "url": url, "file": one.file})
    return found


def entry_words(entry: numbers.Entry | None) -> str:
    """Who entered a content on which grounds, from which day; empty where nobody did."""
    if entry is None:
        return ""
    told = {"who": entry.by or entry.reference, "grounds": entry.grounds, "day": entry.since.isoformat()}
    return gettext("entered by %(who)s on grounds %(grounds)s, from %(day)s") % told


def _sure(number: numbers.LawNumber) -> str:
    """How sure the number is; of one that was entered, by whom and on which grounds (of a table: the last entry)."""
    if number.confidence == numbers.ENTERED and number.entered:
        return entry_words(max(number.entered.values(), key=lambda entry: entry.since))
    return gettext(CONFIDENCE[number.confidence])


def _line(number: numbers.LawNumber, on: date) -> dict[str, Any]:
    used = used_by(number.name)
    return {
        "used": used,
        "used_in": list(dict.fromkeys(one["words"] for one in used)),
        "number": number,
        "title": here(number.title),
        "content": content_words(number),
        "source": edits.gettext_of(number.source),
        "confidence": _sure(number),
        "unsettled": number.proposed,
        "in_force": number.in_force(on),
        "open": number.open,
        "roles": [here(roles.role_of(name).title) for name in number.runs_by],
        "note": here(number.note),
    }


def _day(asked: str, today: date) -> date:
    try:
        return date.fromisoformat(asked)
    except ValueError:
        return today


@require_safe
@login_required
def law_list(request: HttpRequest) -> HttpResponse:
    """All numbers in force on a day; ``confidence``, ``used`` (yes, no), ``q`` and ``on`` narrow the list."""
    edits.sync()
    today = moment.now().astimezone(LEGAL_ZONE).date()
    on = _day(request.GET.get("on", ""), today)
    sure, words = request.GET.get("confidence", ""), request.GET.get("q", "").strip()[:80]
    found = [number for number in numbers.book().all() if number.in_force(on)]
    counts = {name: sum(number.confidence == name for number in found) for name in CONFIDENCE}
    if sure in CONFIDENCE:
        found = [number for number in found if number.confidence == sure]
    if words:
        found = [number for number in found if _holds(number, words.lower())]
    gathering = not readers.ready()
    if (used := request.GET.get("used", "")) in ("yes", "no") and not gathering:
        found = [number for number in found if bool(readers.of(number.name)) is (used == "yes")]
    context = {
        "rows": [_line(number, on) for number in found],
        "on": on,
        "today": today,
        "q": words,
        "confidence": sure,
        "used": used,
        "gathering": gathering,
        "ladders": [_ladder_line(one) for one in ladders.shipped_ladders()] if not (words or sure or used) else [],
        "choices": [(name, gettext(text), counts[name]) for name, text in CONFIDENCE.items()],
        "calendar": calendar.calendar_version().replace(" (to ", "（至 ").replace(")", " 年）")
        if (get_language() or "zh").startswith("zh")
        else calendar.calendar_version(),
    }
    return render(request, "law/list.html", context)


def _ladder_line(ladder: ladders.Ladder) -> dict[str, Any]:
    titles = [here(dict(zip(("zh", "en"), title, strict=True))) for title in ladder.used_by.values()]
    return {"name": ladder.name, "steps": [step_words(step) for step in ladder.steps], "used": titles}


def step_words(step: ladders.Step) -> str:
    """One step: when it is taken, who is told, whether it climbs, what it opens, how often it repeats."""
    amount = length(step.at.lstrip("-"))
    when = gettext("when due") if step.at == "0" else gettext("%(time)s after") % {"time": amount}
    if step.at.startswith("-"):
        when = gettext("%(time)s before") % {"time": amount}
    said = [gettext("told: %(who)s") % {"who": _role(one)} for one in step.tells]
    said += [gettext("climbs to %(who)s") % {"who": _role(step.climbs)}] if step.climbs else []
    said += [here(dict(zip(("zh", "en"), title, strict=True))) for title in step.does]
    said += [gettext("opens: %(what)s") % {"what": _mechanism_title(one)} for one in step.opens]
    said += [gettext("repeats every %(time)s") % {"time": length(step.repeats)}] if step.repeats else []
    said += [gettext("not before %(hour)s of a working day") % {"hour": step.hour}] if step.hour else []
    return f"{when}{mark('：')}{mark('，').join(said)}"


def _role(name: str) -> str:
    if name in RUNG_WORDS:
        return gettext(RUNG_WORDS[name])
    return here(roles.role_of(name).title)


def _mechanism_title(name: str) -> str:
    titles = {one.name: one.title for one in readers.mechanism_files()}
    return here(dict(zip(("zh", "en"), titles[name], strict=True))) if name in titles else name


def _holds(number: numbers.LawNumber, words: str) -> bool:
    text = " ".join((number.name, number.title["zh"], number.title["en"], number.clause, number.source))
    return words in text.lower()


@require_safe
@login_required
def law_page(request: HttpRequest, name: str) -> HttpResponse:
    """One number: its periods, the rows of its table, the amendments and their cases."""
    edits.sync()
    now = moment.now()
    today = now.astimezone(LEGAL_ZONE).date()
    periods = numbers.book().periods.get(name)
    if periods is None:
        raise Http404
    current = next((number for number in periods if number.in_force(today)), periods[-1])
    table = current.table or {}
    rows = [_row_line(request, current, today, key, row) for key, row in table.items()]
    history = [
        {**edit, "words": _change_words(edit, current), "url": _address("ledger:case", edit["case"])}
        for edit in edits.history(name)
    ]
    context = {
        "gathering": not readers.ready(),
        "line": _line(current, today),
        "periods": [_line(number, today) for number in periods],
        "rows": rows,
        "keyed_by": KEYED.get(current.keyed_by, current.keyed_by),
        "history": history,
        "amend": _amend_url(request, current, today) if current.table is None else "",
        "amend_rows": any(row["amend"] for row in rows),
        "add": _amend_url(request, current, today, change="add") if _bears_rows(current) else "",
    }
    return render(request, "law/number.html", context)


def _bears_rows(number: numbers.LawNumber) -> bool:
    """Rows are entered and ended in tables that are no clocks."""
    return number.table is not None and number.duration is None


def _row_line(request: HttpRequest, number: numbers.LawNumber, today: date, key: str, row: Any) -> dict[str, Any]:
    words = key_words(key, number.labels)
    return {
        "key": words,
        "code": key if words != key else "",
        "words": row_words(row, number.labels),
        "entered": entry_words(number.entered.get(key)),
        "amend": _amend_url(request, number, today, key),
        "end": _amend_url(request, number, today, key, "end") if _bears_rows(number) and len(number.table or {}) > 1 else "",
    }


def _change_words(edit: Mapping[str, Any], number: numbers.LawNumber) -> str:
    said = {"end": gettext("the row ends"), "rename": gettext("the row is now called %(code)s") % {"code": edit["content"]}}
    return said.get(edit["change"]) or row_words(edit["content"], number.labels)


def _address(route: str, what: Any) -> str:
    """A page of another room; empty where it has none for this."""
    try:
        return reverse(route, args=[what])
    except NoReverseMatch:
        return ""


def _amend_url(request: HttpRequest, number: numbers.LawNumber, today: date, row: str = "", change: str = "") -> str:
    """Where an administrator proposes an amendment, filled in with what stands now; empty for others and settled numbers."""
    now = moment.now()
    if not number.open:
        return ""
    top = roles.resolve("administrator", roles.About(), now)
    for one in posts_of(request, now):
        holds = roles.holds(one.person_id, one.post_id, "administrator", top, now)
        if holds and one.may_do("amendment", "propose"):
            try:
                address = reverse("ledger:raise", args=["amendment", "propose"])
            except NoReverseMatch:
                return ""
            given = {
                "post": one.post_id, "number": number.name, "row": row, "change": change,
                "content": _written(number, row, change), "since": today,
            }  # fmt: skip
            title = gettext("Amendment: %(title)s") % {"title": here(number.title)}
            return f"{address}?{urlencode({name: value for name, value in given.items() if value != ''} | {'title': title})}"
    return ""


def _written(number: numbers.LawNumber, row: str, change: str = "") -> str:
    """The present content as an amendment writes it: a length of time as it stands, anything else as JSON.

    A row that ends has none; a new one has the columns of its neighbours, to be filled in.
    """
    if change == "end":
        return "null"
    if number.table is not None and change == "add":
        known = next(iter(number.table.values()), {"zh": "", "en": ""})
        empty = (
            {key: "" if isinstance(held, str) else held for key, held in known.items()} if isinstance(known, Mapping) else known
        )
        return json.dumps(empty, ensure_ascii=False)
    if number.table is not None:
        content = number.table.get(row, "")
        return str(content) if number.duration is not None or content == "" else json.dumps(content, ensure_ascii=False)
    return number.written if number.duration is not None else json.dumps(number.value, ensure_ascii=False)
