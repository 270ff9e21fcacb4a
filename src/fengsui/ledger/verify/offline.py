"""Verifying what ``exporting`` wrote, on a machine without the ledger.

In: the file, and where there is one a head that somebody kept. Out: a ``Report`` that names what is wrong. Nothing of the
file is trusted that a leaf, a path or a signature does not confirm; whose key signs it is for the reader to compare.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from fengsui.ledger.seals import heads, signing
from fengsui.ledger.seals.canon import FIRST, decode, encode, leaf_of
from fengsui.ledger.seals.tree import Tree, included
from fengsui.ledger.verify.findings import Finding, Report
from fengsui.ledger.verify.lines import broken, name_of

KIND = "fengsui-ledger"
MANIFEST, ENTRIES, HEADS = "manifest.json", "entries.jsonl", "heads.jsonl"
LARGEST_LINE = 64 << 20
"""Bytes of one line: more is no entry."""


def is_export(path: Path) -> bool:
    """Whether the file is of this kind (not yet whether it is sound)."""
    return zipfile.is_zipfile(path)


def judge(path: Path, kept: bytes | None = None) -> Report:
    """Verify a file without any database; ``kept`` is a head that somebody kept, whose key is then the one to trust.

    Raises ``ValueError`` where it is no such file at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Offline(archive, heads.from_file(kept) if kept is not None else None).judge()
    except (zipfile.BadZipFile, KeyError, TypeError, AttributeError, UnicodeDecodeError, EOFError) as error:
        raise ValueError(f"{path} is no file of `fengsui verify --export`, or it is damaged: {error}") from error


@dataclass(slots=True)
class _End:
    """Where a case's chain stands while its entries are read."""

    seq: int
    leaf: bytes


@dataclass(slots=True)
class _Read:
    """What reading the entries gave."""

    sum: str = ""
    count: int = 0
    next: int = 0  # the place in the tree that the next entry must have
    tree: Tree = field(default_factory=Tree)
    ends: dict[str, _End] = field(default_factory=dict)
    erased: list[tuple[str, int]] = field(default_factory=list)
    erasures: dict[tuple[str, int], int] = field(default_factory=dict)


