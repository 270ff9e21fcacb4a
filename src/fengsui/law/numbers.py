"""The law's numbers by date: ``find("hazard.sign", date(2026, 11, 24))``.

Each number stands once in data/law/*.yaml with its clause, source and confidence; the region's own data folder
may add files, and an administrator may amend those that no regulation settles. This module reads and looks up;
it knows no database: amendments are handed in by ``amend_with``.
"""

from __future__ import annotations

import csv
import functools
import itertools
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from fengsui import shipped

from .amounts import Duration, parse_amount

CONFIDENCE = ("confirmed", "memory-high", "memory-medium", "memory-low", "proposed", "to_be_supplied")
"""How sure the number is; the last two may be amended."""

ENTERED = "entered"
"""How sure an amended number is: as sure as the grounds that it was entered on."""

Kind = Literal["once", "each", ""]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is built in


class UnknownNumber(LookupError):
    """No number of this name is in force on that day, or the table has no such row."""


class WrongLawFile(ValueError):
    """A law file is not as it must be; the message names file, number and field."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who entered a content, on which grounds, from which day on, by which case."""

    by: str
    grounds: str
    since: date
    reference: str


@dataclass(frozen=True, slots=True)
class LawNumber:
    """One number of the law in one period.

    Exactly one of ``duration`` (a length of time), ``value`` (a number, text or list) and ``table`` is the
    content; a table's row found by its key comes back as ``duration`` or ``value``. ``kind`` tells a clock's
    ``once`` from ``each``. ``effective_to`` is the first day no longer in force.
    """

    name: str
    title: Mapping[str, str]
    duration: Duration | None = None
    written: str = ""  # the amount as the file writes it
    value: Any = None
    table: Mapping[str, Any] | None = None
    keyed_by: str = ""
    row: str = ""  # the table row that was found
    unit: str = ""
    kind: Kind = "each"
    clause: str = ""
    source: str = ""
    confidence: str = "proposed"
    effective_from: date = date.min
    effective_to: date | None = None
    runs_by: tuple[str, ...] = ()
    signatures: int = 1
    note: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # words {zh, en} for keys of rows and columns
    file: str = ""
    amended: str = ""  # the reference of the amendment that gave this content
    entered: Mapping[str, Entry] = field(default_factory=dict)  # by row ("" where it is no table): who entered what stands

    @property
    def proposed(self) -> bool:
        """No regulation stands behind it: pages must say so."""
        return self.confidence in {"proposed", "to_be_supplied"}

    @property
    def open(self) -> bool:
        """Whether an administrator may amend it."""
        return self.proposed or bool(self.amended)

    def in_force(self, on: date) -> bool:
        return self.effective_from <= on and (self.effective_to is None or on < self.effective_to)


@dataclass(frozen=True, slots=True)
class Amendment:
    """An administrator's content for a number from a day on; ``row`` names the table row it replaces."""

    name: str
    content: Any
    since: date
    reference: str
    row: str = ""
    clause: str = ""
    source: str = ""
    change: str = "replace"  # or add, end, rename (then ``content`` is the row's new code)
    by: str = ""  # the name of who entered it


def _content(raw: Mapping[str, Any], where: str, folder: Path) -> dict[str, Any]:
    given = [name for name in ("amount", "value", "table", "csv") if name in raw]
    if len(given) != 1:
        raise WrongLawFile(f"{where}: give exactly one of amount, value, table, csv")
    if "amount" in raw:
        return {"duration": _length(raw["amount"], where), "written": str(raw["amount"])}
    if "value" in raw:
        return {"value": raw["value"]}
    if "csv" in raw:
        return _sheet(folder / raw["csv"]["file"], raw["csv"]["by"], where)
    table = raw["table"]
    if "by" not in table or not isinstance(table.get("rows"), dict):
        raise WrongLawFile(f"{where}: a table needs `by` and `rows`")
    rows = {str(key): row for key, row in table["rows"].items()}
    _filled(rows, where)
    found: dict[str, Any] = {"table": rows, "keyed_by": str(table["by"])}
    if raw.get("kind"):  # a clock's table: each row is a length of time; unless the key is known the strictest counts
        lengths = {key: _length(row, f"{where}.{key}") for key, row in rows.items()}
        shortest = min(lengths, key=lambda key: _rough(lengths[key]))
        found |= {"duration": lengths[shortest], "written": str(rows[shortest])}
    return found


