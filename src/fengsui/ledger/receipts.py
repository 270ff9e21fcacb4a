"""Receipts: a signed promise at once, its proof as soon as the entry is under a signed head.

In: an entry that a door wrote. Out: the promise with a code that people can read out, a QR code, a file
that anybody can verify without us. A receipt says which entry of which case, when, and its leaf; it tells nothing of
the content.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from fengsui.ledger import sealing
from fengsui.ledger.doors.held import as_uuid
from fengsui.ledger.models import Entry, Leaf, Receipt, SealKey
from fengsui.ledger.seals import heads
from fengsui.ledger.seals.canon import decode, encode
from fengsui.ledger.seals.change import stamp
from fengsui.ledger.seals.heads import SignedHead
from fengsui.ledger.seals.signing import genuine, key_id_of
from fengsui.ledger.seals.tree import SIZE, included

KIND = "fengsui-receipt"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U


class Unknown(LookupError):
    """There is no such receipt or entry."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A signed receipt. ``body`` are the canonical bytes that were signed; ``code`` is for people."""

    code: str
    body: bytes
    key_id: str
    public: bytes
    signature: bytes

    def record(self) -> dict[str, Any]:
        """What it says: case, number, mechanism, seq, act, state, at, leaf."""
        return decode(self.body)


@dataclass(frozen=True, slots=True)
class Proof:
    """That the entry's leaf stands at ``position`` under a signed head."""

    position: int
    path: tuple[bytes, ...]
    head: SignedHead
    public: bytes


def code_of(leaf: bytes) -> str:
    """Eighty bits of the leaf as four groups of four letters and digits, e.g. ``7K3M-Q2XD-0TVA-9HSE``."""
    number = int.from_bytes(leaf[:10], "big")
    letters = "".join(_LETTERS[(number >> shift) & 31] for shift in range(75, -5, -5))
    return "-".join(letters[at : at + 4] for at in range(0, 16, 4))


def normal_code(typed: str) -> str:
    """A code as people type it: lower case, without hyphens, O for 0 and I or L for 1."""
    letters = [letter for letter in typed.upper().translate(str.maketrans("OIL", "011")) if letter in _LETTERS]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, len(letters), 4))


def give(entry_id: int, now: datetime) -> Promise:
    """The signed receipt of an entry; the first call signs and keeps it. Raises ``Unknown``, ``signing.NoKey``."""
    kept = Receipt.objects.filter(entry_id=entry_id).first()
    if kept is None:
        kept = _sign(entry_id, now)
    return _promise(kept)


def _sign(entry_id: int, now: datetime) -> Receipt:
    entry = Entry.objects.select_related("case").filter(pk=entry_id).first()
    if entry is None:
        raise Unknown(f"there is no entry {entry_id}")
    leaf = bytes(entry.leaf)
    body = encode(
        {
            "v": 1,
            "case": str(entry.case_id),
            "number": entry.case.number,
            "mechanism": entry.case.mechanism,
            "seq": entry.seq,
            "act": entry.act,
            "state": entry.state_after,
            "at": stamp(entry.at),
            "leaf": leaf.hex(),
        }
    )
    with transaction.atomic():
        key = sealing.signer(now)
        values = {
            "case_id": entry.case_id,
            "at": now,
            "code": code_of(leaf),
            "body": body,
            "key_id": key.key_id,
            "signature": key.sign("receipt", body),
        }
        return Receipt.objects.get_or_create(entry_id=entry_id, defaults=values)[0]


def _promise(row: Receipt) -> Promise:
    public = bytes(SealKey.objects.get(key_id=row.key_id).public)
    return Promise(row.code or "", bytes(row.body), row.key_id, public, bytes(row.signature))


def find(code: str) -> Promise:
    """The receipt of a code as typed. Raises ``Unknown``."""
    row = Receipt.objects.filter(code=normal_code(code)).first()
    if row is None:
        raise Unknown("No receipt has this code; look at it again, letter by letter")
    return _promise(row)


def prove(promise: Promise) -> Proof | None:
    """The proof under the latest head; None while the entry waits for one (at most a minute)."""
    record = promise.record()
    leaf = Leaf.objects.filter(entry__case_id=record["case"], entry__seq=record["seq"]).values_list("position", flat=True).first()
    head = sealing.latest_head()
    if leaf is None or head is None or leaf >= head.size:
        return None
    public = bytes(SealKey.objects.get(key_id=head.key_id).public)
    return Proof(leaf, tuple(sealing.inclusion(leaf, head.size)), head, public)


