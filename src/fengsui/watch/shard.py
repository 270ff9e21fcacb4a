"""One partition: its engine, configuration, counters and position. One message of the stream in, events out.

Pure but for its memory: the same messages give the same events with the same ids, whichever worker takes them, which
is what makes a restart from an older snapshot, or another worker's taking over, harmless. A partition hears its own
sites' messages, its own sites' configuration, and every heartbeat.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import orjson

from fengsui.watch import codec
from fengsui.watch.configuration import NO_SITE, SiteConfiguration, columns
from fengsui.watch.engine import SECOND, Batch, Engine, Kind, Points, Rules, Transitions, Verdict
from fengsui.watch.late import LateBeyond
from fengsui.watch.stream import BEAT, CONFIG, partition_of
from fengsui.watch.tail import Stored

log = logging.getLogger(__name__)

COUNTED = ("accepted", "duplicate", "late", "future", "unknown", "malformed", "oversized", "messages")
"""What is counted per site: the verdicts on samples, then refused messages and all messages."""
CONFIGURED = "CONFIGURED"
"""The event that says by which rules a site is judged from now on."""
_MALFORMED, _OVERSIZED, _MESSAGES = 5, 6, 7
_COUNTS_EVERY = 10 * SECOND
_KEEP = np.array([v in (Verdict.ACCEPTED, Verdict.LATE) for v in Verdict])


class Event(NamedTuple):
    """What the engine says once. ``order`` is (sequence, index) in the stream of samples."""

    id: str
    order: tuple[int, int]
    body: dict[str, Any]


@dataclass
class _Counts:
    totals: list[int] = field(default_factory=lambda: [0] * len(COUNTED))
    error: str = ""


class Shard:
    """All points of one partition."""

    def __init__(self, epoch: str, number: int) -> None:
        self.epoch = epoch
        self.partition = number
        self.seq = 0
        self.engine = Engine(Points.of([]), Rules.of([]))
        self.sites: dict[str, SiteConfiguration] = {}
        self.counts: dict[str, _Counts] = {}
        self.touched: set[str] = set()
        """Sites whose newest values changed since somebody last cleared this set."""
        self.samples: list[Batch] = []
        """What belongs into the history since somebody last cleared this list."""
        self._site_of: dict[int, str] = {}
        self._uncounted: set[str] = set()
        self._late = LateBeyond()
        self._stale_columns = False
        self._fresh: set[str] = set()
        self._sites_json = b"[]"

    @property
    def settled(self) -> bool:
        """Whether a snapshot may be taken: no configuration waits to be applied."""
        return not self._stale_columns

    def hears(self, subject: str) -> bool:
        """Whether a message of this subject is this partition's."""
        return subject == BEAT or partition_of(subject) == self.partition

    def prepare(self, messages: list[Stored]) -> None:
        """Before the first message of a stream: know each site's first configuration in it, so that no sample meets an
        empty engine; later ones are met at their place.
        """
        for message in messages:
            if message.subject.removeprefix(f"{CONFIG}.") not in self.sites:
                self._configure(message)

    def take(self, message: Stored) -> list[Event]:
        """The events that this message brings about; its sequence becomes the position."""
        if message.seq <= self.seq:
            return []
        said: list[dict[str, Any]] = []
        if message.subject.startswith(CONFIG):
            self._configure(message)
        else:
            if self._stale_columns:
                # A point is silent only from when it became known: at the very first message, from then.
                self.engine.now_ns = self.engine.now_ns or message.time_ns
                self._apply_columns(said)
            before = self.engine.now_ns
            self._tell(said, self.engine.advance(message.time_ns))
            if message.subject != BEAT:
                self._samples(said, message)
            if before // _COUNTS_EVERY != message.time_ns // _COUNTS_EVERY:
                self._report(said)
            self._say_configured(said)
        self.seq = message.seq
        return [self._event(message, index, body) for index, body in enumerate(said)]

    def _event(self, message: Stored, index: int, body: dict[str, Any]) -> Event:
        identity = f"{self.epoch}-{self.partition}-{message.seq}-{index}"
        body |= {"id": identity, "seq": message.seq, "index": index, "stored": message.time_ns}
        return Event(identity, (message.seq, index), body)

    def _configure(self, message: Stored) -> None:
        site = message.subject.removeprefix(f"{CONFIG}.")
        try:
            found = SiteConfiguration.decode(message.data)
            if found.site != site:
                raise ValueError(f"configuration of {found.site!r} under the subject of {site!r}")
        except ValueError as error:
            self._refuse(site, _MALFORMED, str(error))
            return
        if self.sites.get(found.site) != found:
            self.sites[found.site] = found
            self._fresh.add(found.site)
            self._stale_columns = True

    def _apply_columns(self, said: list[dict[str, Any]]) -> None:
        where = dict(self._site_of)
        self._index_sites()
        where |= self._site_of
        self._tell(said, self.engine.configure(*columns(self.sites.values())), where)
        self._stale_columns = False

    def _say_configured(self, said: list[dict[str, Any]]) -> None:
        """Last of a message's events: by which rules sites are judged from now on, for people who changed one."""
        for site in sorted(self._fresh):
            rules = [rule[0] for rule in self.sites[site].rules]
            said.append({"kind": CONFIGURED, "site": site, "rules": rules, "at": self.engine.now_ns})
        self._fresh.clear()

    def _index_sites(self) -> None:
        self._site_of = {point: site.site for site in self.sites.values() for point in site.ids}
        self._sites_json = b"[" + b",".join(site.encode() for site in self.sites.values()) + b"]"

    def _samples(self, said: list[dict[str, Any]], message: Stored) -> None:
        words = message.subject.split(".")
        site, kind = words[-2], words[-1]
        counts = self._count(site)
        counts.totals[_MESSAGES] += 1
        known = self.sites.get(site, NO_SITE)
        try:
            batch = codec.decode(kind, message.data, known.tags, known.ids)
        except codec.Malformed as error:
            self._refuse(site, _MALFORMED, str(error))
            return
        except codec.Oversized as error:
            self._refuse(site, _OVERSIZED, str(error))
            return
        except Exception as error:  # a fault of the reader's own: one device's bytes must never stop all partitions
            log.exception("message %d of %s cannot be read", message.seq, site)
            self._refuse(site, _MALFORMED, repr(error))
            return
        result = self.engine.step(*batch, message.time_ns)
        self._tell(said, result)
        for verdict, number in enumerate(np.bincount(result.verdict, minlength=len(Verdict)).tolist()):
            counts.totals[verdict] += number
        keep = _KEEP[result.verdict]
        if keep.any():
            self.samples.append(batch if keep.all() else Batch(*(column[keep] for column in batch)))
            self.touched.add(site)

    def _tell(self, said: list[dict[str, Any]], transitions: Transitions, where: dict[int, str] | None = None) -> None:
        sites = self._site_of if where is None else where
        if (transitions.rows["kind"] == Kind.LATE_BEYOND).any():
            self._late.add(transitions.rows)
            transitions = Transitions(transitions.rows[transitions.rows["kind"] != Kind.LATE_BEYOND], transitions.verdict)
        for t in transitions:
            said.append(
                {
                    "kind": t.kind.name,
                    "rule": t.rule,
                    "point": t.point,
                    "level": t.level,
                    "site": sites.get(t.point, ""),
                    "at": t.time_ns,
                    "value": t.value if np.isfinite(t.value) else None,
                }
            )
            if t.point in sites:
                self.touched.add(sites[t.point])

    def _count(self, site: str) -> _Counts:
        self._uncounted.add(site)
        return self.counts.setdefault(site, _Counts())

    def _refuse(self, site: str, which: int, error: str) -> None:
        counts = self._count(site)
        counts.totals[which] += 1
        counts.error = error[:200]

    def _report(self, said: list[dict[str, Any]]) -> None:
        """Each ten seconds: what came late beyond a limit, and the counters that moved."""
        if self._late:
            said += self._late.tell(lambda point: self._site_of.get(point, ""))
        if self._uncounted:
            sites = sorted(self._uncounted)
            self._uncounted.clear()
            said.append({"kind": "COUNTS", "sites": {s: [*self.counts[s].totals, self.counts[s].error] for s in sites}})

    def latest(self, site: str) -> bytes:
        """The site's newest values: JSON list of [point, time ms, value|null, bad, raised levels as bits]."""
        known = self.sites.get(site)
        if known is None or self._stale_columns:
            return b"[]"
        engine = self.engine
        rows = engine.points[engine.index(np.array(sorted(known.ids), np.int32))]
        made = []
        for identity, row in zip(sorted(known.ids), rows.tolist(), strict=True):
            time_ns, _, value, _, _, _, first, beyond, busy, bad = row
            raised = 0
            if busy:
                for rule in engine.rules[first:beyond]:
                    raised |= (1 << int(rule["level"])) if rule["phase"] >= 2 else 0
            seen = time_ns > 0
            number = value if seen and np.isfinite(value) else None
            made.append([identity, time_ns // 1_000_000 if seen else None, number, bool(bad), raised])
        return orjson.dumps(made)

    # ------------------------------------------------------------ snapshot

    def snapshot(self) -> bytes:
        """Everything, at the position ``seq``."""
        own = {
            "epoch": self.epoch,
            "partition": self.partition,
            "seq": self.seq,
            "counts": {site: [*c.totals, c.error] for site, c in self.counts.items()},
            "uncounted": sorted(self._uncounted),
            "late": self._late.plain(),
        }
        return self.engine.snapshot(orjson.dumps([own, orjson.Fragment(self._sites_json)]))

    @classmethod
    def restore(cls, data: bytes) -> Shard:
        """From a snapshot's bytes; raises the engine's ``SnapshotError``."""
        engine, more = Engine.restore(data)
        own, sites = orjson.loads(more)
        shard = cls(own["epoch"], own["partition"])
        shard.engine, shard.seq = engine, own["seq"]
        shard.sites = {site["site"]: SiteConfiguration.of(site["site"], site["tags"], site["rules"]) for site in sites}
        shard._index_sites()
        shard.counts = {site: _Counts(row[:-1], row[-1]) for site, row in own["counts"].items()}
        shard._uncounted = set(own["uncounted"])
        shard._late = LateBeyond.of(own["late"])
        shard.touched = set(shard.sites)
        return shard
