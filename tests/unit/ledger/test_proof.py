"""The twelve properties, each shown failing; the shipped mechanisms, all proven; the command."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from fengsui import shipped
from fengsui.ledger.kernel.document import MechanismError
from fengsui.ledger.kernel.load import load_text
from fengsui.ledger.kernel.names import Names, read_names
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.ledger.proof import PROPERTIES, Law, Report, check
from fengsui.ledger.proof.check import Checker
from fengsui.ledger.proof.cli import main
from fengsui.ledger.proof.findings import Finding
from fengsui.ledger.proof.shipped_proof import load_all, shipped_law, shipped_names
from fengsui.ledger.proof.space import Space

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(path.stem for path in BROKEN.glob("[0-9]*.yaml"))


def laid_over(base: Any, over: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(over, Mapping):
        return over
    merged = dict(base) if isinstance(base, Mapping) else {}
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = laid_over(merged.get(key), value)
    return merged


def texts_of(case: Mapping[str, Any]) -> dict[str, str]:
    """File → the YAML of each mechanism of a broken set."""
    base = yaml.safe_load((BROKEN / "base.yaml").read_text("utf-8"))
    files = [laid_over(base, case.get("matter", {})), *case.get("others", [])]
    return {f"{data['mechanism']}.yaml": yaml.safe_dump(data, sort_keys=False, allow_unicode=True) for data in files}


def read(case: Mapping[str, Any], names: Names) -> dict[str, Mechanism]:
    found = [load_text(text, names, file, titles=False) for file, text in texts_of(case).items()]
    return {mechanism.name: mechanism for mechanism in found}


def report_of(case: Mapping[str, Any], names: Names) -> Report:
    told = replace(names, sent={**names.sent, **{event: tuple(to) for event, to in case.get("sent", {}).items()}})
    return check(read(case, names), told, Law())


@pytest.fixture(scope="module")
def names() -> Names:
    return shipped_names()


def test_the_base_is_closed(names: Names) -> None:
    assert report_of({}, names).findings == ()


def test_every_property_is_shown_failing_at_least_twice() -> None:
    shown = [yaml.safe_load((BROKEN / f"{case}.yaml").read_text("utf-8"))["expect"]["property"] for case in CASES]
    assert all(shown.count(number) >= 2 for number in PROPERTIES if number)


@pytest.mark.parametrize("case", CASES)
def test_broken(case: str, names: Names) -> None:
    """Each file pins the finding whole: property, place, words, the shortest path and the line to mend."""
    data = yaml.safe_load((BROKEN / f"{case}.yaml").read_text("utf-8"))
    expected = data["expect"]
    report = report_of(data, names)
    about = expected.get("mechanism", "matter")
    fitting = [
        finding
        for finding in report.findings
        if (finding.property, finding.mechanism) == (expected["property"], about)
        and (finding.state, finding.act) == (expected.get("state", ""), expected.get("act", ""))
        and finding.says == expected["says"]
    ]
    assert len(fitting) == 1, "\n".join(map(str, report.findings)) or "nothing found"
    assert list(fitting[0].path) == expected["path"]
    assert expected["path"] or expected["no_way"], "a fault without a way says why there is none"
    assert fitting[0].place == expected["place"]
    file, _, number = fitting[0].line.partition(":")
    text = texts_of(data).get(file) or shipped.file(file).read_text("utf-8")
    assert text.splitlines()[int(number) - 1].strip() == expected["line"]
    assert all(finding.line for finding in report.findings)
    assert about not in report.certificates


def test_shipped_mechanisms_are_proven(names: Names) -> None:
    mechanisms = load_all(names)
    report = check(mechanisms, names, shipped_law())
    assert report.findings == ()
    assert report.certificates.keys() == mechanisms.keys()
    for name, proof in report.certificates.items():
        assert proof.digest == mechanisms[name].digest
        assert proof.properties == tuple(range(1, 13))


def test_obligations_name_known_things(names: Names) -> None:
    mechanisms = load_all(names)
    for line in shipped_law().obligations:
        assert line.mechanism in mechanisms or line.ladder in names.ladders, line
        assert not line.runs or line.runs in names.law or line.runs in mechanisms[line.mechanism].fields, line


def test_the_registry_tells_known_mechanisms_of_events(names: Names) -> None:
    mechanisms = load_all(names)
    assert {to for told in names.sent.values() for to in told} <= mechanisms.keys()
    with pytest.raises(MechanismError, match=r"events.alarm.again.to: .*Write to: \[warning\]"):
        read_names("events: {alarm.again: {zh: 再次报警, en: Alarm again, to: warning}}")


def test_what_starts_a_number_leads_to_a_state_that_runs_it(names: Names) -> None:
    mechanisms = dict(load_all(names))
    text = yaml.safe_dump(dict(mechanisms["hazard"].source), sort_keys=False, allow_unicode=True)
    assert text.count("to: assigned") == 3
    mechanisms["hazard"] = load_text(text.replace("to: assigned", "to: found_above", 1), names, "hazard.yaml")
    (found,) = check(mechanisms, names, shipped_law()).of("hazard")
    assert (found.property, found.state, found.act) == (1, "found_above", "assign_down")
    assert found.says.startswith("law number hazard.sign does not run after it: 平台建议")
    assert found.path == ("found_above", "assign_down") or found.path == ("listed_above", "assign_down")


def test_same_proof_same_bytes(names: Names) -> None:
    mechanisms = load_all(names)
    first, second = (check(mechanisms, names, shipped_law()).certificates for _ in range(2))
    assert {name: proof.canonical() for name, proof in first.items()} == {
        name: proof.canonical() for name, proof in second.items()
    }


def test_a_spent_budget_proves_nothing_and_says_so(names: Names) -> None:
    report = check(load_all(names), names, shipped_law(), budget=20)
    assert "hazard" in report.spent
    assert any(finding.property == 0 and "budget" in finding.says for finding in report.of("hazard"))
    assert "hazard" not in report.certificates


def test_a_way_whose_search_spends_the_budget_is_left_out_and_looked_for_once(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker = Checker(load_all(names), names, shipped_law(), budget=25)
    known = checker.explore("accident")
    assert known is not None and not checker.spent
    searched: list[str] = []
    real = Space.focused
    monkeypatch.setattr(Space, "focused", lambda space, act: searched.append(act.name) or real(space, act))
    told = [checker.shown(Finding(8, "accident", "it", "graded", act)) for act in ("analyse", "phone")]
    assert not searched, "a way to the state needs no search"
    told += [checker.shown(Finding(4, "accident", "it", "graded", act)) for act in ("analyse", "phone")]
    assert searched == ["analyse"] and checker.spent == {"accident": "more than 25 configurations"}
    assert [bool(one.path) for one in told] == [True, True, False, False]
    assert all(one.line.startswith("accident.yaml:") for one in told)


def run(folder: Path | None, **options: Any) -> tuple[int, str]:
    out = io.StringIO()
    code = main(folder, out=out, **options)
    return code, out.getvalue()


def test_command_proves_the_shipped_mechanisms() -> None:
    code, said = run(None)
    assert code == 0
    assert "hazard" in said and "12 of 12" in said and "Everything is proven" in said


def test_command_names_property_state_act_and_way(tmp_path: Path) -> None:
    broken = laid_over(
        yaml.safe_load((BROKEN / "base.yaml").read_text("utf-8")),
        yaml.safe_load((BROKEN / "04-work-unverified.yaml").read_text("utf-8"))["matter"],
    )
    broken["title"] = {"zh": "事项", "en": "Matter"}
    (tmp_path / "matter.yaml").write_text(yaml.safe_dump(_titled(broken), allow_unicode=True), "utf-8")
    code, said = run(tmp_path)
    assert code == 1
    for word in ("matter", "done", "wave_through", "raise → work → wave_through", "unverified"):
        assert word in said
    code, said = run(tmp_path, as_json=True)
    found = json.loads(said)
    assert code == 1 and not found["ok"]
    assert any(line["property"] == 4 and line["path"] == ["raise", "work", "wave_through"] for line in found["findings"])


def test_a_regions_own_file_is_checked_over_the_shipped_ones(tmp_path: Path) -> None:
    shipped_text = (shipped.folder("mechanisms") / "look_back.yaml").read_text("utf-8")
    (tmp_path / "look_back.yaml").write_text(shipped_text.replace(", verifies: [visit]", ""), "utf-8")
    code, said = run(tmp_path)
    assert code == 2 and "hazard" in said, "alone it names a mechanism that is not in its folder"
    code, said = run(tmp_path, over=True)
    assert code == 1 and "look_back" in said and "scheduled → fall_due → visit → confirm" in said


def _titled(data: dict[str, Any]) -> dict[str, Any]:
    """A file that people read carries titles in both languages."""
    title = {"zh": "名称", "en": "Name"}
    for section in ("fields", "open", "states", "ends"):
        for body in data[section].values():
            body.setdefault("title", title)
    for state in data["states"].values():
        for act in state["actions"].values():
            act.setdefault("title", title)
    return data


def test_command_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    code, said = run(tmp_path / "absent")
    assert code == 2 and "no folder" in said
    code, said = run(tmp_path)
    assert code == 2 and "no mechanism file" in said
    (tmp_path / "x.yaml").write_text("mechanism: [", "utf-8")
    code, said = run(tmp_path)
    assert code == 2 and "x.yaml" in said
    code, said = run(tmp_path, as_json=True)
    assert code == 2 and json.loads(said)["ok"] is False


def test_command_says_when_the_budget_is_spent() -> None:
    code, said = run(None, budget=20)
    assert code == 1 and "budget" in said and "hazard" in said
