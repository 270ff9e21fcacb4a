"""Every role finds an office whatever was merged, dissolved or left vacant; and climbing always ends at the top."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fengsui import shipped
from fengsui.region import roles
from fengsui.region.roles import About
from fengsui.region.tree import OfficeNode, PlaceNode, PostNode, SiteNode, Term, Tree

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LONG_AGO, GONE = NOW - timedelta(days=99), date(2026, 1, 1)
PLACES = {
    "150000": PlaceNode("150000", "region", None, "/150000/"),
    "150200": PlaceNode("150200", "league", "150000", "/150000/150200/"),
    "150207": PlaceNode("150207", "county", "150200", "/150000/150200/150207/"),
    "150203": PlaceNode("150203", "county", "150200", "/150000/150200/150203/"),
}
DUTIES = ("hazchem", "mines", "duty", "registry", "supervision", "leading", "commission", "law", "finance", "investigation")
WORKS = sorted(roles.functions())


@st.composite
def trees(draw: Any) -> Tree:
    """A region with a top office that has somebody, and any offices below it in any state."""
    count = draw(st.integers(1, 7))
    offices = {1: OfficeNode(1, "department", "150000", None, "/1/", frozenset(DUTIES[:3]), None, None)}
    kinds = st.sampled_from(["bureau", "division", "government", "enterprise", "township", "institute"])
    for number in range(2, count + 2):
        duties = frozenset(draw(st.sets(st.sampled_from(DUTIES), max_size=4)))
        successor = draw(st.none() | st.integers(1, count + 1))
        dissolved = draw(st.none() | st.sampled_from([GONE, NOW.date(), date(2027, 1, 1)]))
        place, parent = draw(st.sampled_from(sorted(PLACES))), draw(st.none() | st.integers(1, number - 1))
        offices[number] = OfficeNode(number, draw(kinds), place, parent, f"/{number}/", duties, successor, dissolved)
    posts, terms = {}, defaultdict(list)
    for number in offices:
        for seat in range(draw(st.integers(0, 2)) or (1 if number == 1 else 0)):
            post = PostNode(number * 10 + seat, number, frozenset(draw(st.sets(st.sampled_from(WORKS), max_size=3))), frozenset())
            posts[post.id] = post
            until = None if number == 1 else draw(st.none() | st.sampled_from([LONG_AGO + timedelta(days=1), NOW]))
            terms[number].append(Term(100 + post.id, post.id, LONG_AGO, until))
    by_duty = defaultdict(list)
    for node in offices.values():
        for duty in node.duties:
            by_duty[node.place, duty].append(node.id)
    plants = [number for number, node in offices.items() if node.kind == "enterprise"]
    sites = {number: SiteNode(number, number, offices[number].place, ("hazchem",)) for number in plants}
    return Tree(
        offices, PLACES, sites, {number: number for number in plants}, posts,
        {number: tuple(rows) for number, rows in terms.items()}, {key: tuple(rows) for key, rows in by_duty.items()}, 1,
    )  # fmt: skip


def abouts(picture: Tree) -> st.SearchStrategy[About]:
    office = st.none() | st.sampled_from(sorted(picture.offices))
    return st.builds(
        About,
        place_code=st.none() | st.sampled_from([*PLACES, "999999"]),
        duty=st.sampled_from(["", "hazchem", "mines", "unheard_of"]),
        site_id=st.none() | st.sampled_from([*picture.sites, 9999]),
        office_id=office,
        opener=office,
        owner=office,
        parent_owner=office,
    )


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_role_is_ever_left_without_a_living_office(data: Any) -> None:
    picture = data.draw(trees())
    about = data.draw(abouts(picture))
    with patch.object(roles, "tree", lambda: picture):
        found = roles.resolve_all(roles.roles(), about, NOW)
    for name, office in found.items():
        assert office is not None, name
        node = picture.offices[office]
        assert node.dissolved_on is None or NOW.date() < node.dissolved_on, name
        if office != picture.top and roles.role_of(name).kind == "office":
            assert any(term.runs(NOW) for term in picture.terms.get(office, ())), name


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_climbing_ends_at_the_top_from_everywhere(data: Any) -> None:
    picture = data.draw(trees())
    at = data.draw(st.sampled_from(sorted(picture.offices)))
    duty = data.draw(st.sampled_from(["", "hazchem", "law"]))
    with patch.object(roles, "tree", lambda: picture):
        seen = []
        while at != picture.top:
            assert at not in seen, "a circle"
            seen.append(at)
            at = roles.one_up(at, duty, NOW)


@given(st.data())
def test_holding_a_role_means_being_eligible_in_it(data: Any) -> None:
    picture = data.draw(trees())
    with patch.object(roles, "tree", lambda: picture), patch.object(roles, "_deputises", lambda *_: False):
        for office in picture.offices:
            for name in ("site_supervisor", "registry", "opener", "public"):
                able = set(roles.eligible(name, office, NOW))
                holders = {
                    term.person
                    for term in picture.terms.get(office, ())
                    if roles.holds(term.person, term.post, name, office, NOW)
                }
                if not able and office == picture.top and roles.role_of(name).kind == "office":
                    able = set(roles.eligible("top", office, NOW))  # who answers where nobody fills the role
                assert holders == able


def test_the_files_agree() -> None:
    registry = yaml.safe_load(shipped.file("registry.yaml").read_text(encoding="utf-8"))
    assert set(registry["roles"]) <= set(roles.roles())
    known = set(roles.functions()) | {"*"}
    for name, role in roles.roles().items():
        assert role.posts <= known, name
        assert not role.duty or role.duty in {*roles.functions(), *roles.duties()}, name
        assert role.title["zh"] and role.title["en"]


OFFERED = st.dictionaries(st.integers(0, 5), st.frozensets(st.integers(0, 8), max_size=4), max_size=6)


@given(OFFERED)
def test_as_many_sign_as_can_each_once(offered: dict[int, frozenset[int]]) -> None:
    # whoever cannot sign for the own post is locked, and so signs for nobody
    locked = {one for one, able in offered.items() if one not in able}
    known = {one: able - locked for one, able in offered.items()}

    def most(used: frozenset[int], left: list[int]) -> int:
        if not left:
            return 0
        principal, *rest = left
        found = most(used, rest)
        if principal not in used:
            for signer in known[principal] - used:
                found = max(found, 1 + most(used | {principal, signer}, rest))
        return found

    pairs = roles._matched(known)
    assert len(pairs) == most(frozenset(), sorted(known))
    assert all(signer in known[principal] for signer, principal in pairs.items())
    assert len(set(pairs.values())) == len(pairs)
