"""Erasing content because a law demands it, whole: the hashes stay, and an entry says so.

In: a case, what must go (fields, the title, files, who reported), grounds and the clause. Out: an ``erase`` entry that
carries the case as it is from now on, so that the case can still be derived from its entries; every entry that held the
content without body and salt; and nothing of it left in search, outbox, idempotency keys, the evidence store, or the cases
that this one handed it to. Receipts and ``verify`` go on: a leaf needs its hash only.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext_noop

from fengsui.ledger.doors import Receipt, persons_acts
from fengsui.ledger.doors.answered import caller
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.correcting import steering
from fengsui.ledger.doors.facts import whereabouts
from fengsui.ledger.doors.held import Held, as_uuid
from fengsui.ledger.doors.persons_acts import Asked
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.doors.single import append_in
from fengsui.ledger.doors.work import Written
from fengsui.ledger.evidence.storing import path_of
from fengsui.ledger.fieldkinds import kinds_ever
from fengsui.ledger.kernel.shapes import Actor, Case
from fengsui.ledger.models import (
    CallRecord,
    Entry,
    Evidence,
    EvidenceUse,
    IdempotencyKey,
    Outbox,
    Reporter,
    ReporterLook,
    ReporterMessage,
    Share,
)
from fengsui.ledger.registry import EffectCall, register_effect
from fengsui.ledger.seals import change
from fengsui.region import roles

ACT = "erase"
ERASERS = ("law_office",)
"""Roles that may erase."""
GONE = "（内容已依法删除）"
"""What stands where an erased text stood, in every language: it is the record's own."""
TELLING = 4
"""A text of at least so many characters is looked for in every entry, title and related case; a shorter one says nothing."""
_IN_WORDS = frozenset({"text", "list", "files", "figures", "reading"})
"""Kinds of fields whose content says something wherever it stands; a day or a choice stands in a thousand entries."""
_FILE = "erase_file"
_CALLER = frozenset({"kind", "person", "post", "name"})
"""What of an actor a key is kept under."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What must go: fields by name, the title, files by digest, the reporter's identity and letters, whole entries by seq."""

    fields: tuple[str, ...] = ()
    title: bool = False
    files: tuple[str, ...] = ()
    reporter: bool = False
    entries: tuple[int, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As the entry names it: never the content, nor a file's digest."""
        known = {
            "fields": sorted(self.fields), "title": self.title, "files": len(self.files), "reporter": self.reporter,
        }  # fmt: skip
        return {name: value for name, value in known.items() if value}

    def __bool__(self) -> bool:
        return bool(self.fields or self.title or self.files or self.reporter or self.entries)


def may_erase(held: Held, actor: Actor, now: datetime) -> bool:
    """Whether the actor's post is one of the law office for this case."""
    if actor.person is None or actor.post is None:
        return False
    offices = roles.resolve_all(ERASERS, whereabouts(held, None), now)
    return any(roles.holds(actor.person, actor.post, name, offices[name], now) for name in ERASERS)


def erase(
    case_id: str, what: Erasure, *, grounds: str, clause: str, actor: Actor, now: datetime, expects: int | None = None,
    key: str = "",
) -> Receipt:  # fmt: skip
    """Erase it in this case and wherever this case handed it on.

    Raises ``Refused`` 404 · 412 · 403 for anybody but the law office · 409 for what steers an open case or is gone already
    · 422 without grounds or clause, or for nothing named.
    """
    said = persons_acts.demand_grounds(grounds)
    if not clause.strip():
        why = gettext_noop("An erasure states its grounds and the clause of the law that demands it")
        raise refused(422, "missing", "clause", why)
    erased: list[_Erasing] = []

    def doing(passage: Passage, held: Held) -> Written:
        if not may_erase(held, actor, now):
            raise refused(403, "not_yours", ACT, ",".join(ERASERS))
        first = _Erasing(passage, held, what, actor, said, clause.strip())
        first.demand()
        erased[:] = [first]
        written = first.write()
        for other in (passage.held[one] for one in _lineage(held.case.id)):
            copies = first.copies_in(other)
            if copies:
                erased.append(_Erasing(passage, other, copies, actor, said, clause.strip()))
                erased[-1].write()
        return written

    def after(_: Written) -> None:
        for one in erased:
            one.finish()

    given = {**what.plain(), "entries": list(what.entries), "grounds": said, "clause": clause.strip()}
    return persons_acts.carry_out(Asked(ACT, case_id, actor, given, expects, key), doing, now, around=_lineage, after=after)


class _Erasing:
    """The erasure in one case."""

    def __init__(self, passage: Passage, held: Held, what: Erasure, actor: Actor, grounds: str, clause: str) -> None:
        self.passage, self.held, self.what, self.actor = passage, held, what, actor
        self.said = {"grounds": grounds, "clause": clause}
        self.entries = list(Entry.objects.filter(case_id=held.case.id).order_by("seq"))
        self.records = {entry.seq: entry.content() for entry in self.entries if entry.body is not None}
        ever = kinds_ever().get(held.case.mechanism, {})
        self.kinds = {name: frozenset(ever.get(name, ())) | {field.kind} for name, field in held.mechanism.fields.items()}
        self.kinds |= {name: frozenset(kinds) for name, kinds in ever.items() if name not in self.kinds}
        self.digests = self._digests()
        self.texts = sorted(self._texts())
        if not what.title and any(text in f"{held.row['title']}\n{held.row['title_en']}" for text in self.texts):
            self.what = replace(what, title=True)  # a title made of an erased field goes with it
        self.seqs = sorted(self._mentioning())
        self.written: Written | None = None

    # ------------------------------------------------------------ what is concerned

    def demand(self) -> None:
        """Refuse what cannot be erased."""
        what, held = self.what, self.held
        if not what:
            raise refused(422, "missing", "fields", gettext_noop("Name what must be erased"))
        for name in what.fields:
            if name not in self.kinds:
                raise refused(422, "unknown", name, gettext_noop("the case has no such field"))
        if not held.case.ended and (steers := set(what.fields) & steering(held.mechanism, self.passage.now)):
            why = gettext_noop("it decides who answers or how long while the case is open: end the case first")
            raise refused(409, "steers", min(steers), why)
        for seq in what.entries:
            if not 0 < seq <= held.case.seq:
                raise refused(404, "no_such_case", "entry", gettext_noop("There is no such entry"))
        if not self.seqs and not what.reporter:
            raise refused(409, "erased", "entry", gettext_noop("This entry has no content that could be erased"))
        used = EvidenceUse.objects.filter(case_id=held.case.id, evidence_id__in=what.files).values_list("evidence_id", flat=True)
        if set(what.files) - set(used):
            why = gettext_noop("choose what exists: this names something that is not there")
            raise refused(422, "bad_value", "files", why)

    def _values(self, name: str) -> Iterator[Any]:
        """Everything that a field ever held."""
        for record in self.records.values():
            for place in change.places(record):
                if name in place:
                    yield place[name]

    def _texts(self) -> set[str]:
        told = [name for name in self.what.fields if self.kinds.get(name, frozenset()) & _IN_WORDS]  # no such name: refused next
        found = [value for name in told for value in self._values(name)]
        if self.what.title:
            rows = [place for record in self.records.values() for place in _rows(record)]
            found += [row[name] for row in rows for name in ("title", "title_en") if name in row]
        texts = {text for value in found for text in _strings(value) if len(text) >= TELLING and text != GONE}
        return texts | self.digests

    def _digests(self) -> set[str]:
        """The files that go: those named, and all that a field ever held that is or was one for files."""
        names = [name for name in self.what.fields if "files" in self.kinds.get(name, ())]
        held = {text for name in names for value in self._values(name) for text in _strings(value)}
        used = EvidenceUse.objects.filter(case_id=self.held.case.id, field__in=names).values_list("evidence_id", flat=True)
        return {*self.what.files, *used, *Evidence.objects.filter(pk__in=held).values_list("pk", flat=True)}

    def _mentioning(self) -> Iterator[int]:
        needles = [orjson.dumps(text)[1:-1] for text in self.texts]
        for entry in self.entries:
            if entry.body is None:
                continue
            record, body = self.records[entry.seq], bytes(entry.body)
            named = any(name in place for place in change.places(record) for name in self.what.fields)
            titled = self.what.title and any("title" in row for row in _rows(record))
            if named or titled or entry.seq in self.what.entries or any(needle in body for needle in needles):
                yield entry.seq

    def copies_in(self, other: Held) -> Erasure:
        """What of it a related case holds: the same texts in its fields or title, the same files."""
        kinds = other.mechanism.fields
        said = {name: value for name, value in other.case.fields.items() if name not in kinds or kinds[name].kind != "files"}
        fields = [name for name, value in said.items() if any(self._same(text) for text in _strings(value))]
        title = any(text in f"{other.row['title']}\n{other.row['title_en']}" for text in self.texts)
        used = EvidenceUse.objects.filter(case_id=other.case.id, evidence_id__in=self.digests)
        return Erasure(tuple(fields), title, tuple(used.values_list("evidence_id", flat=True).distinct()))

    def _same(self, text: str) -> bool:
        return any(needle in text for needle in self.texts)

    # -------------------------------------------------------------------- write

    def write(self) -> Written:
        """The entry, the case without the content, its notices."""
        held = self.held
        columns: dict[str, Any] = {"title": GONE, "title_en": ""} if self.what.title else {}
        after = self._after()
        lines: Mapping[str, Any] = {str(at): line.plain() for at, line in enumerate(held.lines)}
        whole = change.plain(replace(after, seq=held.case.seq + 1), {**held.row, **columns})
        gone = [entry.seq for entry in self.entries if entry.body is None]
        values = {**self.what.plain(), "entries": sorted({*gone, *self.seqs}), **self.said}
        self.written = append_in(
            self.passage, held, ACT, self.actor, after, values=values, besides={"whole": whole, "lines": lines}, columns=columns
        )
        return self.written

    def _after(self) -> Case:
        case, fields = self.held.case, dict(self.held.case.fields)
        for name in self.what.fields:
            known = self.held.mechanism.fields.get(name)
            if name in fields and known is not None and known.kind == "text":
                fields[name] = GONE  # a condition that only asks whether it was filled in still holds
            else:
                fields.pop(name, None)
        for name, value in fields.items():
            if isinstance(value, list) and self.digests & {one for one in value if isinstance(one, str)}:
                fields[name] = [one for one in value if one not in self.digests]
        return replace(case, fields=fields, signed={}, pending={})

    def finish(self) -> None:
        """Everything outside the entry, in the same transaction."""
        if self.written is None:
            return
        case_id, fields = self.held.case.id, set(self.what.fields)
        gone = [entry for entry in self.entries if entry.seq in set(self.seqs)]
        with connection.cursor() as cursor:
            for entry in gone:
                cursor.execute("SELECT ledger_erase(%s, %s)", [entry.pk, self.written.id])
        for row in Outbox.objects.filter(entry_id__in=[entry.pk for entry in gone]).exclude(payload={}):
            values = {name: value for name, value in row.payload.get("values", {}).items() if name not in fields}
            Outbox.objects.filter(pk=row.pk).update(payload={**row.payload, "values": values})
        ids = [entry.pk for entry in gone]  # what these entries said is kept once more in rows of their own
        CallRecord.objects.filter(entry_id__in=ids).exclude(note="").update(note=GONE)
        Share.objects.filter(entry_id__in=ids).update(grounds=GONE)
        ReporterLook.objects.filter(entry_id__in=ids).update(grounds=GONE)
        for entry in gone:
            if entry.key and entry.seq in self.records:  # a hash of the words tells them; another caller's same key stays
                whose = {name: value for name, value in self.records[entry.seq]["actor"].items() if name in _CALLER}
                keys = IdempotencyKey.objects.filter(caller=caller(Actor(**whose)), key=entry.key)
                keys.update(body_hash=secrets.token_bytes(32))
        persons_acts.rewrite_words(self.held)
        self._files()
        if self.what.reporter:
            Reporter.objects.filter(case_id=case_id).update(sealed=None, key_id="")
            ReporterMessage.objects.filter(case_id=case_id).delete()

    def _files(self) -> None:
        """Take the files out of this case; those that no case uses any more lose their bytes."""
        uses = EvidenceUse.objects.filter(case_id=self.held.case.id)
        uses.filter(evidence_id__in=self.digests).delete()
        # whoever names one of them just now holds its row: they are seen, or wait and find it erased
        locked = Evidence.objects.filter(pk__in=self.digests, erased_at=None).select_for_update().order_by("pk")
        for digest in list(locked.values_list("pk", flat=True)):
            if EvidenceUse.objects.filter(evidence_id=digest).exists():
                continue
            Evidence.objects.filter(pk=digest).update(
                erased_at=self.passage.now, name="", received_digest="", position=None, width=None, height=None, size=0
            )
            load = {"values": {"digest": digest}}
            Outbox.objects.create(case_id=self.held.case.id, topic=_FILE, payload=load, at=self.passage.now)
            transaction.on_commit(lambda digest=digest: delete_file(digest))  # type: ignore[misc]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)


def _rows(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where a record keeps the case's title."""
    row = record.get("change", {}).get("row", {})
    found: list[Any] = [row.get("+") if isinstance(row, Mapping) else None, record.get("besides", {}).get("whole", {}).get("row")]
    values = record.get("values", {})
    for name in ("was", "becomes"):
        if isinstance(values.get(name), Mapping) and "case.title" in values[name]:
            found.append({"title": values[name]["case.title"]})
    return [place for place in found if isinstance(place, Mapping)]


def _lineage(case_id: str) -> list[str]:
    """The other cases of the same lineage, oldest first: parents, children, what led here or followed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE line(id) AS (SELECT id FROM ledger_case WHERE id = %(case)s UNION "
            "SELECT CASE WHEN l.from_case_id = line.id THEN l.to_case_id "
            "ELSE l.from_case_id END FROM ledger_link l JOIN line ON line.id IN (l.from_case_id, l.to_case_id)) "
            "SELECT c.id FROM line JOIN ledger_case c ON c.id = line.id WHERE c.id <> %(case)s ORDER BY c.opened_at, c.id",
            {"case": as_uuid(case_id)},
        )
        return [str(one) for (one,) in cursor.fetchall()]


# ---------------------------------------------------------------------- the bytes


def files_of(digest: str) -> Iterable[Path]:
    """The stored file and its small picture."""
    path = path_of(digest)
    return path, path.with_suffix(".small.jpg")


def delete_file(digest: str) -> None:
    """Delete the bytes of a file that was erased; repeated, it does nothing."""
    if not Evidence.objects.filter(pk=digest, erased_at__isnull=False).exists():
        return
    for path in files_of(digest):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


@register_effect(_FILE, "outer")
def erase_file(call: EffectCall) -> None:
    """Should the process have died between the erasure's commit and the deletion, the job does it."""
    delete_file(str(call.values["digest"]))
