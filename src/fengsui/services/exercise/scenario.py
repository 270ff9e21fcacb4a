"""A scenario as a file: what happens, who should answer, within how long.

Pure: YAML in, frozen dataclasses out; every fault is named with file, step and remedy, all at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fengsui.law.amounts import parse_amount

KINDS = {
    "signal": {"point", "to", "over"},
    "expect": {"case", "mechanism", "state", "acted", "climbed", "within"},
    "act": {"case", "do", "values", "photo"},
    "refused": {"case", "do", "values", "photo"},
    "direct_sql": {"case"},
    "verify": {"tamper", "case"},
}
"""What a step may be, and which keys each kind takes."""

COMMON = {"id", "title", "says", "as", "grace", "hold", "look", "while"}


class ScenarioError(ValueError):
    """The file is no scenario; ``faults`` says everything that is wrong with it."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``user`` is the account in whose name the script acts when nobody did within ``grace`` seconds.

    ``hold``: seconds that it stands when it is over, to be read. ``look``: the demo role whose screen shows it.
    ``clock``: a clock of the case; once none of that name runs, somebody has answered and the step is not needed.
    """

    id: str
    kind: str
    title: Mapping[str, str]
    says: Mapping[str, str]
    spec: Mapping[str, Any]
    user: str = ""
    grace: float = 0.0
    hold: float = 0.0
    look: str = ""
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An exercise. ``pace`` shortens every clock of hours and minutes in its cases; legal days stay as they are.

    ``closes``: how a warning that an earlier run left open is put away, ``{do, as: [users], values}``.
    """

    name: str
    title: Mapping[str, str]
    says: Mapping[str, str]
    site: str
    pace: int
    steps: tuple[Step, ...]
    cases: frozenset[str] = field(default_factory=frozenset)
    closes: Mapping[str, Any] = field(default_factory=dict)


def _seconds(value: Any, where: str, faults: list[str]) -> float:
    try:
        found = parse_amount(str(value)).seconds
    except ValueError as error:
        faults.append(f"{where}: {error}")
        return 0.0
    if found is None:
        faults.append(f"{where}: {value!r} is a legal day; write seconds, minutes or hours")
    return float(found or 0)


def _words(raw: Any, where: str, faults: list[str]) -> Mapping[str, str]:
    if not isinstance(raw, dict) or set(raw) != {"zh", "en"} or not all(isinstance(text, str) and text for text in raw.values()):
        faults.append(f"{where}: write the text in both languages, {{zh: …, en: …}}")
        return {"zh": "", "en": ""}
    return raw


def _step(raw: Any, number: int, file: str, known: set[str], faults: list[str]) -> Step | None:
    where = f"{file} step {number}"
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        faults.append(f"{where}: a step is a mapping with an id")
        return None
    where = f"{file} step {raw['id']}"
    kinds = [kind for kind in KINDS if kind in raw]
    if len(kinds) != 1:
        faults.append(f"{where}: say exactly one of {', '.join(KINDS)}")
        return None
    kind = kinds[0]
    spec = raw[kind]
    if not isinstance(spec, dict):
        faults.append(f"{where}.{kind}: write a mapping of {', '.join(sorted(KINDS[kind]))}")
        return None
    for extra in sorted((set(raw) - COMMON - {kind}) | (set(spec) - KINDS[kind])):
        faults.append(f"{where}: {extra!r} means nothing here; {kind} takes {', '.join(sorted(KINDS[kind]))}")
    case = spec.get("case")
    if kind in ("act", "refused", "direct_sql") and case not in known:
        faults.append(f"{where}: no earlier step names the case {case!r}")
    if kind in ("act", "refused") and not raw.get("as"):
        faults.append(f"{where}: say in whose name, as: USER")
    if kind == "expect" and isinstance(case, str):
        known.add(case)
    spec = dict(spec)
    for name in ("over", "within"):
        if name in spec:
            spec[name] = _seconds(spec[name], f"{where}.{name}", faults)
    return Step(
        raw["id"],
        kind,
        _words(raw.get("title"), f"{where}.title", faults),
        _words(raw.get("says"), f"{where}.says", faults),
        spec,
        raw.get("as", ""),
        _seconds(raw.get("grace", "0"), f"{where}.grace", faults),
        _seconds(raw.get("hold", "0"), f"{where}.hold", faults),
        str(raw.get("look", "")),
        str(raw.get("while", "")),
    )


def load(path: Path) -> Scenario:
    """Read a scenario file; raises ``ScenarioError`` with every fault."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScenarioError([f"{path.name}: {error}"]) from error
    if not isinstance(raw, dict):
        raise ScenarioError([f"{path.name}: a scenario is a mapping with exercise, title, says, site, pace, steps"])
    faults: list[str] = [
        f"{path.name}: {key!r} is missing" for key in ("exercise", "title", "says", "site", "steps") if key not in raw
    ]
    pace = raw.get("pace", 1)
    if not isinstance(pace, int) or isinstance(pace, bool) or not 1 <= pace <= 3600:
        faults.append(f"{path.name}: pace is a whole number from 1 to 3600")
    known: set[str] = set()
    written = raw.get("steps")
    listed: list[Any] = written if isinstance(written, list) else []
    steps = [_step(one, number, path.name, known, faults) for number, one in enumerate(listed, 1)]
    ids = [step.id for step in steps if step]
    faults += [f"{path.name}: two steps are called {one!r}" for one in sorted({one for one in ids if ids.count(one) > 1})]
    closes = raw.get("closes", {})
    if not isinstance(closes, dict) or (closes and not (closes.get("do") and isinstance(closes.get("as"), list))):
        faults.append(f"{path.name}.closes: write how an open warning is put away, {{do: ACT, as: [USER, …], values: {{…}}}}")
    title, says = _words(raw.get("title"), f"{path.name}.title", faults), _words(raw.get("says"), f"{path.name}.says", faults)
    if faults:
        raise ScenarioError(faults)
    found = tuple(step for step in steps if step)
    return Scenario(raw["exercise"], title, says, raw["site"], pace, found, frozenset(known), closes)
