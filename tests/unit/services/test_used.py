"""The product holds no function that tests alone call: each public one is named somewhere in the product besides."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[3] / "src" / "fengsui"
HALVES = {
    "encode_columns": "the other half of the wire format, for whoever writes a gateway in Python",
    "case_of": "the other half of `plain`: what is sealed can be read back",
}
"""Called by tests alone, and why they stay."""
SUFFIXES = {".py", ".html", ".js", ".yaml", ".toml", ".txt"}


def names_used() -> Counter[str]:
    files = [path for path in SOURCE.rglob("*") if path.suffix in SUFFIXES and "vendor" not in path.parts]
    return Counter(word for path in files for word in re.findall(r"[A-Za-z_]\w*", path.read_text("utf-8")))


def public_functions() -> set[str]:
    """Functions of modules, undecorated: what a framework calls by itself is a method or carries its decorator."""
    return {
        node.name
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_") and not node.decorator_list
    }


def test_no_function_serves_tests_alone() -> None:
    used = names_used()
    assert {name for name in public_functions() if used[name] == 1} == HALVES.keys()
