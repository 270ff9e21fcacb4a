"""The event stream: who may open it, and who hears of what."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from fengsui.cockpit.live import Ear, News
from fengsui.region.scoping import Scope

COUNTY = Scope("/1/2/3/", "/150000/150200/150207/", frozenset({"hazchem"}), frozenset({3}))
NEIGHBOUR = Scope("/1/2/4/", "/150000/150200/150203/", frozenset({"hazchem"}), frozenset({4}))
HERE = "/150000/150200/150207/"


@pytest.mark.django_db
def test_nobody_signed_in_gets_no_stream() -> None:
    answer = async_to_sync(AsyncClient().get)("/live/")
    assert answer.status_code == 401


def test_a_change_is_heard_in_its_territory_and_duty_alone() -> None:
    news = News(1, "case", "x", HERE, "hazchem")
    assert Ear((COUNTY,)).hears(news)
    assert not Ear((NEIGHBOUR,)).hears(news)
    assert not Ear((COUNTY,)).hears(News(1, "case", "x", HERE, "mines"))
    assert not Ear(()).hears(news)


def test_an_office_that_takes_part_hears_of_it_anywhere() -> None:
    assert Ear((NEIGHBOUR,)).hears(News(1, "case", "x", HERE, "mines", frozenset({4})))


@given(st.sampled_from([HERE, "/150000/", "/"]), st.sampled_from(["", "hazchem"]), st.frozensets(st.integers(1, 5)))
def test_a_confidential_change_is_heard_by_its_readers_only(place: str, duty: str, readers: frozenset[int]) -> None:
    news = News(1, "case", "x", place, duty, frozenset({3, 4}), readers)
    assert Ear((COUNTY,)).hears(news) is (3 in readers)


def test_topics_and_ids_narrow() -> None:
    news = News(1, "case", "x", HERE, "hazchem")
    assert not Ear((COUNTY,), frozenset({"alarm"})).hears(news)
    assert not Ear((COUNTY,), frozenset(), frozenset({"y"})).hears(news)
    assert Ear((COUNTY,), frozenset({"case"}), frozenset({"x"})).hears(news)
