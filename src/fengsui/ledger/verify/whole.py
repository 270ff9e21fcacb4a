"""The whole ledger: chains laid end to end, the tree under every head, the cases as they stand."""

from __future__ import annotations

import os
import struct
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import connection

from fengsui.ledger import collecting, sealing
from fengsui.ledger.database import conninfo, one_moment, seeing, snapshot_of
from fengsui.ledger.models import Head, SealKey
from fengsui.ledger.seals import heads, signing
from fengsui.ledger.seals.canon import FIRST
from fengsui.ledger.seals.tree import SIZE, Tree
from fengsui.ledger.verify import evidence, removed
from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.lines import FIRST_WAITING, SEALED, WAITING, End, Part, Reader, broken, line_of, name_of, stream

PARALLEL_FROM = 50_000
"""Below this many leaves one process is quicker than two."""


def _run(where: str, snapshot: str, start: int, stop: int) -> Part:
    """Read the leaves ``start`` … ``stop - 1`` and judge them."""
    reader = Reader(start)
    query = f"{SEALED} WHERE l.position >= {int(start)} AND l.position < {int(stop)} ORDER BY l.position"
    # the two indexes give the rows in order at once; a hash join would sort gigabytes first
    settings = ("enable_hashjoin = off", "enable_mergejoin = off", "enable_sort = off", "max_parallel_workers_per_gather = 0")
    with collecting.paused():
        for data in stream(where, query, snapshot, settings=settings):
            reader.sealed(data)
    return reader.finish()


@dataclass(frozen=True, slots=True)
class _Rows:
    """What of the database's own rows is held against the leaves."""

    cases: list[bytes]  # rows of ``_CASES`` in PostgreSQL's binary form
    waiting: int | None  # the first entry that has no place in the tree


_CASES = "SELECT id, seq, moved_at, state FROM ledger_case"
_CASE = struct.Struct(">h i16s ii iq i")


def _rows(where: str, snapshot: str) -> _Rows:
    (first,) = stream(where, FIRST_WAITING, snapshot)
    return _Rows(list(stream(where, _CASES, snapshot)), int.from_bytes(first[6:], "big", signed=True) if len(first) > 6 else None)


