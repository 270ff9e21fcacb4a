"""Which office a role means for a matter, and who may act in it.

data/roles.yaml says for each role where its office is found and whose posts may act. A vacant or merged
office gives way to its successor, then to the next one up, and in the end to the region's top office, so
that a matter never belongs to nobody.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml

from fengsui import shipped
from fengsui.moment import LEGAL_ZONE
from fengsui.numerals import whole

from .tree import LEVELS, OfficeNode, PostNode, SiteNode, Tree, tree


class UnknownRole(LookupError):
    """A mechanism named a role that data/roles.yaml does not list."""


@dataclass(frozen=True, slots=True)
class Role:
    """One line of data/roles.yaml."""

    name: str
    finds: str
    at: str
    level: str
    duty: str
    posts: frozenset[str]
    kind: str
    title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class About:
    """What a matter is about, as far as roles need it; any object with these attributes will do.

    Offices are ids. ``owner`` is whoever holds the matter now; ``up`` and ``owner``-relative roles start there.
    """

    place_code: str | None = None
    duty: str = ""
    site_id: int | None = None
    office_id: int | None = None  # where the matter is about an office
    opener: int | None = None
    owner: int | None = None
    parent_owner: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@functools.cache
def _file() -> dict[str, Any]:
    return yaml.safe_load(shipped.file("roles.yaml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@functools.cache
def roles() -> Mapping[str, Role]:
    """All roles by name."""
    return {
        name: Role(
            name=name,
            finds=line["finds"],
            at=line.get("at", "about"),
            level=line.get("level", ""),
            duty=line.get("duty", ""),
            posts=frozenset(line["posts"]),
            kind=line.get("kind", "office"),
            title=line["title"],
        )
        for name, line in _file()["roles"].items()
    }


def duties() -> Mapping[str, Mapping[str, str]]:
    """Fields of work: name → {zh, en}."""
    return _file()["duties"]  # type: ignore[no-any-return]


def functions() -> Mapping[str, Mapping[str, str]]:
    """Functions of offices and posts: name → {zh, en}."""
    return _file()["functions"]  # type: ignore[no-any-return]


def role_of(name: str) -> Role:
    """The role, or ``UnknownRole`` naming it."""
    try:
        return roles()[name]
    except KeyError:
        raise UnknownRole(f"role {name!r} is not in data/roles.yaml") from None


# ------------------------------------------------------------------ finding


def _day(now: datetime) -> date:
    return now.astimezone(LEGAL_ZONE).date()


def _get(about: Any, name: str) -> Any:
    return getattr(about, name, None)


def _site(picture: Tree, about: Any) -> Any:
    site = _get(about, "site_id")
    if site is None and _get(about, "kind") == "site":
        site = whole(_get(about, "id"))
    return picture.sites.get(site) if site is not None else None


def _office(picture: Tree, about: Any) -> OfficeNode | None:
    """The office that the matter is about."""
    office = _get(about, "office_id")
    if office is None and _get(about, "kind") == "office":
        office = whole(_get(about, "id"))
    return picture.offices.get(office) if office is not None else None


def _place(picture: Tree, about: Any) -> str | None:
    """Where the matter lies: its site's, its own, its office's or its opener's place, else the whole region."""
    if site := _site(picture, about):
        return str(site.place)
    code = _get(about, "place_code")
    if code in picture.places:
        return str(code)
    for office in (_office(picture, about), _anchor(picture, about, "opener"), picture.offices.get(picture.top or -1)):
        if office is not None and office.place in picture.places:
            return office.place
    return None


def _duty(picture: Tree, about: Any) -> str:
    if duty := _get(about, "duty"):
        return str(duty)
    site = _site(picture, about)
    return str(site.duties[0]) if site and site.duties else ""


def _anchor(picture: Tree, about: Any, at: str) -> OfficeNode | None:
    """The office that ``at`` names: opener, owner or parent_owner, else what stands nearest to it."""
    order = {"opener": ("opener", "owner"), "owner": ("owner", "opener"), "parent_owner": ("parent_owner", "owner", "opener")}
    for name in order.get(at, ()):
        if (office := _get(about, name)) is not None and office in picture.offices:
            return picture.offices[office]
    return None


