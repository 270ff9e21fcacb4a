"""What a report of the public becomes, as ``data/public.yaml`` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

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
    known = yaml.safe_load(shipped.file("public.yaml").read_text(encoding="utf-8"))
    return Intake(**known["report"])
