"""One case out of its entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from fengsui.ledger.seals import change


@dataclass(slots=True)
class Folded:
    """A case as its entries say it is. ``whole`` is False while erased content is missing."""

    known: change.Plain = field(default_factory=dict)
    lines: dict[int, Any] = field(default_factory=dict)  # clock's place → what people read beside it
    changed: dict[int, int] = field(default_factory=dict)  # clock's place → seq of the entry that last changed its row
    seq: int = 0
    at: str = ""
    whole: bool = True

    def add(self, body: bytes | None) -> None:
        """Apply the next entry."""
        self.seq += 1
        if body is None:
            self.whole = False
            return
        record = orjson.loads(body)
        self.at = record["at"]
        besides: Mapping[str, Any] = record["besides"]
        step = record["change"]
        if "whole" in besides:
            self.known = {key: value for key, value in besides["whole"].items() if key not in change.ELSEWHERE}
            self.lines = {int(at): line for at, line in besides["lines"].items()}
            self.changed = dict.fromkeys(range(len(self.known["clocks"])), self.seq)
            self.whole = True
            return
        if not self.whole:
            return
        change.apply(self.known, step)
        if "clocks" in step:
            for at in step["clocks"]["at"]:
                self.changed[int(at)] = self.seq
        for at, line in besides.get("clocks", {}).items():
            self.lines[int(at)] = line