def supervisor_of(picture: Tree, place: str | None, duty: str, level: str, today: date) -> OfficeNode | None:
    """The office with this duty at ``level`` of the place; nothing where that level has none."""
    code = picture.at_level(place, level)
    if code is None or not duty:
        return None
    found = picture.with_duty(code, duty, today)
    return found[0] if found else None


def supervisor_of_site(picture: Tree, site: SiteNode, duty: str, level: str, today: date) -> OfficeNode | None:
    """The office that supervises the site at ``level``: the one it was given to, else the one of its place.

    Given to an office higher up, that one answers at every level below its own too.
    """
    given = picture.living(site.given_to(duty, today), today)
    place = picture.places.get(given.place) if given is not None else None
    if place is not None and (level == "county" or LEVELS.index(place.level) >= LEVELS.index(level)):
        return given
    return supervisor_of(picture, site.place, duty, level, today)


def _nearest(picture: Tree, place: str | None, duty: str, today: date) -> OfficeNode | None:
    for node in picture.upward(place):
        if found := picture.with_duty(node.code, duty, today):
            return found[0]
    return None


def _rank(picture: Tree, node: OfficeNode) -> tuple[bool, int, int]:
    """How high an office stands: an enterprise below all offices, then by its place, then by its depth in the tree."""
    place = picture.places.get(node.place)
    depth, above = 0, node.parent
    while above is not None and above in picture.offices and depth < len(picture.offices):
        depth, above = depth + 1, picture.offices[above].parent
    return node.kind != "enterprise", LEVELS.index(place.level) if place else -1, -depth


def _climb(picture: Tree, node: OfficeNode, duty: str, today: date) -> OfficeNode | None:
    """One up. Whoever took over for a merged office may stand lower than the asker: then it is the top, never a circle."""
    above = _above(picture, node, duty, today)
    if above is not None and _rank(picture, above) <= _rank(picture, node):
        return picture.living(picture.top, today)
    return above


def _above(picture: Tree, node: OfficeNode, duty: str, today: date) -> OfficeNode | None:
    """Of a division its house; of an enterprise its supervisor; else the same duty one place higher."""
    if node.kind == "enterprise":
        site = picture.sites.get(picture.site_of_office.get(node.id, -1))
        if site:
            work = duty or (site.duties[0] if site.duties else "")
            for level in LEVELS[1:]:
                if found := supervisor_of_site(picture, site, work, level, today):
                    return found
    if node.kind == "division" and node.parent is not None:
        return picture.living(node.parent, today)
    above = picture.places[node.place].parent if node.place in picture.places else None
    if above and duty in node.duties and (there := picture.with_duty(above, duty, today)):
        return there[0]
    return picture.living(node.parent, today) if node.parent is not None else None


def _found(picture: Tree, role: Role, about: Any, today: date) -> OfficeNode | None:
    place, duty = _place(picture, about), _duty(picture, about)
    if role.finds == "top":
        return picture.living(picture.top, today)
    if role.finds == "enterprise":
        site = _site(picture, about)
        return picture.living(site.office, today) if site else None
    if role.finds == "about_office":
        office = _office(picture, about)
        office = office or _anchor(picture, about, "opener")
        return picture.living(office.id, today) if office is not None else None
    if role.finds == "supervisor":
        if given := _given(picture, role.level, _site(picture, about), duty, today):
            return given
        return _supervisor(picture, role.level, place, duty, today)
    anchor = _anchor(picture, about, role.at)
    if role.finds == "same":
        return picture.living(anchor.id, today) if anchor else None
    if role.finds == "up":
        return _climb(picture, anchor, duty, today) if anchor else None
    start = anchor.place if anchor else place
    if anchor and anchor.kind == "enterprise" and place:
        start = place
    if role.level and start:
        start = picture.at_level(start, role.level)
    return _nearest(picture, start, role.duty, today)


