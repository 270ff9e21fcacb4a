"""What every commit must keep: pins without a host, code of a readable size, one clock."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from fengsui.services.assets import ROOT

LONGEST_FUNCTION, LONGEST_FILE = 60, 600  # lines


def test_pins_name_no_host_and_carry_hashes() -> None:
    for name in ("base.txt", "dev.txt", "uv.txt"):
        text = (ROOT / "requirements" / name).read_text()
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), name
        pins = re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[a-z,]+\])?==\S+(.*)$", text)
        assert pins and all(rest.endswith("\\") for _, rest in pins), name


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        "base.txt": project["dependencies"],
        "dev.txt": [*project["dependencies"], *project["optional-dependencies"]["dev"]],
    }
    for name, dependencies in wanted.items():
        pinned = set(re.findall(r"(?m)^([a-z0-9._-]+)", (ROOT / "requirements" / name).read_text()))
        missing = {re.split(r"[\[<>=;~! ]", dependency)[0].lower() for dependency in dependencies} - pinned
        assert not missing, f"{name} lacks {missing}: run `make requirements`"


def sources() -> Iterator[Path]:
    """Every module of the product that a person wrote."""
    yield from (path for path in sorted((ROOT / "src").rglob("*.py")) if "migrations" not in path.parts)


def test_functions_and_files_are_of_a_readable_size() -> None:
    long = []
    for path in sources():
        text = path.read_text()
        if text.count("\n") > LONGEST_FILE:
            long.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert not long, long


def test_only_one_place_reads_the_clock() -> None:
    """Ruff bans Python's ways (TID251); these are the ways through the database and through Django's fields."""
    fields = r"auto_now|\b(?:current_timestamp|localtimestamp|(?:statement|transaction)_timestamp)\b"
    functions = r"(?<![\w.])now\(\)\s*[-+,)]?\s*(?:::|FROM|AT TIME|interval)"
    ways = re.compile(f"{fields}|{functions}", re.IGNORECASE)
    allowed = {"src/fengsui/services/doctor.py": "compares the database's clock with this machine's"}
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (*sources(), *sorted((ROOT / "src").rglob("migrations/*.py")))
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if ways.search(line) and str(path.relative_to(ROOT)) not in allowed
    ]
    assert not found, found
