"""Bad input by the API: the right status, a problem that names field and remedy, and nothing changed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory

from fengsui.api import problems
from fengsui.ledger import doors, tokens
from fengsui.ledger.kernel.shapes import Call, Refusal
from fengsui.ledger.models import Case, Entry, Outbox
from fengsui.moment import now as present
from tests.integration.ledger.test_doors import site
from tests.small_region import Small, Somebody, build

pytestmark = pytest.mark.django_db

VALUES = {"finding": "阀门关闭"}


class Desk:
    """The small region with one hazard of county A, and whoever calls by the API."""

    def __init__(self) -> None:
        self.small: Small = build(present())
        who = self.small.one("county").actor
        self.case = doors.open("hazard", "found_here", dict(VALUES), who, site(self.small), key="", now=present()).case
        self.client = Client(raise_request_exception=False)

    def token(self, who: Somebody) -> str:
        return tokens.issue("test", who.acting, now=present(), expires=present() + timedelta(days=1))[1]

    def post(self, path: str, body: Any, who: str = "county", **headers: str) -> Any:
        """POST with a new key and the present version; header ``X=""`` leaves X away."""
        known = {
            "Authorization": f"Bearer {self.token(self.small.one(who))}", "Idempotency-Key": "k", "If-Match": '"1"',
            "Accept-Language": "en",
        } | headers  # fmt: skip
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name: value for name, value in known.items() if value}
        return self.client.post(path, raw, content_type="application/json", headers=sent)

    def act(self, body: Any, who: str = "county", **headers: str) -> Any:
        return self.post(f"/api/cases/{self.case}/acts", body, who, **headers)


@pytest.fixture
def desk(db: None) -> Desk:
    return Desk()


def problem(desk: Desk, answer: Any, status: int, names: str = "") -> dict[str, Any]:
    """The problem that the answer is, having checked that nothing changed."""
    assert answer.status_code == status, answer.content[:600]
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["detail"]
    assert names in answer.content.decode()
    assert list(Case.objects.values_list("pk", "seq")) == [(Case.objects.get().pk, 1)]
    assert Entry.objects.count() == 1
    assert not Outbox.objects.filter(entry__seq__gt=1).exists()
    return body


CONTROL = {"act": "order_interim", "values": {"interim_control": "停用"}}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{broken", 400), (b"", 422), (b"\xff\xfe", 400), (b"[]", 422), (b"null", 422), (b'"act"', 422),
        (b'{"act": 7, "values": {}}', 422), (b'{"values": {}}', 422), (b'{"act": "order_interim", "values": []}', 422),
        (b"[" * 100_000, 400),
        (b'{"act": "order_interim", "values": {"interim_control": "\\u0000"}}', 400),
        (b'{"act": "order_interim", "values": {"interim_control": "\\ud800"}}', 400),
        (b'{"act": "order_interim", "values": {"interim_control": 1e999}}', 400),
        (b'{"act": "order_interim\\u0000", "values": {}}', 400),
    ],
)  # fmt: skip
def test_what_is_not_an_act_is_refused(desk: Desk, raw: bytes, status: int) -> None:
    problem(desk, desk.act(raw), status)


def test_a_huge_body_is_refused_before_it_is_read(desk: Desk) -> None:
    huge = json.dumps({**CONTROL, "values": {"interim_control": "长" * 3_000_000}}).encode()
    problem(desk, desk.act(huge), 413)


def test_headers_that_are_missing_or_wrong(desk: Desk) -> None:
    problem(desk, desk.act(CONTROL, **{"Idempotency-Key": ""}), 422, "Idempotency-Key")
    problem(desk, desk.act(CONTROL, **{"If-Match": ""}), 428, "If-Match")
    problem(desk, desk.act(CONTROL, **{"If-Match": "seven"}), 422, "If-Match")
    problem(desk, desk.act(CONTROL, **{"If-Match": '"9"'}), 412)
    problem(desk, desk.act(CONTROL, **{"If-Match": '"' + "9" * 40 + '"'}), 412)
    problem(desk, desk.act(CONTROL, **{"Idempotency-Key": "k" * 200}), 422, "Idempotency-Key")
    problem(desk, desk.act(CONTROL, **{"Authorization": "Bearer fs_nobody"}), 401)


def test_the_wrong_post_the_wrong_act_and_wrong_values(desk: Desk) -> None:
    assert (
        problem(desk, desk.act({"act": "list", "values": {"criterion": "15"}}, "league"), 403)["errors"][0]["code"] == "not_yours"
    )
    problem(desk, desk.act(CONTROL, "other"), 404)
    problem(desk, desk.act({"act": "fly", "values": {}}), 422, "fly")
    problem(desk, desk.act({"act": "order_interim", "values": {}}), 422, "interim_control")
    problem(desk, desk.act({"act": "order_interim", "values": {"interim_control": 7}}), 422, "interim_control")
    problem(desk, desk.act({"act": "order_interim", "values": {"interim_control": "停", "bribe": 1}}), 422, "bribe")


@pytest.mark.parametrize("case", ["not-a-uuid", "7", "00000000-0000-0000-0000-000000000000", "%00", "YH-150203-2026-000001"])
def test_a_case_that_is_none_of_mine(desk: Desk, case: str) -> None:
    problem(desk, desk.post(f"/api/cases/{case}/acts", CONTROL), 422 if case == "%00" else 404)


@pytest.mark.parametrize("digest", ["ab" * 32, "nonsense", "", 7, None, "ab" * 5000])
def test_a_file_that_is_not_in_the_store(desk: Desk, digest: Any) -> None:
    about = {"kind": "site", "id": str(desk.small.site.pk), "duty": "hazchem", "title": "x"}
    body = {"mechanism": "hazard", "act": "found_here", "values": {**VALUES, "photos": [digest]}, "about": about}
    problem(desk, desk.post("/api/cases", body), 422, "photos")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"mechanism": "nothing"}, "nothing"), ({"act": "fly"}, "fly"), ({"about": {"kind": "site", "id": "9" * 30}}, "about"),
        ({"about": {"kind": "site", "id": "x"}}, ""), ({"about": {"kind": "moon"}}, ""), ({"about": {}}, "kind"),
        ({"about": {"kind": "site", "title": "长" * 400}}, "title"), ({"about": {"kind": "place", "place": "999999"}}, ""),
    ],
)  # fmt: skip
def test_a_case_that_cannot_be_opened(desk: Desk, change: dict[str, Any], names: str) -> None:
    about = {"kind": "site", "id": str(desk.small.site.pk), "duty": "hazchem", "title": "x"}
    answer = desk.post("/api/cases", {"mechanism": "hazard", "act": "found_here", "values": VALUES, "about": about, **change})
    assert 400 <= answer.status_code < 500
    problem(desk, answer, answer.status_code, names)


def test_twice_is_once_and_another_body_under_the_key_is_refused(desk: Desk) -> None:
    first, again = desk.act(CONTROL), desk.act(CONTROL)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert Entry.objects.count() == 2
    other = desk.act({"act": "order_interim", "values": {"interim_control": "别的"}})
    assert other.status_code == 409
    told = other.json()["errors"][0]
    accepted = {"case": desk.case, "number": Case.objects.get().number, "url": f"/api/cases/{desk.case}"}
    assert told["code"] == "key_reused" and told["params"] == accepted
    headers = {"Authorization": f"Bearer {desk.token(desk.small.one('county'))}"}
    assert desk.client.get(told["params"]["url"], headers=headers).json()["id"] == desk.case
    assert Entry.objects.count() == 2


def test_which_case_a_key_belongs_to_is_told_to_those_alone_who_may_see_it(desk: Desk, rf: RequestFactory) -> None:
    """The key's own caller may have lost the sight of the case since: a merger, a site moved to another county."""
    request, refusal = rf.post("/api/cases"), Refusal("key_reused", "key", args={"case": desk.case})
    for office, sees in (("county", True), ("other", False)):
        request.actings = [desk.small.one(office).acting]  # type: ignore[attr-defined]
        assert bool(problems._accepted(request, refusal).args) is sees


def test_after_the_end(desk: Desk) -> None:
    for number in range(2):
        who = desk.small.one("county", number + 1)
        doors.act(desk.case, Call("nothing", who.actor, {"grounds": "不构成"}), now=present())
    assert Case.objects.get().ended
    answer = desk.act(CONTROL, **{"If-Match": '"3"'})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "ended"
    assert Entry.objects.count() == 3


@pytest.mark.parametrize("query", ["limit=0", "limit=100000", "after=never", "ended=perhaps", "q=%00", "place=%00", "state=%00"])
def test_questions_that_make_no_sense(desk: Desk, query: str) -> None:
    headers = {"Authorization": f"Bearer {desk.token(desk.small.one('county'))}"}
    answer = desk.client.get(f"/api/cases?{query}", headers=headers)
    assert answer.status_code in (200, 422), answer.content[:300]
