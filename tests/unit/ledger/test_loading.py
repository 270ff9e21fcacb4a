"""Mechanism files: what is refused, where, and with which remedy; and that nothing else ever comes out."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui import shipped
from fengsui.ledger.kernel import load, sections
from fengsui.ledger.kernel.document import MechanismError, read_document
from fengsui.ledger.kernel.names import read_names
from tests.unit.ledger.walking import MECHANISMS, NAMES

FOLDER = shipped.folder("mechanisms")
SCHEMA = json.loads((FOLDER / "mechanism.schema.json").read_text("utf-8"))
GOOD = """
mechanism: note
title: {zh: 便函, en: Note}
fields:
  words: {kind: text, title: {zh: 内容, en: Words}}
  office: {kind: office, acts_as: [up], title: {zh: 单位, en: Office}}
clocks:
  whole: {amount: law.hazard.longest, starts: [begin], stops: [end], holder: up, title: {zh: 总, en: Whole}}
open:
  begin: {title: {zh: 开始, en: Begin}, by: [enterprise], to: doing, sets: [words], assigns: {office: up}}
states:
  doing:
    title: {zh: 办理, en: Doing}
    owner: field.office
    within: law.hazard.sign
    actions:
      finish: {title: {zh: 完成, en: Finish}, to: done, needs: [{set: words}]}
always:
  note: {title: {zh: 记录, en: Note}, by: [up], sets: [words], in: [doing]}
ends:
  done: {title: {zh: 完成, en: Done}, tells: [raiser]}
