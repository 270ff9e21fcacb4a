"""YAML text into plain data that remembers its lines.

In: text. Out: dicts, lists, strings, numbers and booleans, and the line of every path. Only ``true``
and ``false`` are booleans (YAML 1.2), dates stay strings, and a key written twice is a fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

SLIPPERY = frozenset({"yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", ""})
"""Words that some YAML reader turns into something else when they stand as a key."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is built in
_INT = re.compile(r"[-+]?\d+")
_FLOAT = re.compile(r"[-+]?\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a file: where, what, and what to do about it."""

    file: str
    path: str
    says: str
    remedy: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.says}" + (f". {self.remedy}" if self.remedy else "")


class MechanismError(ValueError):
    """Everything wrong in one or several files, gathered in ``faults``."""

    def __init__(self, faults: list[Fault] | tuple[Fault, ...]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(slots=True)
class Document:
    """A file's data, the line of each path, and the faults found so far."""

    file: str
    data: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, says: str, remedy: str = "") -> None:
        """Note a fault; the line is that of the nearest enclosing path."""
        near = path
        while near and near not in self.lines:
            near = near.rpartition(".")[0]
        self.faults.append(Fault(self.file, path or "(file)", says, remedy, self.lines.get(near, 0)))


def read_document(text: str, file: str) -> Document:
    """Parse ``text``; faults (broken YAML, doubled or slippery keys) are in the document, never raised."""
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        document.faults.append(
            Fault(
                file,
                "(file)",
                f"this is no YAML: {getattr(error, 'problem', None) or error}",
                "Check indentation, colons and brackets near this line",
                line,
            )
        )
        return document
    try:
        document.data = None if node is None else _plain(node, "", document, frozenset())
    except RecursionError:
        document.fault("", "nested too deeply to be read", "Write the file flatter")
    return document


def _plain(node: Any, path: str, document: Document, above: frozenset[int]) -> Any:
    if id(node) in above:
        document.fault(path, "an alias that contains itself", "Write the value out")
        return None
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document, above | {id(node)})
    if isinstance(node, yaml.SequenceNode):
        inside = above | {id(node)}
        return [_plain(child, f"{path}[{i}]", document, inside) for i, child in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: Any, path: str, document: Document, above: frozenset[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
        here = f"{path}.{key}" if path else key
        document.lines[here] = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            document.fault(here, "a key must be a single word", "Write a plain name before the colon")
            continue
        if key.lower() in SLIPPERY and not (key == "on" and path == "number"):
            document.fault(here, f"{key!r} as a key is read by YAML as something else", "Choose another name")
        if key in found:
            document.fault(here, f"{key!r} is written twice", "Keep one of the two")
        found[key] = _plain(value_node, here, document, above)
    return found


def _scalar(node: Any) -> Any:
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
