"""What cases are called, putting a matter to its site, effects that nobody carries out, versions' ladders."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from fengsui.ledger import doors, effects, mechanisms, publisher, registry
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, MechanismVersion, Outbox, SearchText
from fengsui.ledger.words import bigrams
from tests.integration.ledger.conftest import NOW
from tests.small_region import Small

LEVEL = Actor(kind="event", name="warning.level")


def warned(small: Small) -> Case:
    about = About("site", str(small.site.pk), duty="hazchem", title="V-102 压力（PT-1021）超高限", title_en="V-102 pressure high")
    values = {"hazard_kind": "leak", "colour": "red"}
    return Case.objects.get(pk=doors.open("warning", "by_alarm", values, LEVEL, about, key="w", now=NOW).case)


def of_place(small: Small) -> Case:
    about = About("place", small.place.code, small.place.code, "hazchem", title="河边有刺鼻气味")
    actor = small.one("county").actor
    return Case.objects.get(pk=doors.open("hazard", "found_here", {"finding": "气味"}, actor, about, key="p", now=NOW).case)


def test_a_case_is_called_in_both_languages_and_a_child_by_its_own_mechanism(small: Small) -> None:
    case, site = warned(small), small.site
    assert (case.title_zh, case.title_en) == (
        f"{site.name_zh} V-102 压力（PT-1021）超高限",
        f"{site.name_en}: V-102 pressure high",
    )
    opened = doors.act(
        str(case.pk),
        Call("open_hazard", small.one("county").actor, {"hazard": {"finding": "阀"}}),
        now=NOW + timedelta(minutes=1),
    ).opened[0]
    child = Case.objects.get(pk=opened)
    assert (child.title_zh, child.title_en) == (f"{site.name_zh} 重大事故隐患", f"{site.name_en}: Major hazard")
    with translation.override("en"):
        assert child.title == child.title_en
    with translation.override("zh-hans"):
        assert child.title == child.title_zh
    words = set(SearchText.objects.get(case=child).bigrams)
    assert set(bigrams(child.title_zh)) <= words and set(bigrams(child.title_en)) <= words


def test_a_matter_about_a_place_is_put_to_its_site(small: Small) -> None:
    case, actor = of_place(small), small.one("county").actor
    with pytest.raises(doors.Refused) as refusal:
        doors.act(str(case.pk), Call("list", actor, {"criterion": "HC-15"}), now=NOW)
    assert any(one.about == "site_known" for one in refusal.value.refusals)
    doors.act(str(case.pk), Call("put_to_site", actor, {"site": small.site.pk}), now=NOW + timedelta(minutes=1))
    case.refresh_from_db()
    assert (case.about_kind, case.about_id, case.state, case.owner_id) == (
        "site",
        str(small.site.pk),
        "assigned",
        small.county.pk,
    )
    assert small.site.name_zh in case.title_zh and "河边有刺鼻气味" in case.title_zh and small.site.name_en in case.title_en
    doors.act(str(case.pk), Call("sign", actor, {}), now=NOW + timedelta(minutes=2))
    with pytest.raises(doors.Refused) as again:
        doors.act(str(case.pk), Call("put_to_site", actor, {"site": small.site.pk}), now=NOW + timedelta(minutes=3))
    assert {"spent", "guard"} & {one.code for one in again.value.refusals}


def test_an_effect_that_nobody_carries_out_is_never_counted_as_done(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    case = warned(small)
    row = Outbox.objects.create(case=case, topic="pay", payload={}, at=NOW, position=7_000_001)
    effects.carry_out(row.pk, NOW)
    row.refresh_from_db()
    assert row.unclaimed and row.done_at is None and row.attempts == 0
    assert effects.unclaimed_in_all() == 1
    done = []
    monkeypatch.setitem(registry._effects, "pay", registry.EffectRule("pay", "outer", done.append))
    assert publisher.reclaim() == 1
    effects.carry_out(row.pk, NOW)
    row.refresh_from_db()
    assert done and row.done_at == NOW and not row.unclaimed


def test_every_declared_effect_is_carried_out_or_says_that_nobody_does() -> None:
    for name, known in registry.names().effects.items():
        assert known.carried == registry.has_effect(name), name


def test_a_version_stored_without_its_ladders_keeps_those_of_its_day(small: Small) -> None:
    source = {name: value for name, value in mechanisms.current("look_back").source.items() if name != "ladders"}
    kept = {"plain": [{"at": "0", "tells": ["holder"]}, {"at": "9d", "climbs": "top", "repeats": "9d"}]}
    digest = "ab" * 32
    MechanismVersion.objects.create(
        digest=digest, name="look_back", number=99, source=source, ladders=kept, stored_at=NOW, current=False
    )
    mechanisms.forget()
    found = mechanisms.version(digest)
    assert found.digest == digest and [rung.at for rung in found.ladders["plain"]] == ["0", "9d"]