def _given(picture: Tree, level: str, site: SiteNode | None, duty: str, today: date) -> OfficeNode | None:
    """The office that the site was given to, or of ``one_up`` the one above that; nothing without such a giving."""
    office = picture.living(site.given_to(duty, today), today) if site is not None else None
    if office is None or site is None:
        return None
    return _climb(picture, office, duty, today) if level == "one_up" else supervisor_of_site(picture, site, duty, level, today)


def _supervisor(picture: Tree, level: str, place: str | None, duty: str, today: date) -> OfficeNode | None:
    if place is None:
        return None
    if level == "one_up":
        here = picture.places[picture.at_level(place, "county") or place]
        above = here.parent or here.code
        return _nearest(picture, above, duty, today)
    return _nearest(picture, picture.at_level(place, level), duty, today)


# ----------------------------------------------------------------- eligible


@functools.cache
def enterprise_work() -> frozenset[str]:
    """The work of an enterprise's own posts, whatever else somebody wrote there: a plant supervises nobody."""
    return frozenset(work for role in roles().values() if role.finds == "enterprise" for work in role.posts) | {"administration"}


def _has_work(picture: Tree, role: Role, post: PostNode) -> bool:
    node = picture.offices.get(post.office)
    work = post.duties & enterprise_work() if node is not None and node.kind == "enterprise" else post.duties
    return "*" in role.posts or bool(work & role.posts)


def _eligible(picture: Tree, role: Role, office: int, now: datetime, *, named: bool = False) -> list[int]:
    """Who may act in the role and can sign in to do so; to be ``named`` in a matter an account is not needed."""
    found: dict[int, None] = {}
    for term in picture.terms.get(office, ()):
        there = term.runs(now) if named else term.answers(now)
        if there and _has_work(picture, role, picture.posts[term.post]):
            found[term.person] = None
    return list(found)


def eligible(role: str, office_id: int, now: datetime) -> list[int]:
    """The persons who may act in ``role`` for this office now and can sign in, in order of their terms."""
    return _eligible(tree(), role_of(role), office_id, now)


def signers(role: str, office_id: int, now: datetime, among: Callable[[int], bool] = lambda person: True) -> frozenset[int]:
    """As many natural persons as can each give one of several signatures in ``role`` for this office now; of those ``among``
    whom it is asked. A signature names who signs in and whose post it is, and neither signs twice: a deputy of two principals
    is one, and so is a principal beside the own deputy.
    """
    picture, offered = tree(), dict[int, set[int]]()
    for term in picture.terms.get(office_id, ()):
        if _has_work(picture, role_of(role), picture.posts[term.post]):
            offered.setdefault(term.person, set()).update(filter(among, term.signers(now)))
    return frozenset(_matched(offered))


def _matched(offered: Mapping[int, Iterable[int]]) -> dict[int, int]:
    """Signer → principal, as many as go, each person in one pair only. ``offered``: principal → who can sign by their post.

    Whoever can signs for the own post first: that pair uses up one person, any other two; then augmenting paths among the rest.
    """
    pairs = {one: one for one, able in offered.items() if one in able}
    rest = {one: sorted(set(able) - pairs.keys()) for one, able in offered.items() if one not in pairs}

    def place(principal: int, seen: set[int]) -> bool:
        for signer in rest[principal]:
            if signer in seen:
                continue
            seen.add(signer)
            if signer not in pairs or place(pairs[signer], seen):
                pairs[signer] = principal
                return True
        return False

    for principal in sorted(rest):
        place(principal, set())
    return pairs


def not_set_up(office_id: int, now: datetime) -> bool:
    """Whether people hold posts of this living office now, and nobody in it or below has an account, not even a locked one: as
    in a folder from before accounts counted. Nothing moves away from it by itself; whoever sets the region up invites them."""
    picture = tree()
    node = picture.offices.get(office_id)
    if node is None or office_id in picture.set_up or (node.dissolved_on is not None and node.dissolved_on <= _day(now)):
        return False
    return any(term.runs(now) for term in picture.terms.get(office_id, ()))


