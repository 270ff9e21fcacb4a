"""Bad input through the doors that people and programs use: the right status and sentence, never a 500, nothing changed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from fengsui.ledger import clockwork, doors, registry
from fengsui.ledger.doors import About, Adoption
from fengsui.ledger.doors.bulk import adopt
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Entry, Notice
from fengsui.moment import now as present
from fengsui.region.models import Account, Delegation
from tests.integration.ledger.test_doors import found, refusal, site
from tests.small_region import Small, Somebody, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(db: None) -> Small:
    return build(present())


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Any) -> None:
    settings.EVIDENCE_DIR, settings.KEYS_DIR = tmp_path / "evidence", tmp_path / "keys"


def of(somebody: Somebody) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(Account.objects.get(person=somebody.person), backend="django.contrib.auth.backends.ModelBackend")
    return client


def send(client: Client, address: str, body: Any, key: str = "k", **headers: str) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post(address, text, "application/json", headers={"Idempotency-Key": key, **headers})


def opening(small: Small, values: Any, **about: Any) -> dict[str, Any]:
    return {"mechanism": "hazard", "act": "found_here", "values": values,
            "about": {"kind": "site", "id": str(small.site.pk), **about}}  # fmt: skip


WRONG = {
    "nul": '{"finding": "a\\u0000b"}',
    "half a character": '{"finding": "\\ud800"}',
    "beyond 64 bits": '{"finding": 123456789012345678901234567890}',
    "nested": '{"finding": ' + "[" * 80 + "]" * 80 + "}",
    "an object for files": '{"finding": "阀", "photos": {}}',
    "objects among files": '{"finding": "阀", "photos": [{}]}',
    "unknown file": '{"finding": "阀", "photos": ["' + "0f" * 32 + '"]}',
}


@pytest.mark.parametrize("name", WRONG)
def test_values_that_no_field_takes_are_refused_by_name(here: Small, name: str) -> None:
    body = json.dumps(opening(here, "VALUES")).replace('"VALUES"', WRONG[name])
    answer = send(of(here.one("county")), "/api/cases", body)
    assert answer.status_code in (400, 422), answer.content
    assert not Case.objects.exists()


def test_a_title_with_nul_is_refused(here: Small) -> None:
    answer = send(of(here.one("county")), "/api/cases", opening(here, {"finding": "阀"}, title="a\0b"))
    assert answer.status_code in (400, 422), answer.content


@pytest.mark.parametrize("version", ["²", "99999999999999999999999", "-1", "1.5"])
def test_a_version_that_is_no_number_is_refused(here: Small, version: str) -> None:
    client = of(here.one("county"))
    case = send(client, "/api/cases", opening(here, {"finding": "阀"})).json()["case"]
    act = {"act": "order_interim", "values": {"interim_control": "停用"}}
    answer = send(client, f"/api/cases/{case}/acts", act, "k2", **{"If-Match": version})
    assert answer.status_code in (412, 422), answer.content
    assert Entry.objects.count() == 1


ADDRESSES = [
    "/api/cases?state=%00", "/api/cases?q=%00", "/api/cases?place=%00", "/api/cases/a%00b", "/api/mechanisms/a%00b",
    "/cases/?page=²", "/cases/?q=%00", "/cases/?mechanism=%00", "/cases/?page=99999999999999999999999", "/cases/?site=²",
    "/notices/?page=99999999999999999999", "/notices/?page=²", "/cases/pick/site/?q=%00", "/cases/pick/person/?q=%00",
    "/report/townships/?county=%00", "/report/sites/?county=150207&q=%00", "/report/county/?lon=nan&lat=nan",
    "/report/county/?lon=inf&lat=1e400", "/verify/?number=%00", "/cases/number/a%00b/", "/api/cases?after=x",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_ends_in_a_500(here: Small, address: str) -> None:
    assert of(here.one("county")).get(address).status_code in (200, 400, 404, 422)


@pytest.mark.parametrize("body", [
    "", "[]", "{", "FENGSUI1.e30.e30.e30", "FENGSUI1.W10.e30.e30", '{"kind": "fengsui-receipt"}',
    '{"kind": "fengsui-receipt", "receipt": {"leaf": "00"}, "public": "00", "signature": "00"}',
    '{"kind": "fengsui-receipt", "receipt": {"leaf": "' + "00" * 32 + '", "case": "x", "seq": 1, "act": "a", "state": "b"}, '
    '"public": "' + "00" * 32 + '", "signature": "' + "00" * 64 + '"}',
])  # fmt: skip
def test_a_file_that_is_no_receipt_is_told_so(here: Small, body: str) -> None:
    answer = Client(raise_request_exception=False).post("/verify/kept/", body, "application/json")
    assert answer.status_code == 422, answer.content


def test_a_strange_digit_in_a_public_report_is_no_500(here: Small) -> None:
    sent = {"key": "7e6ac6ea-3f31-4ec6-a5f7-0f9d5f2d1d6e", "county": "150207", "site": "²", "finding": "阀门漏气"}
    answer = Client(raise_request_exception=False).post("/report/", sent)
    assert answer.status_code == 302, answer.content


def test_a_device_position_is_taken_from_the_public_and_from_officers(here: Small) -> None:
    where = {"lon": "109.91", "lat": "40.605"}
    sent = {"key": "7e6ac6ea-3f31-4ec6-a5f7-0f9d5f2d1d6e", "county": "150207", "finding": "阀门漏气", **where}
    assert Client().post("/report/", sent).status_code == 302
    assert Case.objects.get().fields["position"] == [109.91, 40.605]
    form = {"title": "阀", "site": str(here.site.pk), "finding": "阀门关闭", "key": "x", **where}
    client = of(here.one("county"))
    assert client.post("/cases/new/hazard/found_here/", form).status_code == 302
    case = Case.objects.exclude(raiser__kind="public").get()
    assert case.fields["position"] == [109.91, 40.605]
    assert "109.91°E 40.605°N" in client.get(f"/cases/{case.pk}/").content.decode()


def test_an_office_a_person_or_a_file_that_does_not_exist_is_refused(here: Small) -> None:
    county = here.one("county")
    spoken = {"paper": "文", "words": "办", "leader": 987654321, "due": str((present() + timedelta(days=30)).date())}
    paper, now = About("paper", "1", "150000", "", "文"), present()
    who = here.one("top").actor
    assert refusal(422, lambda: doors.open("instruction", "spoken", spoken, who, paper, key="", now=now)) == ["not_of_role"]
    values, about = {"finding": "阀", "photos": ["0f" * 32]}, site(here)
    who = county.actor
    assert refusal(422, lambda: doors.open("hazard", "found_here", values, who, about, key="", now=now)) == ["bad_value"]


def test_a_subject_outside_the_posts_scope_is_refused_by_the_api(here: Small) -> None:
    client = of(here.one("county"))
    wrong = opening(here, {"finding": "阀"}, place="150203")
    assert send(client, "/api/cases", wrong).status_code == 422, "the site stands elsewhere"
    assert send(client, "/api/cases", opening(here, {"finding": "阀"}, duty="mine"), "k1").status_code == 422
    assert send(client, "/api/cases", opening(here, {"finding": "阀"}, id="987654"), "k2").status_code == 403
    assert send(client, "/api/cases", opening(here, {"finding": "阀"}, id="abc"), "k3").status_code == 422
    assert not Case.objects.exists()
    given = send(client, "/api/cases", opening(here, {"finding": "阀"}), "k4")
    case = Case.objects.get()
    assert given.status_code == 201 and (case.place_code, case.duty) == ("150207", "hazchem")


def test_cases_of_one_moment_are_listed_each_once_over_several_answers(here: Small) -> None:
    rows = [Adoption("hazard", "found", site(here), number=f"OLD-{n}", fields={"answering": here.county.pk}) for n in range(7)]
    adopt(rows, present())
    client, seen, after = of(here.one("county")), [], ""
    while True:
        answer = client.get("/api/cases", {"limit": 3, "after": after}).json()
        seen += [one["number"] for one in answer["cases"]]
        if not (after := answer["next"]):
            break
    assert sorted(seen) == [f"OLD-{n}" for n in range(7)]


def test_a_number_taken_over_from_the_old_world_is_passed_over_or_refused(here: Small) -> None:
    year = present().year
    taken = Adoption("hazard", "found", site(here), number=f"YH-150207-{year}-000001", fields={"answering": here.county.pk})
    adopt([taken], present())
    assert found(here).number == f"YH-150207-{year}-000002"
    with pytest.raises(doors.Refused) as caught:
        adopt([taken], present())
    assert caught.value.status == 422 and caught.value.refusals[0].about == "rows.0.number"


def test_a_deputy_does_no_more_in_a_batch_than_alone(here: Small) -> None:
    case, now = found(here).case, present()
    principal, deputy = here.one("county"), here.one("other")
    Delegation.objects.create(
        principal=principal.person, deputy=deputy.person, post_id=principal.acting.post_id, acts=["order_stop"],
        since=now - timedelta(days=1), until=now + timedelta(days=1),
    )  # fmt: skip
    actor = Actor(
        "person", person=deputy.person.pk, principal=principal.person.pk, office=here.county.pk, post=principal.acting.post_id
    )
    [answer] = doors.act_many([(case, Call("order_interim", actor, {"interim_control": "停用"}))], now)
    assert isinstance(answer, doors.Refused) and answer.status == 403
    assert Case.objects.get().seq == 1


def test_the_end_of_a_confidential_matter_is_told_to_readers_only(here: Small) -> None:
    """A rung opened it in the name of the office that owed: the enterprise must not learn of it, not even by mail."""
    signal = Actor(kind="clock", name="any", office=here.plant.pk)
    case = doors.open("accountability_lead", "lead", {}, signal, site(here), key="", now=present()).case
    readers = Case.objects.get(pk=case).readers
    owner = Case.objects.get(pk=case).owner_id
    signers = [one for group in here.people.values() for one in group if one.acting.office_id == owner][:2]
    for one in signers:
        one.post.duties.append("commission")
        one.post.save()
        doors.act(case, Call("drop", one.actor, {"decision": "无"}), now=present())
    assert Case.objects.get(pk=case).ended
    assert not Notice.objects.filter(case_id=case).exclude(office_id__in=readers).exists()


def test_the_ladder_of_a_case_does_not_tell_of_the_confidential_one_it_opened(here: Small) -> None:
    case = found(here).case
    clockwork.tick(present() + timedelta(days=90))
    assert Case.objects.filter(mechanism="accountability_lead").exists()
    page = of(here.one("county")).get(f"/cases/{case}/").content.decode()
    assert "问责线索" not in page


def test_one_case_that_cannot_be_attended_to_stops_no_other(here: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = found(here, key="a").case, found(here, key="b").case
    real = clockwork.ringing.attend

    def attend(passage: Any, held: Any, struck: Any) -> None:
        if held.case.id == first:
            raise TypeError("a fact that nobody foresaw")
        real(passage, held, struck)

    monkeypatch.setattr(clockwork.ringing, "attend", attend)
    told = clockwork.Clockwork().tick(present() + timedelta(days=40))
    assert told.failed == 1 and told.rungs > 0
    assert Notice.objects.filter(case_id=second, kind="climb").exists()


def test_losses_alone_move_an_accident_to_another_level() -> None:
    """50 million yuan of direct loss make a major accident (国务院令第493号 art. 3), however few were hurt."""
    from fengsui.ledger.conditions import accident_grades
    from fengsui.ledger.kernel.guards import grade_of

    sight = registry.Sight(None, {}, "revise", Actor("system"), {}, present())  # type: ignore[arg-type]
    table = accident_grades(sight)
    assert grade_of({"deaths": 0, "injuries": 0, "loss": 5_000 * 1_000_000}, table) == "major"
    assert grade_of({"deaths": 0, "injuries": 0, "loss": 999 * 1_000_000}, table) == "ordinary"


def test_a_refusal_that_names_a_field_stands_beside_it(here: Small) -> None:
    about = About(kind="paper", id="1", place_code=here.place.code, duty="", title="通知")
    leader = here.one("top", 2)
    case = doors.open("instruction", "register", {"paper": "通知"}, here.one("top").actor, about, key="", now=present()).case
    call = Call("propose", here.one("top").actor, {"proposal": "阅", "leader": leader.person.pk})
    doors.act(case, call, now=present())
    given = {"post": leader.post.pk, "seq": "2", "key": "k", "words": "请抓好落实", "due": "2020-01-01"}
    answer = of(leader).post(f"/cases/{case}/act/instruct/", given, headers={"Accept-Language": "zh-hans"})
    assert answer.status_code == 422 and not answer.context["reasons"]
    assert answer.context["form"].errors["due"] == ["“办结时限”：只能选择尚未过去的日期。"]
    assert 'value="2020-01-01"' in answer.content.decode() and "请抓好落实" in answer.content.decode()
