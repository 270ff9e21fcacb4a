"""Who reads each of the law's numbers: found in the mechanisms' files and in the code itself, written down nowhere.

In: a number's name. Out: the mechanisms, the checks and the rooms' code that name it, or the group that it belongs to. Comments
and docstrings name numbers too and read none: only what a file does with its text counts.
"""

from __future__ import annotations

import ast
import functools
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Literal, NamedTuple

import yaml
from django.conf import settings

from fengsui import shipped
from fengsui.law import numbers

SOURCE = Path(__file__).resolve().parents[1]
OBLIGATIONS = "data/obligations.yaml"
_ELSEWHERE = (("data", "law"), ("data", "demo"), ("law", "readers.py"))
"""The numbers themselves, the demo's own plants, and this file."""
_NAME = re.compile(r"(?<![\w.])(?:law\.)?([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)(?!\w)")

Kind = Literal["mechanism", "check", "code"]


@dataclass(frozen=True, slots=True, order=True)
class Reader:
    """``kind``: a mechanism of that ``name``; the check which holds it to the number; code of the room ``name``.

    ``title`` is a mechanism's, as (zh, en); ``file`` where it is read, from the package's root.
    """

    kind: Kind
    name: str
    title: tuple[str, str]
    file: str


def of(name: str) -> tuple[Reader, ...]:
    """Who reads the number, mechanisms first; empty where nothing does."""
    return read().get(name, ())


def read() -> Mapping[str, tuple[Reader, ...]]:
    """Number → its readers, for every number that has one. While they are gathered beside, it waits for the end of that."""
    if _gathering is not None:
        _gathering.join()
    return _all()


_gathering: Thread | None = None


def warm() -> None:
    """Gather them beside what else goes on: taking all sources apart lasts seconds, for which no page shall wait."""
    global _gathering
    _gathering = Thread(target=_all, name="readers of the law's numbers", daemon=True)
    _gathering.start()


def ready() -> bool:
    """Whether ``read`` answers without waiting for others; where nobody warms, whoever asks gathers them."""
    return _gathering is None or not _gathering.is_alive()


@functools.cache
def _all() -> Mapping[str, tuple[Reader, ...]]:
    """Once a process: neither code nor mechanisms change while it runs."""
    groups: dict[str, set[str]] = defaultdict(set)
    for number in numbers.book().names():
        groups[number].add(number)
        if "." in (group := number.rpartition(".")[0]):
            groups[group].add(number)
    found: dict[str, set[Reader]] = defaultdict(set)
    for reader, texts in _texts(groups):
        for text in texts:
            for named in _NAME.findall(text):
                for number in groups.get(named.removeprefix("law."), ()):
                    found[number].add(reader)
    order = ("mechanism", "check", "code")
    return {name: tuple(sorted(all_, key=lambda one: (order.index(one.kind), one))) for name, all_ in found.items()}


class MechanismFile(NamedTuple):
    """A mechanism's ``file`` from the package's root: its ``text``, and its ``body`` as read; ``title`` as (zh, en)."""

    name: str
    title: tuple[str, str]
    file: str
    text: str
    body: Mapping[str, Any]


def mechanism_files() -> tuple[MechanismFile, ...]:
    """Each mechanism's file, read once a process; a region's own file replaces the shipped one of its name."""
    return _files_in((shipped.folder("mechanisms"), Path(settings.DATA_DIR) / "mechanisms"))


@functools.cache
def _files_in(folders: tuple[Path, ...]) -> tuple[MechanismFile, ...]:
    found: list[MechanismFile] = []
    files: dict[str, Path] = {}
    for folder in folders:
        files |= {path.name: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}
    for path in files.values():
        try:
            text = path.read_text("utf-8")
            body = yaml.load(text, Loader=yaml.CSafeLoader)
            title = str(body["title"]["zh"]), str(body["title"]["en"])
            found.append(MechanismFile(str(body["mechanism"]), title, f"data/mechanisms/{path.name}", text, body))
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            continue  # one that cannot be read runs nowhere; `fengsui check` says what is wrong with it
    return tuple(found)


def _texts(wanted: Collection[str]) -> Iterator[tuple[Reader, Iterable[str]]]:
    """Each reader with its texts; a file of the code that holds none of the ``wanted`` words is not taken apart."""
    titles = {}
    for one in mechanism_files():
        titles[one.name] = one.title
        yield Reader("mechanism", one.name, one.title, one.file), _scalars(one.text)
    for row in yaml.load(shipped.file("obligations.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader):
        name = str(row.get("mechanism", ""))
        yield Reader("check", name, titles.get(name, (name, name)), OBLIGATIONS), _leaves(row)
    for path in sorted(SOURCE.rglob("*.*")):
        parts = path.relative_to(SOURCE).parts
        if path.suffix not in (".py", ".html", ".yaml") or parts[:2] in _ELSEWHERE or parts[0] == "data":
            continue
        text = path.read_text("utf-8")
        if any(word in text for word in wanted):
            reader = Reader("code", parts[0].removesuffix(".py"), ("", ""), "/".join(parts))
            yield reader, _strings(text) if path.suffix == ".py" else (text,)


def _scalars(text: str) -> list[str]:
    """The values of a YAML file, without its comments."""
    return [token.value for token in yaml.scan(text, Loader=yaml.CSafeLoader) if isinstance(token, yaml.ScalarToken)]


def _leaves(row: object) -> Iterator[str]:
    if isinstance(row, Mapping):
        for key, value in row.items():
            yield str(key)
            yield from _leaves(value)
    elif isinstance(row, list):
        for value in row:
            yield from _leaves(value)
    else:
        yield str(row)


def _strings(text: str) -> list[str]:
    """The texts that a program works with: its constants, without those that stand alone as docstrings do."""
    tree = ast.parse(text)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone
    ]
