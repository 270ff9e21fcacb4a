"""A mechanism read back from the database is drawn as its file has it, and a reporter reads where the report stands."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from fengsui import moment
from fengsui.ledger import doors, drawing, mechanisms, moving
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case
from fengsui.ledger.public import words
from tests.small_region import Small

pytestmark = pytest.mark.django_db


def test_a_stored_version_keeps_the_files_order(small: Small, settings: Any) -> None:
    settings.EXERCISE_PACE = 40
    mechanisms.store(moment.now())
    mechanisms.forget()
    for name, filed in mechanisms.on_disk().items():
        stored = mechanisms.version(mechanisms.at_pace(filed, 40).digest)
        assert list(stored.ends) == list(filed.ends), name
        assert list(stored.states) == list(filed.states), name
        for state in filed.states:
            assert [one.name for one in stored.states[state].actions] == [one.name for one in filed.states[state].actions]
    hazard = mechanisms.version(mechanisms.at_pace(mechanisms.on_disk()["hazard"], 40).digest)
    assert drawing.main_road(hazard, ["reported"])[-1] == "cancelled"
    mechanisms.forget()


def test_an_exercises_case_is_not_offered_to_go_to_everydays_pace(small: Small, settings: Any) -> None:
    settings.EXERCISE_PACE = 40
    mechanisms.store(moment.now())
    mechanisms.forget()
    about = About("site", str(small.site.pk), small.place.pk, "hazchem", "演练隐患", exercise=True)
    doors.open("hazard", "found_here", {"finding": "阀门漏气"}, small.one("county").actor, about, key="", now=moment.now())
    assert Case.objects.get().version_id == mechanisms.current("hazard", exercise=True).digest
    assert moving.survey("hazard", {}).groups == []
    mechanisms.forget()


def test_an_exercises_case_at_everydays_pace_is_offered_to_go_to_its_own(small: Small, settings: Any) -> None:
    about = About("site", str(small.site.pk), small.place.pk, "hazchem", "演练隐患", exercise=True)
    doors.open("hazard", "found_here", {"finding": "阀门漏气"}, small.one("county").actor, about, key="", now=moment.now())
    assert Case.objects.get().version_id == mechanisms.current("hazard").digest
    settings.EXERCISE_PACE = 40
    mechanisms.store(moment.now())
    mechanisms.forget()
    assert [(group.state, group.can) for group in moving.survey("hazard", {}).groups] == [("found", 1)]
    mechanisms.forget()


def test_a_reporter_reads_that_the_report_was_taken_up(small: Small) -> None:
    sent = {"key": "7e6ac6ea-3f31-4ec6-a5f7-0f9d5f2d1d6e", "county": "150207", "finding": "阀门漏气"}
    assert Client().post("/report/", sent).status_code == 302
    case = Case.objects.get()
    with translation.override("en"):
        before = words.standing(case)["sentence"]
    doors.act(str(case.pk), Call("accept", small.one("county").actor, {}), now=moment.now())
    case.refresh_from_db()
    with translation.override("en"):
        after = words.standing(case)["sentence"]
    assert "decide whether to take it up" in before and after == "Taken up and being dealt with."