def _read(size: int, workers: int, snapshot: str) -> tuple[list[Part], _Rows]:
    """The leaves by one process for each core, and meanwhile the rest by this one."""
    where = conninfo()
    if workers == 1 or size < PARALLEL_FROM:
        return [_run(where, snapshot, 0, 1 << 62)], _rows(where, snapshot)
    step = -(-size // (workers * sealing.TILE)) * sealing.TILE
    starts = list(range(0, size, step))
    stops = [*starts[1:], 1 << 62]
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        parts = pool.map(_run, [where] * len(starts), [snapshot] * len(starts), starts, stops)
        rows = _rows(where, snapshot)
        return list(parts), rows


def ledger(now: datetime, *, workers: int | None = None, files: bool = True) -> Report:
    """Verify everything as it is at this moment: every entry, chain, leaf, tile, head and key, the cases, their files.

    ``files`` False leaves the evidence folder out, which takes as long as reading it.
    """
    report = Report()
    connection.close()  # a fork must not share it
    with one_moment() as keeper, collecting.paused():
        snapshot = snapshot_of(keeper)
        found = keeper.execute("SELECT coalesce(max(position) + 1, 0) FROM ledger_leaf").fetchone()
        parts, rows = _read(found[0] if found else 0, workers or min(os.cpu_count() or 1, 8), snapshot)
        with seeing(snapshot):
            _judge(parts, rows, report, now, snapshot)
            if files:
                evidence.judge(report, parts)
    return report


def _judge(parts: list[Part], rows: _Rows, report: Report, now: datetime, snapshot: str) -> None:
    """Lay what was read together, and hold heads, tiles and cases against it."""
    ends = _join(parts, report)
    leaves = b"".join(part.leaves for part in parts)
    aligned = all(part.start % sealing.TILE == 0 and len(part.leaves) % (sealing.TILE * SIZE) == 0 for part in parts[:-1])
    tiles = [root for part in parts for root in part.tiles] if aligned else []  # else leaves are gone: told already
    _heads(leaves, tiles, report, now)
    _tiles(tiles, report)
    if rows.waiting is not None:
        _waiting(ends, parts, report, snapshot, rows.waiting)
    erased(parts, report)
    removed.name(report, _cases(ends, rows.cases, report))


def _join(parts: list[Part], report: Report) -> dict[bytes, End]:
    """Lay the runs end to end: chains go on from one run to the next."""
    ends: dict[bytes, End] = {}
    for part in parts:
        report.entries += part.count
        for finding in part.findings:
            report.add(finding)
        if not ends:
            ends = part.ends
            for case, end in ends.items():
                begins(case, end, report)
            continue
        for case, end in part.ends.items():
            known = ends.get(case)
            if known is None:
                begins(case, end, report)
            elif problem := broken(known.seq, known.leaf, end.first_seq, end.first_previous):
                tell(report, problem, case, end.first_seq, None)
            ends[case] = end
    return ends


def begins(case: bytes, end: End, report: Report) -> None:
    """Adds a finding where a case's kept entries do not begin at its first one."""
    if end.first_seq != 1 or end.first_previous != FIRST:
        first = end.first_seq
        text = f"其前的记录缺失（首条为第 {first} 条）", f"the entries before it are missing (the first is {first})"
        tell(report, ("removed", *text), case, end.first_seq, None)


def tell(report: Report, problem: tuple[str, str, str], case: bytes, seq: int, position: int | None) -> None:
    """Adds a finding about one entry: ``problem`` is its code and the sentence in both languages."""
    zh, en = name_of(case, seq)
    code, why_zh, why_en = problem
    report.add(Finding(code, f"{zh}：{why_zh}", f"{en}: {why_en}", str(UUID(bytes=case)), seq, position))


def trusted_keys(report: Report) -> dict[str, bytes]:
    """The public keys to trust: those of the data folder, and in the database those endorsed by a trusted one."""
    trusted = signing.public_keys(Path(settings.KEYS_DIR))
    stored = {row.key_id: row for row in SealKey.objects.order_by("made_at", "key_id")}
    anchored = bool(trusted)
    for row in stored.values():
        public = bytes(row.public)
        if row.key_id in trusted:
            continue
        by = trusted.get(row.endorsed_by)
        endorsed = by is not None and row.endorsement and signing.genuine(by, bytes(row.endorsement), "key", public)
        if endorsed or (not anchored and not row.endorsed_by):
            trusted[row.key_id] = public
            continue
        report.add(
            Finding(
                "forged_key",
                f"签名密钥 {row.key_id} 既不在密钥目录，也无上一密钥背书",
                f"signing key {row.key_id} is neither in the keys folder nor endorsed by one that is",
            )
        )
    return trusted


def _heads(leaves: bytes, tiles: list[bytes], report: Report, now: datetime) -> None:
    """Every head: its signature, its chain, and the root of the leaves it covers."""
    trusted = trusted_keys(report)
    tree, before = Tree(), heads.NONE_BEFORE
    for row in Head.objects.order_by("size").iterator(2000):
        head = sealing.signed(row)
        report.heads += 1
        public = trusted.get(head.key_id)
        if public is None or not head.genuine(public):
            head_finding(report, "forged_seal", head, "存证签名系伪造或已被改动", "its signature is forged or it was changed")
        if head.previous != before:
            zh = "未接在上一存证之后，其间的存证被删除或改动"
            head_finding(report, "head_chain", head, zh, "it does not follow the head before it")
        before = head.digest()
        if head.size * SIZE > len(leaves):
            gone = head.size - len(leaves) // SIZE
            head_finding(report, "cut_tail", head, f"账本末尾缺失 {gone} 条", f"the last {gone} entries it covers are gone")
            continue
        _grow(tree, leaves, tiles, head.size)
        if tree.root() != head.root:
            head_finding(report, "root", head, "与现存记录算出的根不符", "the entries it covers give another root")
        if head.at > now + timedelta(minutes=2) and (report.head is None or head.at > report.head.at):  # one told is enough
            head_finding(report, "future", head, "时间在将来", "it is dated in the future")
        report.head = head
    report.waiting += len(leaves) // SIZE - tree.size


def _grow(tree: Tree, leaves: bytes, tiles: list[bytes], size: int) -> None:
    """Grow a tree to ``size`` leaves, by whole tiles where it can."""
    while tree.size < size:
        index, inside = divmod(tree.size, sealing.TILE)
        if inside == 0 and tree.size + sealing.TILE <= size and index < len(tiles):
            tree.append_block(tiles[index], sealing.TILE)
            continue
        stop = min(size, (index + 1) * sealing.TILE) if tiles else size
        tree.extend(leaves[tree.size * SIZE : stop * SIZE])


def head_finding(report: Report, code: str, head: heads.SignedHead, zh: str, en: str) -> None:
    """Adds a finding about one signed head, whose place is its size in entries."""
    report.add(Finding(code, f"存证（{head.size} 条）：{zh}", f"seal over {head.size} entries: {en}", position=head.size))


def _tiles(tiles: list[bytes], report: Report) -> None:
    """The stored roots of whole blocks, from which proofs are made."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT "index", root FROM ledger_tile ORDER BY "index"')
        for index, root in cursor.fetchall():
            if index < len(tiles) and tiles[index] != bytes(root):
                zh = f"存证树第 {index} 块的根与其记录不符"
                report.add(Finding("tile", zh, f"block {index} of the tree does not have its stored root", position=index * 256))


def _waiting(ends: dict[bytes, End], parts: list[Part], report: Report, snapshot: str, first: int) -> None:
    """Entries that have no place in the tree yet, from the ``first`` on, still chain."""
    reader = Reader(0)
    reader.part.ends = ends
    for data in stream(conninfo(), f"{WAITING} AND e.id >= {int(first)} ORDER BY e.id", snapshot):
        line = line_of(data)
        if line.case not in ends and (line.seq != 1 or line.previous != FIRST):
            reader.tell("removed", line, "其前的记录缺失", "the entries before it are missing")
        reader.entry(line)
    report.waiting += reader.part.count
    report.entries += reader.part.count
    for finding in reader.part.findings:
        report.add(finding)
    parts.append(reader.part)


def erased(parts: list[Part], report: Report) -> None:
    """Content may be missing only where an erasure entry of the same case names it."""
    allowed: dict[tuple[bytes, int], int] = {}
    for part in parts:
        for place, by in part.erasures.items():
            allowed[place] = min(by, allowed.get(place, by))
    for part in parts:
        for case, seq in part.erased:
            if (case, seq) in allowed:
                report.erased += 1
                report.note(*_erased_by(case, seq, allowed[(case, seq)]))
            else:
                text = "内容缺失，且无依法删除的记录", "its content is missing and no erasure entry says why"
                tell(report, ("tampered", *text), case, seq, None)


def _erased_by(case: bytes, seq: int, by: int) -> tuple[str, str]:
    zh, en = name_of(case, seq)
    return f"{zh}：内容已由第 {by} 条办理记录依法删除", f"{en}: content erased by law, by entry {by}"


def _cases(ends: dict[bytes, End], rows: list[bytes], report: Report) -> dict[UUID, removed.Cut]:
    """Every case stands where its latest entry left it; those that stand beyond it are given back."""
    report.cases += len(rows)
    cut: dict[UUID, removed.Cut] = {}
    for row in rows:
        _, _, case, _, seq, _, moved, _ = _CASE.unpack_from(row)
        end = ends.pop(case, None)
        if end is None:
            cut[UUID(bytes=case)] = removed.Cut(0, seq)
            tell(report, ("removed", "全部办理记录缺失", "all its entries are missing"), case, seq, None)
        elif end.seq != seq:
            if seq > end.seq:
                cut[UUID(bytes=case)] = removed.Cut(end.seq, seq)
            gone = (
                ("cut_tail" if seq > end.seq else "case_row"),
                f"事项版本为 {seq}，末条记录为 {end.seq}",
                (f"the case stands at {seq}, its last entry is {end.seq}"),
            )
            tell(report, gone, case, seq, None)
        elif end.after != row[_CASE.size :] or moved != end.at:
            text = "事项现状与末条记录不一致", "the case row differs from its last entry"
            tell(report, ("case_row", *text), case, seq, None)
    for case, end in ends.items():
        tell(report, ("case_row", "事项行已被删除", "the case itself was removed"), case, end.seq, end.position)
    return cut
