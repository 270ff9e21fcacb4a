"""Cases and the wordings they live under: moved by an explicit act, refused at start-up where a name is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from fengsui import shipped
from fengsui.ledger import doors, mechanisms, rebuild, registry, timelines, titles, verify
from fengsui.ledger.doors import About, Refused, deadlines, facts
from fengsui.ledger.doors.applying import columns_after
from fengsui.ledger.doors.held import read
from fengsui.ledger.doors.single import move
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.shapes import Actor, Mechanism
from fengsui.ledger.models import Case, Clock, Entry, MechanismVersion
from tests.integration.ledger.conftest import NOW
from tests.integration.ledger.test_instruction import disputed, do
from tests.small_region import Small

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=5)
SYSTEM = Actor("system", name="administrator")


@pytest.fixture
def newer(small: Small) -> Iterator[Mechanism]:
    """The hazard's next wording: another title, the same life."""
    old = mechanisms.current("hazard")
    source = {**old.source, "title": {"zh": "隐患（新）", "en": "Hazard, reworded"}}
    found = load.mechanism(source, registry.names(), "hazard v2", titles=True)
    MechanismVersion.objects.create(digest=found.digest, name="hazard", number=2, source=source, stored_at=NOW, current=False)
    yield found
    mechanisms.forget()


def opened(small: Small) -> str:
    about = About(kind="site", id=str(small.site.pk), duty="hazchem", title="安全阀根部阀关闭")
    return doors.open("hazard", "found_here", {"finding": "关闭"}, small.one("county").actor, about, key="", now=NOW).case


def test_a_case_moves_to_a_newer_wording_and_keeps_its_clocks(small: Small, newer: Mechanism) -> None:
    case = opened(small)
    before, clocks = Case.objects.get(pk=case), list(Clock.objects.filter(case=case).values())
    receipt = move(case, newer.digest, {}, SYSTEM, now=LATER, expects=1)
    after = Case.objects.get(pk=case)
    assert (after.version_id, after.seq, after.state) == (newer.digest, 2, before.state)
    assert (after.fields, after.owner_id, after.next_due) == (before.fields, before.owner_id, before.next_due)
    assert list(Clock.objects.filter(case=case).values()) == clocks
    entry = Entry.objects.get(pk=receipt.entry)
    assert entry.act == "move"
    assert entry.content()["besides"]["to"] == newer.digest


def test_a_move_is_refused_with_its_reason_and_changes_nothing(small: Small, newer: Mechanism) -> None:
    case = opened(small)
    other = mechanisms.current("warning").digest
    for status, digest, states, expects in (
        (412, newer.digest, {}, 7),
        (422, other, {}, None),
        (422, newer.digest, {Case.objects.get(pk=case).state: "nowhere"}, None),
    ):
        with pytest.raises(Refused) as caught:
            move(case, digest, states, SYSTEM, now=LATER, expects=expects)
        assert caught.value.status == status
    assert Case.objects.get(pk=case).seq == Entry.objects.filter(case=case).count() == 1


def test_a_move_outside_the_new_proof_is_refused(small: Small, newer: Mechanism) -> None:
    case = opened(small)
    state = Case.objects.get(pk=case).state
    with pytest.raises(Refused) as caught:  # under review without anything that was done
        move(case, newer.digest, {state: "review"}, SYSTEM, now=LATER)
    assert [one.code for one in caught.value.refusals] == ["outside_proof"]
    assert Case.objects.get(pk=case).state == state