def shut_out(office_id: int, now: datetime) -> int:
    """How many persons hold posts of the office now and cannot sign in: without an account, or with a locked one."""
    terms = [term for term in tree().terms.get(office_id, ()) if term.runs(now)]
    return len({term.person for term in terms} - {term.person for term in terms if term.answers(now)})


def _answers(picture: Tree, role: Role, office: int, now: datetime) -> bool:
    """Whether somebody can answer there; above, anybody in office will do, a person's stand-in needs nobody."""
    if role.finds in {"up", "top"}:
        return _staffed(picture, office, now)
    return _acts(picture, role, office, now)


def _acts(picture: Tree, role: Role, office: int, now: datetime) -> bool:
    """Whether somebody there may act in the role; for a person nobody needs to, for an enterprise its supervisor may."""
    return role.kind == "person" or bool(_eligible(picture, role, office, now)) or _instead(picture, role, office, now)


def staffed(office_id: int, now: datetime) -> bool:
    """Whether anybody holds a post of the office now who can sign in, or whom a deputy who can stands in for."""
    return _staffed(tree(), office_id, now)


def _staffed(picture: Tree, office: int, now: datetime) -> bool:
    return any(term.answers(now) for term in picture.terms.get(office, ()))


def _instead(picture: Tree, role: Role, office: int, now: datetime) -> bool:
    """Whether an office that supervises answers for a vacant enterprise: by the work of whoever a matter climbs to."""
    return _supervises(picture, role, office) and bool(_eligible(picture, role_of("up"), office, now))


def _supervises(picture: Tree, role: Role, office: int) -> bool:
    node = picture.offices.get(office)
    return role.finds == "enterprise" and node is not None and node.kind != "enterprise"


def stand_in(names: Iterable[str], office_id: int, duty: str, now: datetime) -> int:
    """The office itself where somebody may act in one of these roles (without any: at all), else whoever is above it.

    The next one up where somebody may, in the end the top: as for a role that nobody fills.
    """
    picture, today = tree(), _day(now)
    known = [role_of(name) for name in names if name in roles()]
    node, seen = picture.offices.get(office_id), set[int]()
    while node is not None and node.id not in seen:
        seen.add(node.id)
        if any(_acts(picture, role, node.id, now) for role in known) or (not known and _staffed(picture, node.id, now)):
            return node.id
        node = _climb(picture, node, duty, today)
    return picture.top if picture.top is not None else office_id


def _settle(picture: Tree, role: Role, node: OfficeNode | None, duty: str, now: datetime) -> int | None:
    """The office itself where somebody can act; else one up, and in the end the top."""
    today = _day(now)
    seen: set[int] = set()
    while node is not None and node.id not in seen:
        seen.add(node.id)
        if _answers(picture, role, node.id, now):
            return node.id
        node = _climb(picture, node, duty, today)
    return picture.top


def resolve(role: str, about: Any, now: datetime) -> int | None:
    """The id of the office that ``role`` means for ``about`` now.

    Never ``None`` for a known role once the region has a top office. Raises ``UnknownRole``.
    """
    return resolve_all([role], about, now)[role]


def resolve_all(names: Iterable[str], about: Any, now: datetime) -> dict[str, int | None]:
    """``resolve`` for several roles with one look at the tree."""
    picture, today = tree(), _day(now)
    found: dict[str, int | None] = {}
    for name in names:
        role = role_of(name)
        node = _found(picture, role, about, today)
        found[name] = _settle(picture, role, node, _duty(picture, about), now)
    return found


def one_up(office_id: int, duty: str, now: datetime) -> int | None:
    """The next living office above that has somebody in it; the top answers for itself."""
    picture, today = tree(), _day(now)
    node = picture.offices.get(office_id)
    if node is None or office_id == picture.top:
        return picture.top
    node = picture.living(office_id, today) or node
    above = _climb(picture, node, duty, today)
    return _settle(picture, role_of("up"), above, duty, now)


