"""``fengsui check [FOLDER]``: prove all mechanisms and say what is wrong.

Exit codes: 0 everything proven, 1 something is broken or not proven within the budget, 2 a file cannot be read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fengsui.ledger.kernel.document import MechanismError
from fengsui.ledger.proof.check import BUDGET, check
from fengsui.ledger.proof.findings import PROPERTIES, Report
from fengsui.ledger.proof.shipped_proof import load_all, shipped_law, shipped_names


def main(
    folder: str | Path | None = None,
    *,
    as_json: bool = False,
    budget: int = BUDGET,
    over: bool = False,
    out: TextIO | None = None,
) -> int:
    """Check a folder (default: the shipped mechanisms; ``over``: laid over them), print the report, return the exit code."""
    stream = out or sys.stdout
    if folder is not None and not Path(folder).is_dir():
        return _unreadable(stream, as_json, [f"{folder} is no folder. Name one that holds mechanism files (*.yaml)"])
    try:
        mechanisms = load_all(shipped_names(), Path(folder) if folder is not None else None, over=over)
    except MechanismError as error:
        return _unreadable(stream, as_json, [str(fault) for fault in error.faults])
    if not mechanisms:
        return _unreadable(stream, as_json, [f"{folder} holds no mechanism file (*.yaml)"])
    report = check(mechanisms, shipped_names(), shipped_law(), budget=budget)
    if as_json:
        stream.write(json.dumps(report.plain(), ensure_ascii=False, indent=2) + "\n")
    else:
        show(report, Console(file=stream, highlight=False))
    return 0 if report.ok else 1


def _unreadable(stream: TextIO, as_json: bool, faults: list[str]) -> int:
    if as_json:
        stream.write(json.dumps({"ok": False, "faults": faults}, ensure_ascii=False, indent=2) + "\n")
    else:
        stream.write("".join(f"{fault}\n" for fault in faults))
    return 2


def show(report: Report, console: Console) -> None:
    """Print a table of mechanisms, then each finding with its shortest way."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, side in (
        ("mechanism", "left"),
        ("proven", "left"),
        ("configurations", "right"),
        ("edges", "right"),
        ("seconds", "right"),
    ):
        table.add_column(title, justify="right" if side == "right" else "left")
    broken = {finding.mechanism for finding in report.findings}
    for name in sorted({*report.certificates, *broken}):
        proof = report.certificates.get(name)
        if proof is None:
            numbers = sorted({finding.property for finding in report.of(name)})
            verdict = Text("not within the budget" if numbers == [0] else f"broken: {', '.join(map(str, numbers))}", "red")
            table.add_row(name, verdict, "", "", "")
        else:
            verdict = Text("12 of 12", "green")
            table.add_row(name, verdict, str(proof.configurations), str(proof.edges), f"{proof.seconds:.3f}")
    console.print(table)
    for finding in report.findings:
        console.print()
        console.print(f"{finding.property}. {PROPERTIES[finding.property]}", style="bold", markup=False, soft_wrap=True)
        for label, value in (
            ("mechanism", finding.mechanism),
            ("state", finding.state),
            ("act", finding.act),
            ("line", finding.line),
            ("fault", finding.says),
            ("way", " → ".join(finding.path)),
        ):
            if value:
                console.print(f"   {label:<10}{value}", markup=False, soft_wrap=True)
    if report.spent:
        console.print(f"\nThe search budget was spent on {', '.join(report.spent)}: raise it with --budget.", markup=False)
    sentence = "Everything is proven" if report.ok else f"{len(report.findings)} findings"
    console.print(f"\n{sentence}, {len(report.certificates)} certificates, {report.seconds:.2f} s.", markup=False)
