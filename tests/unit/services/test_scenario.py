"""Scenario files: the shipped ones load, every fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fengsui import shipped
from fengsui.services.exercise import scenario

GOOD = {
    "exercise": "x",
    "title": {"zh": "甲", "en": "A"},
    "says": {"zh": "乙", "en": "B"},
    "site": "HC-1",
    "pace": 30,
    "steps": [
        {
            "id": "a",
            "title": {"zh": "一", "en": "one"},
            "says": {"zh": "一", "en": "one"},
            "signal": {"point": "P", "to": 1, "over": "5s"},
        },
        {
            "id": "b",
            "title": {"zh": "二", "en": "two"},
            "says": {"zh": "二", "en": "two"},
            "expect": {"case": "w", "mechanism": "warning"},
        },
    ],
}


def faults(tmp_path: Path, **changes: object) -> str:
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(scenario.ScenarioError) as caught:
        scenario.load(path)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(shipped.folder("exercises").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_scenarios_load(path: Path) -> None:
    found = scenario.load(path)
    assert found.steps
    assert all(step.title["zh"] and step.title["en"] for step in found.steps)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    said = faults(
        tmp_path,
        pace=0,
        steps=[{"id": "a", "signal": {"to": 1, "over": "5 weeks"}}, {"id": "a", "act": {"case": "z", "do": "x"}}],
    )
    for part in (
        "pace is a whole number",
        "title",
        "5 weeks",
        "no earlier step names the case 'z'",
        "as: USER",
        "two steps are called 'a'",
    ):
        assert part in said


def test_one_language_is_a_fault(tmp_path: Path) -> None:
    assert "both languages" in faults(tmp_path, title={"zh": "甲"})


def test_an_unknown_kind_or_key_is_a_fault(tmp_path: Path) -> None:
    step = {**GOOD["steps"][0], "signal": {"point": "P", "to": 1, "colour": "red"}}  # type: ignore[index]
    assert "'colour' means nothing here" in faults(tmp_path, steps=[step])
    assert "say exactly one of" in faults(tmp_path, steps=[{"id": "q"}])


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(scenario.ScenarioError, match="mapping"):
        scenario.load(path)
