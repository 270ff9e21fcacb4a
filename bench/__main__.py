"""``python -m bench NAME`` runs one benchmark and prints one JSON line; without a name all, and a table."""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from typing import Any

import bench


def names() -> list[str]:
    """The modules of this package that are benchmarks: those with a ``run``."""
    found = (module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_"))
    return [name for name in found if hasattr(importlib.import_module(f"bench.{name}"), "run")]


def run(name: str) -> dict[str, Any]:
    """Run one; the result's shape is {"name", "value", "unit", "goal", "ok", "detail"}."""
    result: dict[str, Any] = importlib.import_module(f"bench.{name}").run()
    return result


def apart(name: str) -> dict[str, Any]:
    """Run one in a process of its own: Django knows one database for as long as a process lives."""
    told = subprocess.run([sys.executable, "-m", "bench", name], stdout=subprocess.PIPE, text=True).stdout.splitlines()
    failed = {"name": name, "value": None, "unit": "", "goal": None, "ok": False, "detail": "it broke off: see above"}
    result: dict[str, Any] = json.loads(told[-1]) if told else failed
    return result


def ratio(result: dict[str, Any]) -> str:
    """How the value stands to its goal: 1.00 is just met when more is better, and when less is better too."""
    value, goal = result.get("value"), result.get("goal")
    if not isinstance(value, int | float) or not isinstance(goal, int | float) or not value or not goal:
        return "–"
    return f"{value / goal:.2f}"


def main(arguments: list[str]) -> int:
    """Exit code 0 if every benchmark that ran met its goal."""
    chosen = arguments or names()
    if unknown := sorted(set(chosen) - set(names())):
        print(f"no benchmark {unknown[0]!r}; there are {', '.join(names())}")
        return 2
    results = []
    for name in chosen:
        result = run(name) if len(chosen) == 1 else apart(name)
        results.append(result)
        print(json.dumps(result, ensure_ascii=False), flush=True)
    if not arguments:
        print(f"\n{'name':<18}{'value':>12}  {'unit':<28}{'goal':>10}{'value/goal':>12}  met")
        for result in results:
            met = "yes" if result["ok"] else "NO"
            measured = f"{result['name']:<18}{result['value']!s:>12}  {result['unit']:<28}"
            print(f"{measured}{result['goal']!s:>10}{ratio(result):>12}  {met}")
    return 0 if all(result["ok"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