def test_start_up_is_refused_where_an_open_case_needs_a_missing_name(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(small)
    mechanisms.refuse_missing()
    known = registry.names()
    used = sorted(mechanisms.names_used(mechanisms.current("hazard"))["guard"])
    lacking = replace(known, guards={name: one for name, one in known.guards.items() if name != used[0]})
    monkeypatch.setattr(registry, "names", lambda: lacking)
    with pytest.raises(mechanisms.MissingNames, match=f"1 open cases of hazard need the guard '{used[0]}'"):
        mechanisms.refuse_missing()


@pytest.mark.django_db(transaction=True)
def test_a_moved_case_shows_holder_and_ladder_of_its_new_version_at_once(small: Small) -> None:
    case = opened(small)
    old = mechanisms.current("hazard").source
    states = {**old["states"], "found": {**old["states"]["found"], "within": "clock.overall"}}
    clocks = {**old["clocks"], "overall": {**old["clocks"]["overall"], "ladder": "plain", "holder": "upper_supervisor"}}
    source = {**old, "states": {**states, "found": {**states["found"], "ladder": "plain"}}, "clocks": clocks}
    found = load.mechanism(source, registry.names(), "hazard v3", titles=True)
    MechanismVersion.objects.create(digest=found.digest, name="hazard", number=3, source=source, stored_at=NOW, current=False)
    move(case, found.digest, {}, SYSTEM, now=LATER)
    held = read([case], lock=False)[case]
    overall = Clock.objects.get(case=case, name="overall")
    assert overall.ladder == "plain"
    assert overall.next_rung_at == deadlines.next_rung(held.mechanism, held.case.clocks[0], None, held.case.fields)
    columns = columns_after(held, held.case, facts.gather(held, (), SYSTEM, {}, LATER), LATER)
    assert Case.objects.get(pk=case).holder_id == columns["holder_id"]
    assert rebuild.check().ok, [str(one) for one in rebuild.check().differences]
    mechanisms.forget()


@pytest.fixture
def moving_task(small: Small) -> Iterator[str]:
    """An earlier version's task, that could be "moved" to another office: its digest."""
    source = json.loads(json.dumps(mechanisms.current("task").source))
    acts = source["states"]["disputed"]["actions"]
    acts["move"] = acts.pop("reassign")
    digest = load.digest_of(source)
    MechanismVersion.objects.create(digest=digest, name="task", number=9, source=source, stored_at=NOW, current=False)
    yield digest
    mechanisms.forget()


def test_a_stored_wording_keeps_an_act_whose_name_the_ledger_took_since(moving_task: str) -> None:
    """Its cases live on under it, and the platform starts."""
    wording = mechanisms.version(moving_task)
    assert "move" in wording.states["disputed"].offers
    with pytest.raises(load.MechanismError, match="an act 'move' of its own"):
        load.mechanism(wording.source, registry.names(), "task.yaml", titles=True)


def test_former_names_of_acts_are_read_once_and_from_their_own_mechanism_s_versions(
    moving_task: str, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    task, find = mechanisms.current("task"), mechanisms.version
    loaded: list[str] = []
    mechanisms.former_acts.cache_clear()
    with monkeypatch.context() as watched, translation.override("zh-hans"):
        watched.setattr(mechanisms, "version", lambda digest: (loaded.append(digest), find(digest))[1])
        assert titles.act(task, "move", own=False) == find(moving_task).states["disputed"].offers["move"].title["zh"]
    assert set(loaded) == set(MechanismVersion.objects.filter(name="task").values_list("digest", flat=True))
    with django_assert_num_queries(0), translation.override("en"):
        assert titles.act(task, "move", own=False) == find(moving_task).states["disputed"].offers["move"].title["en"]
        assert titles.act(task, "never_there", own=False) == "never there"


@pytest.mark.django_db(transaction=True)
def test_an_old_act_named_as_the_ledger_s_own_is_rebuilt_and_told_as_what_it_was(small: Small, moving_task: str) -> None:
    today = mechanisms.current("task").digest
    MechanismVersion.objects.filter(name="task").update(current=False)
    MechanismVersion.objects.filter(digest=moving_task).update(current=True)
    mechanisms.forget()
    task = disputed(small)
    do(task, "move", small.one("top"), office=small.league.pk)
    again = Case.objects.get(pk=task)
    assert (again.version_id, again.owner_id, again.state) == (moving_task, small.league.pk, "sent")
    move(task, today, {}, SYSTEM, now=LATER)
    do(task, "sign", small.one("league"), measures="制定方案")
    assert rebuild.check().ok, [str(one) for one in rebuild.check().differences]
    assert verify.case(task).ok and verify.ledger(LATER).ok
    wording, entries = mechanisms.version(today), list(Entry.objects.filter(case=task).order_by("-seq"))
    with translation.override("en"):
        lines = timelines.timeline(wording, entries, frozenset())
    assert [(line.title, line.correctable) for line in lines[:3]] == [
        ("Sign for it", True), ("Moved to a newer mechanism", False), ("Give it to another office", True),
    ]  # fmt: skip
    assert [one.words for one in lines[2].text] == ["Office: League bureau"]


def test_an_older_version_offers_its_acts_in_its_own_order(small: Small, settings: Any, tmp_path: Path) -> None:
    """It took the order of today's file: the act that is offered first, and the end that the main road leads to."""
    text = (shipped.folder("mechanisms") / "task.yaml").read_text().replace("zh: 交办任务", "zh: 交办事项")
    insist, reassign = (
        next(line for line in text.splitlines() if line.strip().startswith(act)) for act in ("insist:", "reassign:")
    )
    own = tmp_path / "mechanisms" / "task.yaml"
    own.parent.mkdir()
    own.write_text(text.replace(insist, "%").replace(reassign, insist).replace("%", reassign))
    settings.DATA_DIR = tmp_path
    try:
        mechanisms.forget()
        mechanisms.store(NOW)
        old = mechanisms.current("task")
        own.unlink()
        mechanisms.forget()
        mechanisms.store(LATER)
        assert mechanisms.current("task").digest != old.digest
        acts = {
            one: list(mechanisms.version(one).states["disputed"].offers)[:2]
            for one in (old.digest, mechanisms.current("task").digest)
        }
        assert list(acts.values()) == [["reassign", "insist"], ["insist", "reassign"]]
    finally:
        own.unlink(missing_ok=True)
        mechanisms.forget()