"""


def faults(text: str) -> str:
    with pytest.raises(MechanismError) as caught:
        load.load_text(text, NAMES, "note.yaml")
    return str(caught.value)


def test_a_good_file_loads_with_its_defaults() -> None:
    found = load.load_text(GOOD, NAMES)
    assert found.ladder == "plain"
    finish = found.states["doing"].offers["finish"]
    assert finish.by == ("field.office",)
    assert found.clocks["whole"].again == "once"  # the law number's own kind
    assert found.opening["begin"].starts == ("whole",)
    assert [act.name for act in found.states["doing"].actions] == ["finish", "note"]
    assert found.always["note"].within_states == ("doing",)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("owner: field.office", "owner: field.offise", "states.doing.owner: no field 'offise'. Known: office, words"),
        ("owner: field.office", "owner: field.words", "the field 'words' (text) names nobody"),
        ("owner: field.office", "owner: nobody", "states.doing.owner: no role 'nobody'"),
        (", acts_as: [up]", "", "states.doing.owner: any post of the office in 'office' could act. Add acts_as: [ROLE]"),
        ("acts_as: [up]", "acts_as: [upp]", "fields.office.acts_as: no role 'upp'"),
        ("kind: text", "kind: text, acts_as: [up]", "fields.words.acts_as: the field 'words' (text) names nobody"),
        ("kind: text", "kind: person", "fields.words.acts_as: anybody at all could be named in 'words'"),
        ("within: law.hazard.sign", "within: law.hazard.sgin", "states.doing.within: no law number 'hazard.sgin'"),
        ("within: law.hazard.sign", "within: 3 days", "'3 days' is no clock of a state. Write law.NUMBER"),
        ("within: law.hazard.sign", "within: clock.hole", "no clock 'hole'. Known: whole"),
        ("    within: law.hazard.sign\n", "", "states.doing.within: the state has no 'within'. Add `within:`"),
        ("to: done,", "to: dome,", "states.doing.actions.finish.to: no state or end 'dome'. Known: doing, done"),
        ("{set: words}", "{sat: words}", "'sat' is no exact guard"),
        ("{set: words}", "{ended: task}", "no child 'task'. Known: none"),
        ("{set: words}", "fine_weather", "no guard 'fine_weather'"),
        ("{set: words}", "certified, colour_higher", "no field read by this guard 'colour'"),
        ("starts: [begin]", "starts: [bigin]", "clocks.whole.starts: no act 'bigin'"),
        ("stops: [end], ", "", "clocks.whole.stops: the clock has no 'stops'"),
        ("tells: [raiser]", "tells: [rasier]", "ends.done.tells: no role 'rasier'"),
        ("in: [doing]", "in: [going]", "always.note.in: no state 'going'. Known: doing"),
        ("by: [up], sets", "sets", "always.note.by: an act under `always` says by whom"),
        ("by: [up]", "by: [event.flood]", "no event 'flood'"),
        ("by: [up]", "by: [child.task]", "no child 'task'"),
        ("by: [up]", "by: up", "expected a list of names, found 'up'. Write [name, name]"),
        ("kind: text", "kind: word", "'word' is no kind of field"),
        ("title: {zh: 完成, en: Finish}, ", "", "states.doing.actions.finish.title: there is no title"),
        ("en: Begin", "xx: Begin", "open.begin.title: a text has both languages"),
        ("  note: {", "  no: {", "'no' as a key is read by YAML as something else. Choose another name"),
        ("  note: {", "  on: {", "'on' as a key is read by YAML as something else"),
        ("  note: {", "  false: {", "'false' as a key is read by YAML as something else"),
        ("  note: {", "  finish: {", "another act is named 'finish' (states.doing.actions.finish)"),
        ("  note: {", "  opened: {", "'opened' has a meaning of its own"),
        ("  note: {", "  move: {", "the ledger has an act 'move' of its own"),
        ("sets: [words], in", "sets: [words], at_most: 0, in", "0 is no count. Write a whole number from 1"),
        ("sets: [words], in", "sets: [words], then: done, in", "`then` without `at_most`"),
        ("sets: [words], in", "sets: [words], clears: [words], in", "'words' is both set and cleared"),
        ("sets: [words], in", "sets: [words], does: yes, in", "'yes' is neither true nor false"),
        ("sets: [words], in", "sets: [words], verifies: [finish], in", "no act that does work 'finish'. Known: opened"),
        ("sets: [words], in", "sets: [words], efects: [pay], in", "unknown key 'efects'. Known:"),
        ("sets: [words], in", "sets: [words], stops: [hole], in", "'note' names no clock 'hole'. Known: whole"),
        ("assigns: {office: up}", "assigns: {office: upp}", "open.begin.assigns.office: no role 'upp'"),
        ("mechanism: note", "mechanism: Note 1", "mechanism: 'Note 1' is no name"),
        ("ends:\n  done", "ends:\n  doing", "'doing' is both a state and an end"),
        ("mechanism: note", "mechanism: note\nkey: [words]", "a keyed mechanism answers a second opening in every state"),
        ("mechanism: note", "mechanism: note\nladder: standard", "opens 'circular', which is no child here"),
        ("mechanism: note", "mechanism: note\nmechanism: other", "'mechanism' is written twice. Keep one of the two"),
        ("mechanism: note", "mechanism: [note", "this is no YAML"),
        ("states:\n  doing:", "states: &a\n  doing: *a\n  other:", "an alias that contains itself"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(old: str, new: str, says: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    found = faults(text)
    assert says in found, found
    assert found.startswith("note.yaml")


def test_faults_carry_their_line_and_come_all_together() -> None:
    text = GOOD.replace("owner: field.office", "owner: nobody").replace("to: done,", "to: dome,").replace("[raiser]", "[rasier]")
    with pytest.raises(MechanismError) as caught:
        load.load_text(text, NAMES, "note.yaml")
    lines = {fault.path: fault.line for fault in caught.value.faults}
    assert len(caught.value.faults) >= 3
    assert lines["states.doing.owner"] == 1 + text[: text.index("owner: nobody")].count("\n")


@pytest.mark.parametrize("text", ["", "[]", "just words", "3", "a: b\n c: d", "\x00", "? [a]\n: b", "{}"])
def test_what_is_no_mechanism_at_all_is_said_so(text: str) -> None:
    with pytest.raises(MechanismError):
        load.load_text(text, NAMES)


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_loads_or_is_refused(text: str) -> None:
    try:
        load.load_text(text, NAMES)
    except MechanismError as error:
        assert error.faults


_SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "law.", "field.", "child.a", "event."])
_JUNK = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("set"), inner, max_size=1))


def _spots(data: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path] if path else []
    if isinstance(data, dict):
        for key, value in data.items():
            found += _spots(value, (*path, key))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            found += _spots(value, (*path, i))
    return found


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_value_anywhere_loads_or_is_refused(data: st.DataObject) -> None:
    """Junk put anywhere into a shipped file never makes the loader fall over."""
    name = data.draw(st.sampled_from(sorted(MECHANISMS)))
    broken = copy.deepcopy(MECHANISMS[name].source)
    spot = data.draw(st.sampled_from(_spots(broken)))
    inside = broken
    for step in spot[:-1]:
        inside = inside[step]  # type: ignore[index]
    inside[spot[-1]] = data.draw(_JUNK)  # type: ignore[index]
    try:
        load.mechanism(broken, NAMES)
    except MechanismError as error:
        assert error.faults


def test_the_digest_is_of_the_content_not_of_the_layout() -> None:
    data = yaml.safe_load(GOOD)
    again = load.load_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=True), NAMES)
    assert again.digest == load.load_text(GOOD, NAMES).digest
    assert load.load_text(GOOD.replace("Begin}", "Start}"), NAMES).digest != again.digest


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_files_fit_the_schema_that_editors_use(path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=mechanism.schema.json\n")
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert [error.message for error in validator.iter_errors(read_document(text, path.name).data)] == []


def test_schema_and_loader_know_the_same_keys() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    shapes = SCHEMA["$defs"]
    assert set(SCHEMA["properties"]) == sections.KEYS["file"]
    for kind in ("field", "clock", "state", "act", "child", "end"):
        assert set(shapes[kind]["properties"]) == sections.KEYS[kind], kind
    assert set(shapes["field"]["properties"]["kind"]["enum"]) == sections.FIELD_KINDS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("guards: {a: {kind: weather}}", "guards.a.kind: 'weather' is no kind of guard"),
        ("effects: {a: sideways}", "'sideways' is no kind of effect"),
        ("ladders: {a: []}", "a ladder is a list of rungs"),
        ("ladders: {a: [{at: soon}]}", "'soon' is no length of time"),
        ("ladders: {a: [{at: 3d}, {at: 1d}]}", "not in order of time"),
        ("ladders: {a: [{at: 0, repeats: 1d}, {at: 1d}]}", "only the last rung may repeat"),
        ("ladders: {a: [{at: 0, repeats: 0}]}", "repeats after a positive time"),
        ("ladders: {a: [{at: -2wd}]}", "working days before a due time are not counted"),
        ("ladders: {a: [{at: 0, clims: up}]}", "unknown key 'clims'"),
        ("rolls: {}", "unknown section 'rolls'"),
    ],
)
def test_a_registry_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(MechanismError, match=r"registry\.yaml") as caught:
        read_names(text)
    assert says in str(caught.value)


def test_a_folder_is_read_whole_and_faults_of_all_files_are_gathered(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("to: done,", "to: dome,"), "utf-8")
    (tmp_path / "b.yaml").write_text(
        GOOD.replace("mechanism: note", "mechanism: b\nchildren: {missing: {joined: false}}"), "utf-8"
    )
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(MechanismError) as caught:
        load.load_folder(tmp_path, NAMES)
    says = str(caught.value)
    assert "a.yaml" in says
    assert "children.missing: no mechanism 'missing' in this folder" in says
    assert "c.yaml: (file): this is no UTF-8 text" in says