def people_in(names: Iterable[str], office_id: int, now: datetime) -> frozenset[int]:
    """The persons who may act for this office and can sign in, in whichever of these roles."""
    picture = tree()
    node = picture.living(office_id, _day(now))
    if node is None or node.id != office_id:
        return frozenset()
    return frozenset(person for name in names for person in _eligible(picture, role_of(name), office_id, now))


def persons_of(names: Iterable[str], about: Any, now: datetime) -> frozenset[int]:
    """Everybody who may be named for a matter as one of these roles.

    An enterprise's own people; else those of the office that the role means, and of the offices above it with the same
    duty: a head of the region may instruct a county's registry, never the other way.
    """
    picture, today, found = tree(), _day(now), set[int]()
    for name in names:
        role = role_of(name)
        office = resolve(name, about, now)
        node = picture.offices.get(office) if office is not None else None
        if role.finds == "enterprise":
            site = _site(picture, about)
            node = picture.offices.get(site.office) if site else None
        if node is None:
            continue
        found.update(_eligible(picture, role, node.id, now, named=True))
        if role.duty and role.finds == "nearest":
            for place in picture.upward(node.place if node.place in picture.places else None):
                for above in picture.with_duty(place.code, role.duty, today):
                    found.update(_eligible(picture, role, above.id, now, named=True))
    return frozenset(found)


def fills(post_id: int, role: str) -> bool:
    """Whether the post's work is that of the role, in whatever office it is."""
    picture = tree()
    post = picture.posts.get(post_id)
    return post is not None and _has_work(picture, role_of(role), post)


def holds(person_id: int, post_id: int, role: str, office_id: int | None, now: datetime, *, itself: bool = False) -> bool:
    """Whether the person acts in ``role`` of that office through that post now, in person or as a running deputy.

    ``itself``: only through a post made for that work; nobody stands in where there is none.
    """
    return bool(held_in([role], person_id, post_id, office_id, now, itself=itself))


def answers_for(person_id: int, post_id: int, role: str, office_id: int | None, now: datetime) -> bool:
    """``holds`` for an office that the role was found to mean: also a supervisor's work, for an enterprise without anybody."""
    if holds(person_id, post_id, role, office_id, now):
        return True
    picture = tree()
    post = picture.posts.get(post_id)
    if post is None or post.office != office_id or not _supervises(picture, role_of(role), post.office):
        return False
    if post.office == picture.top:
        return False  # its posts of the right work stand in for whatever ends there: ``holds`` knows them
    return _has_work(picture, role_of("up"), post) and _sits(picture, person_id, post, now)


def held_in(
    names: Iterable[str], person_id: int, post_id: int, office_id: int | None, now: datetime, *, itself: bool = False
) -> frozenset[str]:
    """Those of these roles that the person fills in that office through that post now, in person or as a running deputy."""
    picture = tree()
    post = picture.posts.get(post_id)
    if post is None or office_id is None or post.office != office_id:
        return frozenset()
    fills = _has_work if itself else functools.partial(_works_as, now=now)
    found = frozenset(name for name in names if fills(picture, role_of(name), post))
    return found if found and _sits(picture, person_id, post, now) else frozenset()


def _works_as(picture: Tree, role: Role, post: PostNode, now: datetime) -> bool:
    return _has_work(picture, role, post) or _stands_in(picture, role, post, now)


def _sits(picture: Tree, person_id: int, post: PostNode, now: datetime) -> bool:
    terms = picture.terms.get(post.office, ())
    own = any(term.person == person_id and term.post == post.id and term.runs(now) for term in terms)
    return own or _deputises(person_id, post.id, now)


def _stands_in(picture: Tree, role: Role, post: PostNode, now: datetime) -> bool:
    """Whether the post answers for a role that nobody fills: at the top office, where such matters end, by its own work."""
    if post.office != picture.top or role.kind == "person" or _eligible(picture, role, post.office, now):
        return False
    return bool(post.duties & role_of("top").posts)


def _deputises(person_id: int, post_id: int, now: datetime) -> bool:
    from .models import Delegation

    return Delegation.in_force(now).filter(deputy_id=person_id, post_id=post_id).exists()