class _Offline:
    """One file being verified."""

    def __init__(self, archive: zipfile.ZipFile, kept: tuple[heads.SignedHead, bytes] | None) -> None:
        self.archive, self.kept, self.report, self.read = archive, kept, Report(), _Read()
        self.manifest: dict[str, Any] = decode(archive.read(MANIFEST))
        if self.manifest.get("kind") != KIND:
            raise ValueError("this file is no export of a ledger: write one with `fengsui verify --export FILE`")
        self.whole = self.manifest["case"] is None
        self.head, self.public = heads.from_file(encode(self.manifest["head"]))
        self.first = b""

    def judge(self) -> Report:
        """Keys, the manifest's signature, the head, every entry, every head."""
        report, read = self.report, self.read
        trusted = self._trusted()
        self._manifest(trusted)
        if not self.head.genuine(self.public):
            self._tell("forged_seal", "存证签名系伪造或已被改动", "the signature of its seal is forged or it was changed")
        report.head, report.heads = self.head, 1
        checked = self._heads(trusted) if self.whole else []
        self._entries(checked)
        report.entries, report.cases = read.count, len(read.ends)
        for place in read.erased:
            self._erased(*place)
        if read.sum != self.manifest["sums"].get(ENTRIES) or read.count != self.manifest["entries"]:
            have = f"{read.count} / {self.manifest['entries']}"
            self._tell("changed", f"记录与清单不符（{have} 条）", f"its entries are not those that were exported ({have})")
        longest = max(self.head.size, self.kept[0].size if self.kept is not None and self.whole else 0)
        if self.whole and read.tree.size < longest:
            gone = longest - read.tree.size
            self._tell("cut_tail", f"末尾缺失 {gone} 条", f"the last {gone} entries under its seal are gone")
        self._notes()
        return report

    # ------------------------------------------------------------ keys, manifest

    def _trusted(self) -> dict[str, bytes]:
        """The keys that the kept head's key, else the file's first one, vouches for, one after the other."""
        keys = [
            (bytes.fromhex(one["public"]), one["endorsed_by"], bytes.fromhex(one["endorsement"])) for one in self.manifest["keys"]
        ]
        first = self.kept[1] if self.kept is not None else next((public for public, by, _ in keys if not by), keys[0][0])
        known = {signing.key_id_of(first): first}
        for public, by, endorsement in keys:
            if by in known and signing.genuine(known[by], endorsement, "key", public):
                known[signing.key_id_of(public)] = public
        self.first = first
        if self.kept is not None and not self.kept[0].genuine(self.kept[1]):
            self._tell("forged_seal", "所持存证自身的签名不符", "the kept head's own signature does not hold")
        if self.public not in known.values():
            zh, en = (
                "签名密钥未获首个密钥或所持存证密钥的背书",
                "its key is endorsed neither by its first key nor by the kept head's",
            )
            self._tell("forged_key", zh, en)
        return known

    def _manifest(self, trusted: dict[str, bytes]) -> None:
        said = {name: value for name, value in self.manifest.items() if name != "signature"}
        public = trusted.get(self.manifest["by"], b"")
        if not signing.genuine(public, bytes.fromhex(self.manifest["signature"]), "export", encode(said)):
            zh, en = "清单签名不符，系伪造或已被改动", "the signature of its list does not hold: forged or changed"
            self._tell("forged_export", zh, en)

    def _heads(self, trusted: dict[str, bytes]) -> list[heads.SignedHead]:
        """The signed heads in order, their signatures and their chain checked."""
        found, before, digest = [], heads.NONE_BEFORE, sha256()
        for line in self._member(HEADS):
            digest.update(line)
            known = decode(line)
            head, _ = heads.from_file(encode({**known, "kind": "fengsui-head", "public": ""}))
            seal = f"存证（{head.size} 条）", f"the seal over {head.size} entries"
            if not head.genuine(trusted.get(head.key_id, b"")):
                self._tell("forged_seal", f"{seal[0]}签名不符", f"the signature of {seal[1]} does not hold")
            if head.previous != before:
                self._tell("head_chain", f"{seal[0]}未接在上一存证之后", f"{seal[1]} does not follow the one before")
            before = head.digest()
            found.append(head)
        self.report.heads = len(found)
        if not found or found[-1] != self.head or digest.hexdigest() != self.manifest["sums"].get(HEADS):
            self._tell("changed", "存证清单已被改动", "its seals are not those that were exported")
        if self.kept is not None:
            found = sorted([*found, self.kept[0]], key=lambda head: head.size)
        return found

    # ------------------------------------------------------------------- entries

    def _entries(self, checked: list[heads.SignedHead]) -> None:
        read, digest = self.read, sha256()
        waiting = list(reversed(checked))
        for raw in self._member(ENTRIES):
            digest.update(raw)
            read.count += 1
            line = decode(raw)
            leaf = bytes.fromhex(line["leaf"])
            self._entry(line, leaf)
            if line["position"] is None:
                self.report.waiting += 1
            elif self.whole:
                if line["position"] != read.next:
                    self._named(line, "gap", "在存证树中的位置不连续", "its place in the tree does not follow the one before")
                read.next = line["position"] + 1
                read.tree.append(leaf)
                while waiting and waiting[-1].size == read.tree.size:
                    self._root(waiting.pop())
            else:
                self._included(line, leaf)
        read.sum = digest.hexdigest()

    def _root(self, head: heads.SignedHead) -> None:
        if self.read.tree.root() != head.root:
            if self.kept is not None and head == self.kept[0]:
                zh, en = "并非由所持存证增长而来，历史已被改写", "it did not grow from the kept head: history was rewritten"
                self._tell("not_grown", zh, en)
            else:
                zh = f"存证（{head.size} 条）与记录算出的根不符"
                self._tell("root", zh, f"the entries give another root than the seal over {head.size} of them")

    def _included(self, line: dict[str, Any], leaf: bytes) -> None:
        if line["position"] >= self.head.size:
            self.report.waiting += 1
            return
        path = [bytes.fromhex(step) for step in line.get("path", ())]
        if not included(leaf, line["position"], self.head.size, path, self.head.root):
            self._named(line, "tampered", "不在已签名的存证之下", "it is not under the signed head")

    def _entry(self, line: dict[str, Any], leaf: bytes) -> None:
        """Its bytes, its own words about itself, its place after the one before."""
        case, seq, previous = line["case"], line["seq"], bytes.fromhex(line["previous"])
        if line["body"] is None or line["salt"] is None:
            self.read.erased.append((case, seq))
        else:
            body = line["body"].encode()
            if leaf_of(previous, bytes.fromhex(line["salt"]), body) != leaf:
                self._named(line, "tampered", "内容已被改动", "its content was changed")
            else:
                self._own_words(line, body)
        if not self.whole and case != self.manifest["case"]:
            self._named(line, "tampered", "不属于此事项", "it belongs to another case")
        last = self.read.ends.get(case)
        problem = broken(last.seq if last else 0, last.leaf if last else FIRST, seq, previous)
        if problem is not None:
            self._named(line, *problem)
        self.read.ends[case] = _End(seq, leaf)

    def _own_words(self, line: dict[str, Any], body: bytes) -> None:
        try:
            record = orjson.loads(body)
            if (record["case"], record["seq"]) != (line["case"], line["seq"]):
                self._named(line, "reordered", "其内容属于另一条记录", "its content is that of another entry")
            if record["act"] == "erase":
                for seq in record["values"].get("entries") or [record["values"]["seq"]]:
                    self.read.erasures.setdefault((line["case"], int(seq)), line["seq"])
        except (ValueError, KeyError, TypeError, AttributeError):  # sealed, yet no entry: somebody wrote past the doors
            self._named(line, "tampered", "内容不是办理记录", "its content is no entry")

    def _erased(self, case: str, seq: int) -> None:
        by = self.read.erasures.get((case, seq))
        line = {"case": case, "seq": seq, "position": None}
        if by is None:
            self._named(line, "tampered", "内容缺失，且无依法删除的记录", "its content is missing and no erasure entry says why")
            return
        self.report.erased += 1
        zh, en = name_of(_bytes(case), seq)
        self.report.note(f"{zh}：内容已由第 {by} 条办理记录依法删除", f"{en}: content erased by law, by entry {by}")

    # ------------------------------------------------------------------- telling

    def _notes(self) -> None:
        number = self.manifest.get("number") or self.manifest["case"]
        what = ("整个账本", "the whole ledger") if self.whole else (f"事项 {number}", f"case {number}")
        at = self.manifest["at"]
        self.report.note(f"{what[0]}，{at} 导出", f"{what[1]}, exported at {at}")
        if self.kept is None:
            public = self.first.hex()
            self.report.note(
                f"离线核验信任文件自带的公钥 {public}：请与另行所持的公钥或存证比对",
                f"Without the ledger the file's own public key {public} was trusted: compare it with one you keep",
            )
        en = "Not compared: what came after the export, the cases as they stand, the evidence files"
        self.report.note("未比对：导出之后的记录、事项现状、证据文件", en)

    def _named(self, line: dict[str, Any], code: str, zh: str, en: str) -> None:
        where_zh, where_en = name_of(_bytes(line["case"]), line["seq"])
        self.report.add(Finding(code, f"{where_zh}：{zh}", f"{where_en}: {en}", line["case"], line["seq"], line["position"]))

    def _tell(self, code: str, zh: str, en: str) -> None:
        self.report.add(Finding(code, f"导出文件：{zh}", f"the export: {en}"))

    def _member(self, name: str) -> Iterable[bytes]:
        with self.archive.open(name) as file:
            while line := file.readline(LARGEST_LINE):
                yield line


def _bytes(case: str) -> bytes | None:
    try:
        return UUID(case).bytes
    except ValueError:
        return None
