"""The one table of exit codes agrees with the code, with every command's help and with the reference page.

Which failures a command can meet is read from the source: from its function along every call to ``Failure("KIND", …)``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from fengsui.services.cli import Command, Grouped, main
from fengsui.services.failure import EXIT_CODES, EXITS, Failure
from fengsui.services.reference import page
from fengsui.services.worker import ROOMS

SOURCE = Path(__file__).resolve().parents[3] / "src"
CLI = "fengsui.services.cli"
Place = tuple[str, str]  # module, function (or Class, or Class.method)
NOT_MET = {
    "up": {"notready"}, "demo": {"notready"}, "restore": {"notready"},  # they make the folder and its config.toml themselves
    "doctor": set(EXIT_CODES),  # every failure becomes one of its findings
}  # fmt: skip
"""Failures on a path of calls that a command still never ends with."""


class Sources:
    """Every function of the product, and what each module imports from the product."""

    def __init__(self) -> None:
        self.functions: dict[Place, ast.AST] = {}
        self.imported: dict[str, dict[str, tuple[str, str]]] = {}
        self.methods: dict[str, list[Place]] = {}  # of the services, by name
        self._seen: dict[Place, tuple[set[str], set[Place]]] = {}
        for path in sorted((SOURCE / "fengsui").rglob("*.py")):
            if "migrations" not in path.parts:
                self._read(path)

    def _read(self, path: Path) -> None:
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text("utf-8"))
        self.imported[module] = {
            name.asname or name.name: (node.module, name.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for name in node.names
        }
        self._define(module, tree.body, "")

    def _define(self, module: str, body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.functions[module, prefix + node.name] = node
                if prefix and module.startswith("fengsui.services."):
                    self.methods.setdefault(node.name, []).append((module, prefix + node.name))
            if isinstance(node, ast.ClassDef):
                self._define(module, node.body, f"{node.name}.")

    def named(self, module: str, name: str) -> Iterator[Place]:
        """What a bare name means in a module: its own function, or an imported one."""
        if (module, name) in self.functions:
            yield module, name
        elif name in self.imported[module]:
            there, inside = self.imported[module][name]
            if (there, inside) in self.functions:
                yield there, inside

    def attribute(self, module: str, node: ast.Attribute) -> Iterator[Place]:
        """``module.function``; else any method or property of that name in the services."""
        if isinstance(node.value, ast.Name) and node.value.id in self.imported[module]:
            there = ".".join(self.imported[module][node.value.id])
            if (there, node.attr) in self.functions:
                yield there, node.attr
                return
        yield from self.methods.get(node.attr, ())

    def kinds(self, *starts: Place) -> set[str]:
        """The kinds of failure on any path of calls from these functions."""
        seen: set[Place] = set()
        stack = list(starts)
        found: set[str] = set()
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            kinds, calls = self._inside(at)
            found |= kinds
            stack += calls
        return found

    def _inside(self, at: Place) -> tuple[set[str], set[Place]]:
        """The kinds that a function raises itself, and what it calls."""
        if at not in self._seen:
            kinds: set[str] = set()
            calls: set[Place] = set()
            for node in ast.walk(self.functions[at]):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    if node.func.id == "Failure" and isinstance(node.args[0], ast.Constant):
                        kinds.add(str(node.args[0].value))
                    calls |= set(self.named(at[0], node.func.id))
                elif isinstance(node, ast.Attribute):
                    calls |= set(self.attribute(at[0], node))
            self._seen[at] = kinds, calls
        return self._seen[at]

    def answers(self, command: str) -> set[int]:
        """The numbers that the functions return whose value becomes the exit code."""
        found: set[int] = set()
        for node in ast.walk(self.functions[CLI, command]):
            value = node.value if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code" else None
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "sys.exit":
                value = node.args[0]
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
                for at in self.attribute(CLI, value.func):
                    found |= set(self._returned(at))
        return found

    def _returned(self, at: Place) -> Iterator[int]:
        for node in ast.walk(self.functions[at]):
            if isinstance(node, ast.Return) and node.value is not None:
                if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
                    for further in self.named(at[0], node.value.func.id):
                        yield from self._returned(further)
                parts = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
                yield from (one.value for one in parts if isinstance(one, ast.Constant) and type(one.value) is int)


@cache
def sources() -> Sources:
    return Sources()


@pytest.mark.parametrize("name", sorted(EXITS))
def test_the_table_says_which_failures_the_code_can_meet(name: str) -> None:
    function = "_process" if name in ROOMS else name.replace("-", "_")
    more = [(ROOMS[name], "run")] if name in ROOMS else []
    assert set(EXITS[name].kinds) == sources().kinds((CLI, function), (CLI, "Grouped.invoke"), *more) - NOT_MET.get(name, set())


@pytest.mark.parametrize("name", ["check", "token", "gateway", "administrator", "verify", "adopt", "move", "rebuild"])
def test_the_table_says_what_the_command_answers(name: str) -> None:
    assert sources().answers(name) == EXITS[name].answers.keys()


def test_every_command_has_its_line_and_shows_it() -> None:
    assert isinstance(main, Grouped)
    assert EXITS.keys() == main.commands.keys()
    for name in EXITS.keys() - {"manage"}:
        command = main.commands[name]
        assert isinstance(command, Command)
        said = CliRunner().invoke(main, [name, "--help"], terminal_width=200).output.partition("Exit codes:")[2]
        shown = [line.split(maxsplit=1) for line in said.strip().splitlines()]
        assert [(int(code), words) for code, words in shown] == EXITS[name].rows()
        assert "xit code" not in (command.help or ""), "the table says it"


def test_the_reference_names_every_code_of_every_command() -> None:
    for section in page().split("\n## fengsui ")[1:]:
        name = section.partition("\n")[0]
        (line,) = [one for one in section.splitlines() if one.startswith("Exit codes: ")]
        for kind in EXIT_CODES:
            assert (f"{EXIT_CODES[kind][0]} ({kind})" in line) == (kind in EXITS[name].kinds), (name, kind)
        assert all(f"{code} {words}" in line for code, words in EXITS[name].answers.items())


def test_every_code_is_one_number_and_some_command_can_end_with_it() -> None:
    numbers = [code for code, _ in EXIT_CODES.values()]
    assert len(set(numbers)) == len(numbers) and min(numbers) > 2
    assert set(EXIT_CODES) == {kind for exits in EXITS.values() for kind in exits.kinds}
    assert Failure("notready", "There is nothing.").exit_code == 22
