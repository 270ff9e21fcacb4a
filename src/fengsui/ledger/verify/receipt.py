"""A receipt that somebody kept, judged without the database, and against it where it is at hand."""

from __future__ import annotations

from fengsui.ledger import receipts
from fengsui.ledger.models import Entry, Leaf
from fengsui.ledger.receipts import Promise, Proof
from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.whole import trusted_keys

STRANGERS = frozenset({"forged_receipt", "forged_key"})
"""Findings of a file that this ledger never signed."""


def alone(data: bytes) -> Report:
    """What the file proves by itself. Raises ``ValueError`` where it is no receipt."""
    promise, proof = receipts.from_file(data)
    report = Report()
    _signed(promise, proof, report)
    return report


def here(data: bytes) -> Report:
    """What the file proves, and whether this ledger keeps its promise. Raises ``ValueError``."""
    promise, proof = receipts.from_file(data)
    report = Report()
    _signed(promise, proof, report)
    trusted = trusted_keys(report).values()
    if promise.public not in trusted or (proof is not None and proof.public not in trusted):
        _tell(report, promise, "forged_key", "由本账本不认得的密钥签署", "it was signed by a key that this ledger does not know")
    if any(one.code in STRANGERS for one in report.findings):
        return report  # whether the ledger holds something like a stranger's words is not for the stranger
    _kept(promise, proof, report)
    return report


def _signed(promise: Promise, proof: Proof | None, report: Report) -> None:
    if not receipts.promise_genuine(promise):
        _tell(report, promise, "forged_receipt", "签名不符，系伪造或已被改动", "its signature does not hold: forged or changed")
    if proof is None:
        report.waiting = 1
        return
    report.heads, report.head = 1, proof.head
    if not proof.head.genuine(proof.public):
        _tell(report, promise, "forged_seal", "所附存证的签名不符", "the signature of its seal does not hold")
    elif not receipts.proof_holds(promise, proof):
        _tell(report, promise, "proof", "包含证明不成立", "its proof does not lead to the seal")


def _kept(promise: Promise, proof: Proof | None, report: Report) -> None:
    record = promise.record()
    entry = Entry.objects.filter(case_id=record["case"], seq=record["seq"]).first()
    if entry is None:
        _tell(report, promise, "removed", "账本中已无此记录", "the ledger no longer has this entry")
        return
    report.entries = 1
    same = bytes(entry.leaf).hex() == record["leaf"] and (entry.act, entry.state_after) == (record["act"], record["state"])
    if not same:
        _tell(report, promise, "tampered", "账本中的记录与回执不符", "the ledger's entry is not the one of the receipt")
    position = Leaf.objects.filter(entry=entry).values_list("position", flat=True).first()
    if proof is not None and position != proof.position:
        _tell(report, promise, "reordered", "账本中此记录已不在原位", "the entry no longer stands where the proof says")


def _tell(report: Report, promise: Promise, code: str, zh: str, en: str) -> None:
    record = promise.record()
    name = record.get("number") or record["case"]
    zh, en = f"回执 {promise.code}（{name}）：{zh}", f"receipt {promise.code} ({name}): {en}"
    report.add(Finding(code, zh, en, record["case"], record["seq"]))
