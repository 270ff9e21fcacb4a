"""What a report of the public becomes, and what its reporter reads of it, as ``data/public.yaml`` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from fengsui import shipped


@dataclass(frozen=True, slots=True)
class Intake:
    """The mechanism and opening act, its field for each thing a reporter gives, who takes what has no enterprise."""

    mechanism: str
    act: str
    values: Mapping[str, str]  # seen, code, photos, position → the mechanism's field
    answering: str
    duty: str
    ending: Mapping[str, str]


@cache
def intake() -> Intake:
    """Read once. Raises ``TypeError`` naming a key that is missing or unknown."""
    return Intake(**_file()["report"])


@cache
def told() -> Mapping[str, Mapping[str, list[str]]]:
    """Mechanism → act → the fields whose words a reporter reads; whatever is not named stays inside. Read once."""
    found: Mapping[str, Mapping[str, list[str]]] = _file()["told"]
    return found


def _file() -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load(shipped.file("public.yaml").read_text(encoding="utf-8"))
    return known
