"""A case or the whole ledger as one file, to be verified on a machine without the ledger (``offline``).

The file is a ZIP. ``manifest.json`` says what it is, names the keys and holds the latest signed head, the count of entries
and the SHA-256 of the other members, all signed by the ledger's key. ``entries.jsonl`` holds one sealed entry a line: its
exact bytes, salt, leaf and place, and of one case the path that proves the place under the head. ``heads.jsonl`` (whole
ledger only) holds every signed head.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings

from fengsui.ledger import sealing
from fengsui.ledger.database import conninfo, one_moment, seeing, snapshot_of
from fengsui.ledger.models import Case, Head, SealKey
from fengsui.ledger.seals import heads, signing
from fengsui.ledger.seals.canon import decode, encode
from fengsui.ledger.seals.change import stamp
from fengsui.ledger.verify.lines import SEALED, SELECT, WAITING, line_of, stream
from fengsui.ledger.verify.offline import ENTRIES, HEADS, KIND, MANIFEST


def export(path: Path, now: datetime, case_id: str | None = None) -> int:
    """Write one case, or the whole ledger, readable by the owner alone; returns how many entries.

    Raises ``ValueError`` where nothing is sealed yet or there is no such case, ``signing.NoKey`` without the ledger's key.
    """
    key = signing.load(settings.KEYS_DIR)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(descriptor, "w+b") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            one_moment() as keeper,
            seeing(snapshot := snapshot_of(keeper)),
        ):
            count = _write(archive, snapshot, key, now, UUID(case_id) if case_id else None)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _write(archive: zipfile.ZipFile, snapshot: str, key: signing.Signer, now: datetime, case: UUID | None) -> int:
    head = sealing.latest_head()
    if head is None:
        raise ValueError("nothing is sealed yet: start the sealer (`fengsui up` does) and wait a minute")
    count, sums = 0, {}
    with _Summed(archive, ENTRIES) as out:
        for line in _lines(snapshot, case, head.size):
            out.write(line)
            count += 1
    if not count:
        raise ValueError("there is no such case, or it has no entry")
    sums[ENTRIES] = out.sum
    if case is None:
        with _Summed(archive, HEADS) as out:
            for row in Head.objects.order_by("size").iterator(2000):
                one = sealing.signed(row)
                out.write({**decode(one.canonical()), "signature": one.signature.hex()})
        sums[HEADS] = out.sum
    public = bytes(SealKey.objects.get(key_id=head.key_id).public)
    number = Case.objects.filter(pk=case).values_list("number", flat=True).first() if case else None
    keys = [_key(one) for one in SealKey.objects.order_by("made_at", "key_id")]
    said = {
        "kind": KIND, "v": 1, "case": str(case) if case else None, "number": number, "at": stamp(now), "entries": count,
        "head": decode(heads.to_file(head, public)), "keys": keys, "sums": sums, "by": key.key_id,
    }  # fmt: skip
    archive.writestr(MANIFEST, encode({**said, "signature": key.sign("export", encode(said)).hex()}))
    return count


def _key(row: SealKey) -> dict[str, str]:
    endorsement = bytes(row.endorsement or b"").hex()
    return {"public": bytes(row.public).hex(), "endorsed_by": row.endorsed_by or "", "endorsement": endorsement}


class _Summed:
    """A member of the archive written line by line, with the SHA-256 of its bytes."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.file: IO[bytes] = archive.open(name, "w", force_zip64=True)
        self.digest = sha256()

    def __enter__(self) -> _Summed:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    @property
    def sum(self) -> str:
        """Of all that was written."""
        return self.digest.hexdigest()

    def write(self, value: dict[str, Any]) -> None:
        """One more line."""
        line = encode(value) + b"\n"
        self.digest.update(line)
        self.file.write(line)


def _lines(snapshot: str, case: UUID | None, size: int) -> Iterator[dict[str, Any]]:
    """The entries: of a case in its order with their paths, of the ledger in the tree's order, then those that wait."""
    if case is not None:
        joined = "FROM ledger_entry e LEFT JOIN ledger_leaf l ON l.entry_id = e.id"
        queries = [f"{SELECT} {joined} WHERE e.case_id = '{case}' ORDER BY e.seq"]
    else:
        queries = [f"{SEALED} ORDER BY l.position", f"{WAITING} ORDER BY e.id"]
    for query in queries:
        for data in stream(conninfo(), query, snapshot):
            line = line_of(data)
            said = {
                "case": str(UUID(bytes=line.case)) if line.case else "", "seq": line.seq, "position": line.position,
                "previous": line.previous.hex(), "leaf": (line.hash or line.leaf).hex(),
                "salt": line.salt.hex() if line.salt is not None else None,
                "body": line.body.decode() if line.body is not None else None,
            }  # fmt: skip
            if case is not None and line.position is not None and line.position < size:
                said["path"] = [step.hex() for step in sealing.inclusion(line.position, size)]
            yield said
