"""Every row held against what may be, then all of them through the door ``adopt`` in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from fengsui.ledger import doors, mechanisms, sentences, titles
from fengsui.ledger.adoption import columns
from fengsui.ledger.adoption.columns import (
    ABOUT,
    DUTY,
    EXTERNAL,
    NEEDED,
    NUMBER,
    OPENED,
    RECORD,
    SOURCE,
    STATE,
    TITLE,
    Reader,
    Wrong,
)
from fengsui.ledger.adoption.table import Row, Table
from fengsui.ledger.doors import About, Adoption, Past, Refused
from fengsui.ledger.doors.facts import choices_of
from fengsui.ledger.kernel.shapes import Facts, Mechanism
from fengsui.ledger.kernel.values import wrong
from fengsui.ledger.models import Case
from fengsui.numerals import whole

LONGEST = {NUMBER: 64, EXTERNAL: 128, TITLE: 300, SOURCE: 100}
MOST_PROBLEMS = 1_000
"""Problems told one by one; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One bad cell. ``row`` as a person counts it, the head being 1; 0: the file as a whole."""

    row: int
    column: str
    text: str


@dataclass(slots=True)
class Taken:
    """What came of it: problems, or how many cases were taken over (``dry``: would be)."""

    rows: int = 0
    taken: int = 0
    problems: list[Problem] = field(default_factory=list)
    more: int = 0

    def wrong(self, row: int, column: str, text: str) -> None:
        """Keep a problem, or count it where there are too many."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(row, column, text))
        else:
            self.more += 1

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def take(table: Table, name: str, now: datetime, *, dry: bool = False) -> Taken:
    """Take the table over, or say everything that is wrong with it. Raises ``LookupError`` for an unknown mechanism."""
    return _Taking(table, mechanisms.current(name), now).run(dry=dry)