# ------------------------------------------------------------- what is handed over


def compact(promise: Promise) -> str:
    """The promise as one line for a QR code: ``FENGSUI1.BODY.KEY.SIGNATURE``, base64url without padding."""
    return ".".join(["FENGSUI1", *(_text(part) for part in (promise.body, promise.public, promise.signature))])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sound(record: Any) -> bytes:
    """The leaf of what claims to be a receipt. Raises ``ValueError`` where a receipt would say something else."""
    words = isinstance(record, dict) and all(isinstance(record.get(name), str) for name in ("case", "act", "state", "leaf"))
    if not words or type(record.get("seq")) is not int or not 0 < record["seq"] < 1 << 31:
        raise ValueError("this is no receipt: it does not say which entry of which case it is for")
    if as_uuid(record["case"]) is None:
        raise ValueError("this is no receipt: it names no case")
    leaf = bytes.fromhex(record["leaf"])
    if len(leaf) != SIZE:
        raise ValueError("this is no receipt: its leaf is no SHA-256")
    return leaf


def from_compact(line: str) -> Promise:
    """Back from ``compact``. Raises ``ValueError``."""
    parts = line.strip().split(".")
    if len(parts) != 4 or parts[0] != "FENGSUI1":
        raise ValueError("this is no receipt: it does not begin with FENGSUI1")
    body, public, signature = (_bytes(part) for part in parts[1:])
    return Promise(code_of(_sound(decode(body))), body, key_id_of(public), public, signature)


def qr_svg(promise: Promise, origin: str = "") -> str:
    """A QR code as SVG without styles; with ``origin`` it opens our verify page, else it is the bare receipt."""
    import qrcode
    import qrcode.image.svg

    line = compact(promise)
    text = f"{origin.rstrip('/')}/verify/#{line}" if origin else line
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=2)
    code.add_data(text)
    code.make(fit=True)
    drawn: str = code.make_image(image_factory=qrcode.image.svg.SvgPathImage).to_string(encoding="unicode")
    return drawn


def to_file(promise: Promise, proof: Proof | None) -> bytes:
    """The receipt as a JSON file, with its proof where there is one."""
    kept: dict[str, Any] = {
        "kind": KIND,
        "code": promise.code,
        "receipt": promise.record(),
        "public": promise.public.hex(),
        "signature": promise.signature.hex(),
    }
    if proof is not None:
        kept["proof"] = {
            "position": proof.position,
            "path": [step.hex() for step in proof.path],
            "head": decode(heads.to_file(proof.head, proof.public)),
        }
    return encode(kept) + b"\n"


def from_file(data: bytes) -> tuple[Promise, Proof | None]:
    """A receipt and its proof out of a file or a compact line. Raises ``ValueError`` saying what is wrong."""
    if data.lstrip().startswith(b"FENGSUI1"):
        return from_compact(data.decode()), None
    try:
        kept = decode(data)
        if kept.get("kind") != KIND:
            raise ValueError("this file is no receipt; a receipt's file is given on its page")
        body = encode(kept["receipt"])
        public, signature = bytes.fromhex(kept["public"]), bytes.fromhex(kept["signature"])
        promise = Promise(code_of(_sound(kept["receipt"])), body, key_id_of(public), public, signature)
        if "proof" not in kept:
            return promise, None
        known = kept["proof"]
        head, by = heads.from_file(encode(known["head"]))
        return promise, Proof(int(known["position"]), tuple(bytes.fromhex(step) for step in known["path"]), head, by)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the receipt lacks or misspells {error}") from error


def promise_genuine(promise: Promise) -> bool:
    """Whether the key that it names signed it."""
    return genuine(promise.public, promise.signature, "receipt", promise.body)


def proof_holds(promise: Promise, proof: Proof) -> bool:
    """Whether the proof leads from the receipt's leaf to a genuinely signed root."""
    leaf = bytes.fromhex(promise.record()["leaf"])
    under = included(leaf, proof.position, proof.head.size, proof.path, proof.head.root)
    return under and proof.head.genuine(proof.public)
