"""What ``fengsui rebuild --check`` prints. Exit codes: 0 identical, 1 something differs, 2 nothing to do."""

from __future__ import annotations

import time

import orjson
from rich.console import Console

from fengsui.ledger.rebuild.whole import check as derive


def main(check: bool = False, *, as_json: bool = False) -> int:
    """Derive everything from the entries and compare it with the rows; returns the exit code."""
    out = Console(highlight=False, soft_wrap=True)
    if not check:
        out.print("[red]Nothing is written: the rows move only through the doors. Give --check to compare them.[/red]")
        return 2
    begun = time.perf_counter()
    found = derive()
    seconds = time.perf_counter() - begun
    if as_json:
        told = {
            "ok": found.ok, "cases": found.cases, "entries": found.entries, "clocks": found.clocks, "partly": found.partly,
            "seconds": round(seconds, 2), "differences": [str(one) for one in found.differences], "more": found.more,
        }  # fmt: skip
        print(orjson.dumps(told).decode())  # noqa: T201 - this is the command's output
        return 0 if found.ok else 1
    for one in found.differences:
        out.print(f"[bold red]✗[/bold red] [red]{one}[/red]", markup=True)
    if found.more:
        out.print(f"[red]… and {found.more} more[/red]")
    line = f"{found.cases} cases and {found.clocks} clocks from {found.entries} entries, {seconds:.1f} s"
    if found.ok:
        out.print(f"[bold green]✓ Identical:[/bold green] {line}")
    else:
        out.print(f"[bold red]{len(found.differences) + found.more} differences:[/bold red] {line}")
    return 0 if found.ok else 1