class _Taking:
    """One table on its way into the ledger."""

    def __init__(self, table: Table, mechanism: Mechanism, now: datetime) -> None:
        self.table, self.mechanism, self.now = table, mechanism, now
        self.reader = Reader(mechanism, now)
        self.told = Taken(rows=len(table.rows))
        self.facts = Facts({}, frozenset(), {}, {}, choices=choices_of(mechanism, now))
        self.keys = {head: self.reader.heads[head] for head in table.head if head in self.reader.heads}
        self.at = {key: head for head, key in self.keys.items()}

    def run(self, *, dry: bool) -> Taken:
        """Read all rows; write all or none."""
        self._head()
        adoptions: list[Adoption] = []
        if not self.told.problems:
            adoptions = list(self._rows())
            self._numbers()
        if self.told.problems or dry:
            self.told.taken = 0 if self.told.problems else len(adoptions)
            return self.told
        try:
            with transaction.atomic():
                self.told.taken = len(doors.adopt(adoptions, self.now))
        except Refused as refused:
            self.told.taken = 0
            for one in refused.refusals:
                place = self._place(one.about)
                self.told.wrong(*place, sentences.of(self.mechanism, one))
        return self.told

    def _head(self) -> None:
        for head in self.table.head:
            if head and head not in self.keys:
                self.told.wrong(1, head, gettext("no such column; take the template"))
        for key in NEEDED:
            if key not in self.at:
                zh, en = columns.FIXED[key]
                head = titles.here({"zh": zh, "en": en})
                self.told.wrong(1, head, gettext("this column is missing; take the template"))
        if not self.table.rows:
            self.told.wrong(0, "", gettext("the table has no rows"))

    def _rows(self) -> Iterator[Adoption]:
        for row in self.table.rows:
            before = len(self.told.problems) + self.told.more
            found = self._row(row)
            if len(self.told.problems) + self.told.more == before:
                yield found

    def _cell(self, row: Row, key: str) -> Any:
        return row.cells.get(self.at.get(key, ""), "")

    def _try(self, row: Row, key: str, reading: Callable[[Any], Any], empty: Any = None) -> Any:
        """The cell read; a wrong one is told and gives ``empty``."""
        text = self._cell(row, key)
        if text in ("", None):
            if key in NEEDED:
                self.told.wrong(row.number, self.at[key], gettext("must be filled in"))
            return empty
        if key in LONGEST and len(str(text)) > LONGEST[key]:
            self.told.wrong(row.number, self.at[key], gettext("at most %(n)s characters") % {"n": LONGEST[key]})
            return empty
        try:
            return reading(text)
        except Wrong as error:
            self.told.wrong(row.number, self.at[key], str(error))
            return empty

    def _row(self, row: Row) -> Adoption:
        state, ended = self._try(row, STATE, self.reader.state, ("", False))
        opened = self._try(row, OPENED, self.reader.day)
        self._try(row, TITLE, str)
        about = self._try(row, ABOUT, lambda text: self._about(row, str(text)), About("place"))
        fields = dict(self._fields(row))
        if state and not ended:
            self._demand_needed(row, state, fields)
        return Adoption(
            mechanism=self.mechanism.name,
            state=state,
            about=about,
            number=self._try(row, NUMBER, str),
            fields=fields,
            opened_at=opened,
            ended=ended,
            source=self._try(row, SOURCE, str, ""),
            past=tuple(self._try(row, RECORD, lambda text: self._past(str(text), state, opened), ())),
        )

    def _demand_needed(self, row: Row, state: str, fields: Mapping[str, Any]) -> None:
        """What the state's owner and its clock hang on must be there."""
        for name in needed(self.mechanism, state):
            if name not in fields:
                field = self.mechanism.fields[name]
                said = gettext("must be filled in while the case stands in “%(state)s”")
                where = self.at.get(f"field:{name}", titles.field(field))
                self.told.wrong(row.number, where, said % {"state": titles.state(self.mechanism, state)})

    def _about(self, row: Row, text: str) -> About:
        title, external = str(self._cell(row, TITLE)), self._try(row, EXTERNAL, str, "")
        duty = self._try(row, DUTY, self._duty, "")
        if self.mechanism.about in ("site", "point") or text in self.reader.sites:
            site = self.reader.sites.get(text)
            if site is not None:
                if duty and duty not in site.duties:
                    raise Wrong(gettext("the site's fields of work are: %(known)s") % {"known": ", ".join(site.duties)})
                return About(
                    "site", str(site.pk), site.place_id, duty or (site.duties[0] if site.duties else ""), title, external
                )
        code = self.reader.places.get(text)
        if code is None:
            raise Wrong(gettext("neither a site's nor a place's code or name"))
        return About("place", code, code, duty, title, external)

    def _duty(self, text: Any) -> str:
        from fengsui.region import roles

        for name, words in roles.duties().items():
            if str(text) in (name, words["zh"], words["en"]):
                return name
        raise Wrong(gettext("no such field of work"))

    def _fields(self, row: Row) -> Iterator[tuple[str, Any]]:
        for head, key in self.keys.items():
            if not key.startswith("field:") or row.cells.get(head, "") in ("", None):
                continue
            name = key.removeprefix("field:")
            try:
                value = self.reader.value(name, row.cells[head])
            except Wrong as error:
                self.told.wrong(row.number, head, str(error))
                continue
            kind = self.mechanism.fields[name]
            if kind.kind not in ("date", "time") and (says := wrong(kind, value, {}, self.facts, self.now)):
                self.told.wrong(row.number, head, gettext(says.says) % says.args if says.args else gettext(says.says))
            yield name, value

    def _past(self, text: str, state: str, opened: datetime | None) -> Iterator[Past]:
        """Each line of the record is one act: a day, who, what; without a day it is the opening's."""
        for line in filter(None, (one.strip() for one in text.splitlines())):
            day, _, rest = line.partition(" ")
            try:
                at, words = self.reader.day(day), rest.strip()
            except Wrong:
                at, words = opened or self.now, line
            by, sign, said = words.partition("：")
            yield Past(act="record", at=at, by=by[:100] if sign else "", text=(said if sign else words)[:2000], state=state)

    def _numbers(self) -> None:
        """No number twice, in the table or in the ledger."""
        seen: dict[str, int] = {}
        for row in self.table.rows:
            number = str(self._cell(row, NUMBER) or "")
            if number and number in seen:
                self.told.wrong(row.number, self.at[NUMBER], gettext("row %(n)s has this number too") % {"n": seen[number]})
            seen.setdefault(number, row.number)
        taken = set(Case.objects.filter(number__in=[one for one in seen if one]).values_list("number", flat=True))
        for number in sorted(one for one in taken if one):
            self.told.wrong(seen[number], self.at[NUMBER], gettext("a case of the ledger has this number"))

    def _place(self, about: str) -> tuple[int, str]:
        """The row and column that a door's refusal means: ``rows.7.state``."""
        parts = about.split(".")
        number = whole(parts[1], len(self.table.rows) - 1) if parts[0] == "rows" and len(parts) > 1 else None
        if number is not None:
            key = f"field:{parts[3]}" if len(parts) > 3 else parts[2] if len(parts) > 2 else ""
            return self.table.rows[number].number, self.at.get(key, key)
        return 0, about


def needed(mechanism: Mechanism, state: str) -> list[str]:
    """The fields that say who owns a state and when its clock is due."""
    one = mechanism.states[state]
    words = [one.owner]
    if one.within.kind == "clock":
        clock = mechanism.clocks[one.within.name]
        words += [clock.holder] + ([f"field.{clock.amount.name}"] if clock.amount.kind == "field" else [])
        words += [f"field.{clock.since}"] if clock.since else []
    return list(dict.fromkeys(word.removeprefix("field.") for word in words if word.startswith("field.")))


def plain(told: Taken) -> dict[str, Any]:
    """As JSON values."""
    rows: list[Mapping[str, Any]] = [{"row": one.row, "column": one.column, "text": one.text} for one in told.problems]
    return {"ok": told.ok, "rows": told.rows, "taken": told.taken, "problems": rows, "more": told.more}
