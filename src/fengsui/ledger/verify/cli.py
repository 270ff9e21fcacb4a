"""What ``fengsui verify`` prints. Exit codes: 0 all is well, 1 something is wrong, 2 the question is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from fengsui import moment
from fengsui.ledger import sealing
from fengsui.ledger.models import Case, SealKey
from fengsui.ledger.seals import heads, signing
from fengsui.ledger.verify import exporting, offline, parts, receipt, whole
from fengsui.ledger.verify.findings import Report

NOTED = 20
"""Notes told one by one; ``--json`` has them all."""


def main(
    case: str | None = None,
    receipt: Path | None = None,
    head: Path | None = None,
    save_head: Path | None = None,
    *,
    export: Path | None = None,
    files: bool = True,
    as_json: bool = False,
) -> int:
    """Answer one question about the ledger, or about all of it; returns the exit code.

    ``export`` writes the case, or the whole ledger, for verifying elsewhere, once it was found to be in order.
    """

    def asked() -> Report:
        report = _ask(case, receipt, head, files)
        if save_head is not None and report.ok:
            _save(save_head)
        if export is not None and report.ok:
            count = exporting.export(export, moment.now(), _case_id(case) if case else None)
            report.note(
                f"已导出 {count} 条记录至 {export}", f"{count} entries written to {export}: `fengsui verify {export}` checks it"
            )
        return report

    return _answer(asked, as_json)


def file(path: Path, kept: Path | None = None, *, as_json: bool = False) -> int:
    """Judge a kept receipt or an export by itself, without data folder or database; returns the exit code."""

    def asked() -> Report:
        if offline.is_export(path):
            return offline.judge(path, kept.read_bytes() if kept is not None else None)
        report = receipt.alone(path.read_bytes())
        report.note("未与账本比对", "Not compared with the ledger: give --data and --receipt for that")
        return report

    return _answer(asked, as_json)


def _answer(ask: Callable[[], Report], as_json: bool) -> int:
    begun = time.perf_counter()
    out = Console(highlight=False, soft_wrap=True)
    try:
        report = ask()
    except (ValueError, OSError, signing.NoKey) as error:
        out.print(f"[red]{error}[/red]")
        return 2
    seconds = time.perf_counter() - begun
    if as_json:
        print(orjson.dumps(plain(report, seconds)).decode())  # noqa: T201 - this is the command's output
    else:
        _say(out, report, seconds)
    return 0 if report.ok else 1


def _ask(case: str | None, kept: Path | None, head: Path | None, files: bool) -> Report:
    if kept is not None:
        return receipt.here(kept.read_bytes())
    if head is not None:
        return parts.grown_from(head.read_bytes(), moment.now(), files=files)
    if case is not None:
        return parts.case(_case_id(case), files=files)
    return whole.ledger(moment.now(), files=files)


def _case_id(text: str) -> str:
    """A case by its number or its id."""
    found = Case.objects.filter(number=text).values_list("pk", flat=True).first()
    if found is not None:
        return str(found)
    try:
        parts.UUID(text)
    except ValueError:
        raise ValueError(f"there is no case {text!r}: give its number, such as YH-150207-2026-000001, or its id") from None
    return text


def _save(path: Path) -> None:
    head = sealing.latest_head()
    if head is None:
        raise ValueError("nothing is sealed yet: start the sealer (`fengsui up` does) and wait a minute")
    path.write_bytes(heads.to_file(head, bytes(SealKey.objects.get(key_id=head.key_id).public)))


def plain(report: Report, seconds: float) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "ok": report.ok,
        "entries": report.entries,
        "cases": report.cases,
        "heads": report.heads,
        "waiting": report.waiting,
        "erased": report.erased,
        "files": report.files,
        "files_erased": report.files_erased,
        "size": report.head.size if report.head else 0,
        "root": report.head.root.hex() if report.head else None,
        "seconds": round(seconds, 2),
        "findings": [
            {"code": one.code, "zh": one.zh, "en": one.en, "case": one.case, "seq": one.seq, "position": one.position}
            for one in report.findings
        ],
        "more": report.more,
        "notes": [{"zh": zh, "en": en} for zh, en in report.notes],
    }


def _say(out: Console, report: Report, seconds: float) -> None:
    for one in report.findings:
        out.print(f"[bold red]✗ {one.code}[/bold red] [red]{one.en}[/red]", markup=True)
        out.print(f"  [red]{one.zh}[/red]")
    if report.more:
        out.print(f"[red]… and {report.more} more[/red]")
    for _, en in report.notes[:NOTED]:
        out.print(f"[dim]· {en}[/dim]")
    seal = f"the latest seal covers {report.head.size}, root {report.head.root.hex()[:16]}…" if report.head else "no seal"
    line = f"{report.entries} entries of {report.cases} cases, {report.heads} seals"
    line += f", {report.waiting} waiting for one, {report.erased} erased by law"
    if report.files is not None:
        line += f"; {report.files} evidence files, {report.files_erased} erased by law"
    if report.ok:
        out.print(f"[bold green]✓ Whole and unchanged.[/bold green] {line}; {seal}. {seconds:.1f} s")
    else:
        out.print(f"[bold red]{len(report.findings) + report.more} things are wrong.[/bold red] {line}; {seal}. {seconds:.1f} s")