def _filled(rows: Mapping[str, Any], where: str) -> None:
    """A key without content is a text cut at its comma."""
    for key, row in rows.items():
        empty = [key] if row is None else [name for name, held in row.items() if held is None] if isinstance(row, Mapping) else []
        if empty:
            raise WrongLawFile(f"{where}.{key}: {empty[0]!r} holds nothing; write a text that has a comma in quotes")


def _sheet(path: Path, by: str, where: str) -> dict[str, Any]:
    """A table kept as CSV: rows by one column."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row[by]: row for row in csv.DictReader(file)}
    except (OSError, KeyError) as wrong:
        raise WrongLawFile(f"{where}: {path.name} cannot be read by column {by!r}: {wrong}") from wrong
    return {"table": rows, "keyed_by": by}


def _rough(length: Duration) -> float:
    if length.seconds is not None:
        return float(length.seconds)
    return 86400.0 * (length.days if length.days is not None else 1.5 * (length.workdays or 0))


def _length(text: Any, where: str) -> Duration:
    try:
        return parse_amount(text)
    except ValueError as wrong:
        raise WrongLawFile(f"{where}: {wrong}") from wrong


def _day(raw: Any, where: str) -> date:
    if isinstance(raw, date):
        return raw
    raise WrongLawFile(f"{where}: write a day as 2026-09-30")


def _labels(raw: Mapping[Any, Any], where: str) -> dict[str, Mapping[str, str]]:
    for key, words in raw.items():
        if not isinstance(words, dict) or set(words) != {"zh", "en"}:
            raise WrongLawFile(f"{where}: labels.{key} needs zh and en")
    return {str(key): words for key, words in raw.items()}


def _number(raw: Mapping[str, Any], path: Path, common: Mapping[str, Any]) -> LawNumber:
    line = {**common, **raw}
    where = f"{path.name}: {line.get('name', '(no name)')}"
    for needed in ("name", "title", "confidence", "source"):
        if not line.get(needed):
            raise WrongLawFile(f"{where}: {needed} is missing")
    if line["confidence"] not in CONFIDENCE:
        raise WrongLawFile(f"{where}: confidence must be one of {', '.join(CONFIDENCE)}")
    if set(line["title"]) != {"zh", "en"}:
        raise WrongLawFile(f"{where}: title needs zh and en")
    if line.get("kind", "each") not in {"once", "each", ""}:
        raise WrongLawFile(f"{where}: kind must be once, each, or empty where it is no clock")
    until = line.get("effective_to")
    return LawNumber(
        name=line["name"],
        title=line["title"],
        unit=line.get("unit", ""),
        kind=line.get("kind", "each"),
        clause=line.get("clause", ""),
        source=line["source"],
        confidence=line["confidence"],
        effective_from=_day(line.get("effective_from", date.min), f"{where}.effective_from"),
        effective_to=_day(until, f"{where}.effective_to") if until else None,
        runs_by=tuple(line.get("runs_by", ())),
        signatures=int(line.get("signatures", 1)),
        note=line.get("note", {}),
        labels=_labels({**common.get("labels", {}), **raw.get("labels", {})}, where),
        file=path.name,
        **_content(line, where, path.parent),
    )


@dataclass(frozen=True, eq=False)
class Book:
    """All law numbers, by name, in order of their beginning."""

    periods: Mapping[str, tuple[LawNumber, ...]]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self.periods)

    def all(self) -> list[LawNumber]:
        """Every period of every number."""
        return [number for name in self.names() for number in self.periods[name]]

    def amended(self, amendments: Iterable[Amendment]) -> Book:
        """The book with these amendments over it; only unsettled numbers take them."""
        periods = dict(self.periods)
        for one in sorted(amendments, key=lambda line: line.since):
            periods[one.name] = tuple(_amend(periods.get(one.name, ()), one))
        return Book(periods)

    def find(self, name: str, on: date, **keys: Any) -> LawNumber:
        """The number in force on that day; of a table the row that ``keys`` names.

        A table asked without its key comes back whole (a clock's with its shortest row as ``duration``).
        Raises ``UnknownNumber`` naming number, day and key.
        """
        if name not in self.periods:
            raise UnknownNumber(f"no law number is called {name!r}")
        for number in self.periods[name]:
            if number.in_force(on):
                return _row(number, keys)
        raise UnknownNumber(f"law number {name!r} has no content in force on {on}")


def _row(number: LawNumber, keys: Mapping[str, Any]) -> LawNumber:
    key = keys.get(number.keyed_by) if number.table is not None else None
    if key is None or number.table is None:
        return number
    if str(key) not in number.table:
        known = ", ".join(number.table)
        raise UnknownNumber(f"law number {number.name!r} has no row {number.keyed_by}={key!r}; rows: {known}")
    content = number.table[str(key)]
    if str(key) in number.entered:
        number = _as_entered(number, number.entered[str(key)])
    if number.duration is not None:
        return replace(number, duration=parse_amount(content), written=str(content), row=str(key))
    return replace(number, value=content, duration=None, row=str(key))


def _as_entered(number: LawNumber, entry: Entry) -> LawNumber:
    """The number as sure as the grounds it was entered on: what was said of the former content counts no more."""
    return replace(number, confidence=ENTERED, source=entry.grounds or number.source, clause="", note={}, amended=entry.reference)


def _amend(periods: Iterable[LawNumber], one: Amendment) -> list[LawNumber]:
    found: list[LawNumber] = []
    for number in periods:
        over = number.effective_to is not None and number.effective_to <= one.since
        if over or not number.open:
            found.append(number)
            continue
        begins = max(one.since, number.effective_from)
        if begins > number.effective_from:
            found.append(replace(number, effective_to=begins))
        found.append(_amended_number(number, one, begins))
    return found


def _amended_number(number: LawNumber, one: Amendment, begins: date) -> LawNumber:
    """A table counts as entered once each of its rows was; until then only the rows that were."""
    entry = Entry(one.by, one.source, begins, one.reference)
    changed = replace(number, effective_from=begins, amended=one.reference)
    if number.table is not None and one.row:
        table, entered = _rows_amended(number, one, entry)
        changed = replace(changed, table=table, entered=entered)
        if number.duration is not None:
            shortest = min(table.values(), key=lambda row: _rough(parse_amount(row)))
            changed = replace(changed, duration=parse_amount(shortest), written=str(shortest))
        return _as_entered(changed, entry) if set(table) <= set(entered) else changed
    changed = replace(_as_entered(changed, entry), clause=one.clause, entered={"": entry})
    if number.duration is not None:
        return replace(changed, duration=parse_amount(one.content), written=str(one.content))
    return replace(changed, value=one.content)


def _rows_amended(number: LawNumber, one: Amendment, entry: Entry) -> tuple[dict[str, Any], dict[str, Entry]]:
    """Rows and their entries after the amendment; a row that a later period lacks is neither ended nor renamed there."""
    table, entered = dict(number.table or {}), dict(number.entered)
    if one.change == "end":
        table.pop(one.row, None)
        entered.pop(one.row, None)
    elif one.change == "rename":
        table = {str(one.content) if key == one.row else key: row for key, row in table.items()}
        entered = {key: held for key, held in entered.items() if key != one.row}
        entered |= {str(one.content): entry} if str(one.content) in table else {}
    else:
        table[one.row], entered[one.row] = one.content, entry
    return table, entered


def load(folders: Iterable[Path]) -> Book:
    """Read every ``*.yaml`` of the folders; a later folder's number of the same name and beginning replaces.

    Raises ``WrongLawFile``.
    """
    periods: dict[str, dict[date, LawNumber]] = defaultdict(dict)
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            for number in _read(path):
                periods[number.name][number.effective_from] = number
    book = {name: tuple(sorted(found.values(), key=lambda line: line.effective_from)) for name, found in periods.items()}
    for name, found in book.items():
        for earlier, later in itertools.pairwise(found):
            if earlier.effective_to is None or earlier.effective_to > later.effective_from:
                raise WrongLawFile(f"{later.file}: {name}: two contents are in force on {later.effective_from}")
    return Book(book)


def _read(path: Path) -> list[LawNumber]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506
    except yaml.YAMLError as wrong:
        raise WrongLawFile(f"{path.name}: {wrong}") from wrong
    if isinstance(raw, dict) and "obligations" in raw and "numbers" not in raw:
        return []  # what mechanisms owe the law; the proof reads it
    if not isinstance(raw, dict) or not isinstance(raw.get("numbers"), list):
        raise WrongLawFile(f"{path.name}: a law file is a mapping with a list `numbers`")
    common = raw.get("common", {})
    return [_number(line, path, common) for line in raw["numbers"]]


@functools.cache
def shipped_book() -> Book:
    """The numbers that come with the product."""
    return load([shipped.folder("law")])


UNSETTLED = "unsettled"
"""The choice of all numbers that an administrator may amend."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One row that a field may take from a law table; ``number`` tells source and confidence."""

    code: str
    title: Mapping[str, str]
    number: LawNumber


def choices(name: str, on: date) -> list[Choice]:
    """The rows of the table ``name`` in force on that day, or of all tables ``name.*`` together.

    Raises ``UnknownNumber`` where there is neither.
    """
    present = book()
    if name == UNSETTLED:
        return [Choice(number.name, number.title, number) for number in present.all() if number.in_force(on) and number.open]
    names = [name] if name in present.periods else [one for one in present.names() if one.startswith(f"{name}.")]
    found: list[Choice] = []
    for one in names or [name]:
        if names and not any(number.in_force(on) for number in present.periods[one]):
            continue
        number = present.find(one, on)
        for code, row in (number.table or {}).items():
            title = row if isinstance(row, Mapping) and "zh" in row else {"zh": code, "en": code}
            found.append(Choice(code, {"zh": str(title["zh"]), "en": str(title["en"])}, number))
    return found


_overlay: list[Path] = []
_amended: tuple[Amendment, ...] = ()
_laid: deque[tuple[Book, tuple[Amendment, ...], Book]] = deque(maxlen=64)
"""Books with amendments over them, as (below, amendments, book): callers know a book by its identity, so they are kept."""


def amend_with(changes: tuple[Amendment, ...]) -> None:
    """Lay these amendments over the book from now on, instead of those before."""
    global _amended
    _amended = changes


def overlay(folder: Path) -> None:
    """Let a region's own folder of law files lie over the shipped ones; a missing folder changes nothing."""
    if folder.is_dir() and folder not in _overlay:
        _overlay.append(folder)
        _base.cache_clear()


@functools.cache
def _base() -> Book:
    return load([shipped.folder("law"), *_overlay])


def book() -> Book:
    """The numbers as they stand: shipped, the region's own, and the recorded amendments."""
    below, changes = _base(), _amended
    if not changes:
        return below
    for known, laid, found in reversed(_laid):
        if known is below and laid is changes:
            return found
    found = below.amended(changes)
    _laid.append((below, changes, found))
    return found


def find(name: str, on: date, **keys: Any) -> LawNumber:
    """``Book.find`` in the present book."""
    return book().find(name, on, **keys)
