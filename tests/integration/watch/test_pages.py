"""The watch's pages and endpoints: who sees what, who may do what, and the devices' HTTP door."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fengsui.region.models import Delegation, Holding, Site
from fengsui.watch import credentials, handling, hiding_views, line, rulechanges
from fengsui.watch.models import Alarm, AlarmEvent, Concealment, IngestCounter, Rule
from tests.integration.watch.test_relay import NOW, Plant, alarms
from tests.unit.watch.test_codec import ANYTHING

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant(db):
    made = Plant()
    made.say(made.event("RAISED"), made.event("RAISED", "H", 1), made.event("CLEARED", "H", 1))
    return made


def browser(plant, office):
    client = Client()
    client.force_login(plant.small.one(office).account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def managing(plant):
    """The plant's safety management: a post of ``safety``, not of the control room."""
    someone, control = plant.small.one("plant", 1), plant.small.one("plant")
    for one, duties in ((someone, ["safety"]), (control, ["control_room"])):
        one.post.duties = duties
        one.post.save()
    return someone


@pytest.fixture(autouse=True)
def no_stream(monkeypatch):
    """No stream server in these tests: the pages must stand without one."""
    monkeypatch.setattr(line.Line, "_do", _away)


def _away(self, work):
    work.close()
    raise line.Away("not here")


@pytest.mark.parametrize(
    ("office", "sees"), [("plant", True), ("county", True), ("league", True), ("top", True), ("other", False)]
)
def test_alarms_are_seen_in_scope_alone(plant, office, sees):
    client = browser(plant, office)
    for address in ("/alarms/", "/alarms/?show=all&order=site&q=PT-0", "/alarms/export.csv"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert ("示例化工" in answer.content.decode()) is sees
    assert client.get(f"/alarms/{alarms().first().pk}/").status_code == (200 if sees else 404)
    assert client.get("/ingest/").status_code == 200


def test_nobody_without_a_post_or_sign_in(plant):
    assert Client().get("/alarms/").status_code == 302
    assert Client().get("/api/alarms").status_code == 401


def test_only_the_site_s_posts_acknowledge(plant):
    alarm = alarms().get(level="HH")
    for office, status in (("county", 403), ("other", 404), ("plant", 302)):
        post = plant.small.one(office).post.pk
        answer = browser(plant, office).post("/alarms/do/acknowledge/", {"alarm": alarm.pk, "post": post, "key": "k"})
        assert answer.status_code == status
    assert Alarm.objects.unscoped("test").get(pk=alarm.pk).state == "acknowledged"


def test_who_acknowledged_and_when_stands_with_the_alarm(plant):
    """On the list, the alarm's page, the site's page, in the file and for programs, for whoever sees the alarm."""
    alarm, someone = alarms().get(level="HH"), plant.small.one("plant")
    someone.person.name = "确认人甲"
    someone.person.save()
    site = f"/sites/{alarm.site.code}/"
    pages = ("/alarms/", f"/alarms/{alarm.pk}/", site, f"{site}live/", "/alarms/export.csv")
    for page in pages:
        assert "确认人甲" not in browser(plant, "county").get(page).content.decode()
    browser(plant, "plant").post("/alarms/do/acknowledge/", {"alarm": alarm.pk, "post": someone.post.pk, "key": "k"})
    for page in pages:
        assert "确认人甲" in browser(plant, "county").get(page).content.decode(), page
        assert "确认人甲" not in browser(plant, "other").get(page).content.decode()
    found = browser(plant, "county").get("/api/alarms").json()["items"]
    told = {one["level"]: (one["acknowledged_by"], one["acknowledged"] is not None) for one in found}
    assert told == {"HH": ("确认人甲", True), "H": (None, False)}


def test_a_latched_alarm_raised_anew_is_acknowledged_by_nobody(plant):
    """Whoever took note of it before stands in its record, not beside an alarm that nobody has taken note of."""
    Rule.objects.unscoped("test").filter(pk=plant.rule().pk).update(latched=True)
    someone = plant.small.one("plant")
    handling.acknowledge([alarms().get(level="HH").pk], handling.Doer.of(someone.acting), key="k", now=NOW)
    plant.say(plant.event("CLEARED"))
    assert alarms().get(level="HH").state == "latched_acknowledged" and alarms().get(level="HH").acknowledged_by
    plant.say(plant.event("RAISED"))
    alarm = alarms().get(level="HH")
    assert (alarm.state, alarm.acknowledged_at, alarm.acknowledged_by) == ("unacknowledged", None, None)
    assert AlarmEvent.objects.filter(alarm=alarm, kind="acknowledge", person=someone.person.pk).exists()


def test_a_deputy_s_acts_on_alarms_name_the_principal_too(plant):
    """A deputy does it, whose act it is stays on record (代签): acknowledged, hidden and shown again, by page and by program."""
    control, deputy = plant.small.one("plant"), plant.small.one("plant", 1)
    elsewhere = plant.small.one("other").post  # a deputy holds a post, though none that has to do with these alarms
    Holding.objects.filter(person=deputy.person).update(post=elsewhere)
    Delegation.objects.create(
        principal=control.person, deputy=deputy.person, post=control.post,
        acts=["alarm.acknowledge", "alarm.shelve", "alarm.bring_back"],
        since=NOW - timedelta(days=400), until=datetime(2099, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    client, alarm = Client(), alarms().get(level="HH")
    client.force_login(deputy.account, backend="django.contrib.auth.backends.ModelBackend")
    signed = f"{control.person.name}（signed by {deputy.person.name}）"
    post = f"{control.post.pk}:{control.person.pk}"
    client.post("/alarms/do/acknowledge/", {"alarm": alarm.pk, "post": post, "key": "k"})
    client.post("/alarms/do/shelve/", {"alarm": alarm.pk, "post": post, "minutes": "30", "reason": "calibration", "key": "s"})
    both = {"person": deputy.person.pk, "principal": control.person.pk}
    acts = AlarmEvent.objects.filter(alarm=alarm, person__isnull=False)
    assert list(acts.values("kind", *both)) == [{"kind": "acknowledge", **both}, {"kind": "shelved", **both}]
    assert signed in client.get("/alarms/?show=hidden", headers={"accept-language": "en"}).content.decode()
    address = f"/api/rules/{alarm.rule_id}/hidden"
    body = json.dumps({"what": "bring_back", "reason": "", "minutes": 0, "key": "b"})
    answer = client.post(address, body, content_type="application/json", headers={"X-Acting-Post": post})
    assert answer.status_code == 204, answer.content
    assert acts.get(kind="bring_back").principal == control.person.pk
    assert client.get(f"/alarms/{alarm.pk}/", headers={"accept-language": "en"}).content.decode().count(signed) == 4
    assert signed in client.get("/alarms/", headers={"accept-language": "en"}).content.decode()


def test_shelving_needs_a_reason_and_ends(plant):
    client, alarm = browser(plant, "plant"), alarms().get(level="HH")
    fields = {"alarm": alarm.pk, "post": plant.small.one("plant").post.pk, "minutes": "30"}
    client.post("/alarms/do/shelve/", fields | {"reason": " "})
    assert alarms().get(pk=alarm.pk).hidden == ""
    client.post("/alarms/do/shelve/", fields | {"reason": "calibration"})
    assert alarms().get(pk=alarm.pk).hidden == "shelved"
    client.post("/alarms/do/bring_back/", fields)
    assert alarms().get(pk=alarm.pk).hidden == ""


def test_a_rule_without_an_alarm_is_hidden_listed_and_shown_again(plant):
    """ISA-18.2: what is hidden stays on a list of its own; suppression is the safety management's, as the rules are."""
    rule, someone = plant.rule("HH", 2), managing(plant)
    safety = Client()
    safety.force_login(someone.account, backend="django.contrib.auth.backends.ModelBackend")
    control, county, other = (browser(plant, office) for office in ("plant", "county", "other"))
    address = f"/rules/{plant.site.code}/{plant.points[2].pk}/hide/"
    fields = {
        "rule": rule.pk,
        "what": "suppress",
        "reason": "tank empty, by the operating procedure 3.2",
        "minutes": "",
        "key": "a",
    }
    assert [one.get(address).status_code for one in (safety, control, county, other)] == [200, 200, 200, 404]
    own = fields | {"post": plant.small.one("plant").post.pk}
    assert control.post(address, own).status_code == 403
    assert safety.post(address, fields | {"post": someone.post.pk, "reason": ""}).status_code == 422
    long = safety.post(address, fields | {"post": someone.post.pk, "reason": "r" * 301})
    assert long.status_code == 422 and "301" in long.content.decode() and "r" * 301 in long.content.decode()
    assert safety.post(address, fields | {"post": someone.post.pk}).status_code == 302
    plant.say(plant.event("RAISED", "HH", 2))
    assert alarms().get(rule=rule).hidden == "suppressed"
    for one in (control, county):
        said = one.get("/alarms/?show=hidden").content.decode()
        assert "operating procedure 3.2" in said and plant.points[2].tag in said
        assert [line["kind"] for line in one.get("/api/alarms/hidden").json()["items"]] == ["suppressed"]
    assert other.get("/api/alarms/hidden").json() == {"count": 0, "items": []}
    assert control.post(address, own | {"what": "bring_back", "key": "b"}).status_code == 403
    alarm = {"alarm": alarms().get(rule=rule).pk, "post": own["post"], "key": "c"}
    assert control.post("/alarms/do/bring_back/", alarm).status_code == 403
    alarms().filter(rule=rule).update(hidden="")  # as one of the rule from before it was suppressed
    control.post("/alarms/do/bring_back/", alarm)
    assert [line["kind"] for line in control.get("/api/alarms/hidden").json()["items"]] == ["suppressed"]
    alarms().filter(rule=rule).update(hidden="suppressed")
    assert safety.post(address, fields | {"post": someone.post.pk, "what": "bring_back", "key": "d"}).status_code == 302
    assert alarms().get(rule=rule).hidden == "" and control.get("/api/alarms/hidden").json()["count"] == 0


def test_the_page_acts_in_the_post_that_is_named_and_puts_the_alarm_that_was_asked_for_first(plant):
    """Somebody with a post that may hide and one that may not: the page shows what the acting one may, its form names it."""
    control, other = plant.small.one("plant"), plant.small.one("county")
    Holding.objects.create(post=other.post, person=control.person, since=NOW - timedelta(days=40))
    client = browser(plant, "plant")
    address = f"/rules/{plant.site.code}/{plant.points[2].pk}/hide/"
    own, foreign = control.post.pk, other.post.pk
    rule = plant.rule("SILENT", 2)
    page = client.get(f"{address}?rule={rule.pk}").content.decode()
    assert f'name="post" value="{own}"' in page and 'value="out_of_service"' in page
    assert page.index(f'id="rule-{rule.pk}"') < page.index(f'id="rule-{plant.rule("HH", 2).pk}"')
    page = client.get(f"{address}?post={foreign}").content.decode()
    assert 'value="out_of_service"' not in page and f'href="?post={own}"' in page
    fields = {"rule": rule.pk, "what": "out_of_service", "reason": "repair", "key": "a"}
    assert client.post(address, fields | {"post": foreign}).status_code == 403
    assert client.post(f"{address}?rule={rule.pk}", fields | {"post": own}).headers["Location"] == f"{address}?rule={rule.pk}"
    assert f"?rule={rule.pk}&amp;post={own}" in client.get("/alarms/?show=hidden").content.decode()
    alarm = alarms().get(level="HH")
    page = client.get(f"/alarms/{alarm.pk}/").content.decode() + client.get("/alarms/").content.decode()
    assert page.count(f'name="post" value="{own}"') >= 2
    assert client.post("/alarms/do/acknowledge/", {"alarm": alarm.pk, "post": own, "key": "k"}).status_code == 302


def test_a_form_from_before_a_change_of_the_rule_hides_its_successor(plant):
    someone = plant.small.one("plant")
    client, old = browser(plant, "plant"), plant.rule("HH", 2)
    wanted = {"HH": rulechanges.Wanted(1.7, 0.05, 3.0, 10.0)}
    (line,) = rulechanges.change(plant.points[2], wanted, "HAZOP", someone.acting, NOW + timedelta(minutes=1))
    address = f"/rules/{plant.site.code}/{plant.points[2].pk}/hide/"
    fields = {"rule": old.pk, "post": someone.post.pk, "what": "out_of_service", "reason": "repair", "key": "a"}
    assert client.post(address, fields).status_code == 302
    assert Concealment.objects.unscoped("test").get().rule_id == line.new.pk


def test_all_that_is_hidden_is_listed_page_by_page_and_counted_in_the_right_number(plant, monkeypatch):
    monkeypatch.setattr(hiding_views, "SHOWN", 2)
    client = browser(plant, "plant")
    client.cookies["django_language"] = "en"
    handling.take_out_of_service(plant.rule("HH", 0).pk, handling.Doer(1), "reason 0", key="a", now=NOW)
    assert "1 alarm rule is shelved" in client.get("/alarms/").content.decode()
    for n in (1, 2):
        handling.take_out_of_service(
            plant.rule("HH", n).pk, handling.Doer(1), f"reason {n}", key=f"a{n}", now=NOW + timedelta(minutes=n)
        )
    assert "3 alarm rules are shelved" in client.get("/alarms/").content.decode()
    first = client.get("/alarms/?show=hidden").content.decode()
    assert "reason 2" in first and "reason 0" not in first and "hidden=2" in first
    second = client.get("/alarms/?show=hidden&hidden=2").content.decode()
    assert "reason 0" in second and "reason 2" not in second and "3–3 / 3" in second


def test_a_program_shelves_takes_out_of_service_and_shows_again(plant):
    managing(plant)
    rule, client = plant.rule("HH", 1), browser(plant, "plant")
    address = f"/api/rules/{rule.pk}/hidden"

    def ask(body, who=client):
        return who.post(address, json.dumps({"key": "k", "reason": "repair", **body}), content_type="application/json")

    assert ask({"what": "shelve", "minutes": 481}).status_code == 422
    assert ask({"what": "nonsense"}).status_code == 422
    assert ask({"what": "suppress"}).status_code == 403
    assert ask({"what": "out_of_service"}, browser(plant, "county")).status_code == 403
    assert ask({"what": "out_of_service"}, browser(plant, "other")).status_code == 404
    assert ask({"what": "out_of_service"}).status_code == 204
    assert ask({"what": "shelve", "minutes": 5, "key": "k2"}).status_code == 422  # hidden already
    assert [line["kind"] for line in client.get("/api/alarms/hidden").json()["items"]] == ["out_of_service"]
    first, second = (client.get(f"/api/alarms/hidden?size=1&page={page}").json() for page in (1, 2))
    assert (first["count"], len(first["items"])) == (1, 1) and second == {"count": 1, "items": []}
    assert client.get("/api/alarms/hidden?size=501").status_code == client.get("/api/alarms/hidden?page=0").status_code == 422
    assert ask({"what": "bring_back", "key": "k3"}).status_code == 204
    assert ask({"what": "bring_back", "key": "k4"}).status_code == 422
    assert ask({"what": "out_of_service", "key": "one"}).status_code == 204
    assert ask({"what": "out_of_service", "key": "one"}).status_code == 204  # sent again
    assert ask({"what": "bring_back", "key": "one"}).status_code == 204  # another act, done in spite of the key
    assert client.get("/api/alarms/hidden").json()["items"] == []


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "已确认"), ("en", "acknowledged")])
def test_the_alarm_s_record_says_what_and_who_in_the_reader_s_language(plant, language, word):
    client, alarm = browser(plant, "plant"), alarms().get(level="HH")
    client.post("/alarms/do/acknowledge/", {"alarm": alarm.pk, "post": plant.small.one("plant").post.pk, "key": "k"})
    client.cookies["django_language"] = language
    said = client.get(f"/alarms/{alarm.pk}/").content.decode()
    assert f"<td>{word}</td>" in said and plant.small.one("plant").person.name in said
    assert "<td>RAISED</td>" not in said and "<td>acknowledge</td>" not in said


def test_the_export_says_who_and_when_and_holds_no_formula(plant):
    Site.objects.unscoped("test").filter(pk=plant.site.pk).update(name_zh="=1+1")
    head, _, line, *_ = browser(plant, "county").get("/alarms/export.csv?show=all").content.decode("utf-8-sig").splitlines()
    assert ("导出" in head or "Exported by" in head) and "20" in head
    assert line.startswith("'=1+1,")


def test_a_flood_is_shown_with_its_site(plant):
    now = datetime.now(UTC)
    page = browser(plant, "county").get("/alarms/").content.decode()
    mark = f'href="?site={plant.site.pk}"'
    assert mark not in page
    row = alarms().first()
    closed = {"closed_at": now, "state": "normal", "raised_at": now, "touched_at": now, "level": "H", "priority": 2}
    Alarm.objects.bulk_create(Alarm(rule=row.rule, point=row.point, site=row.site, **closed) for _ in range(11))
    page = browser(plant, "county").get("/alarms/").content.decode()
    assert mark in page
    assert mark not in browser(plant, "other").get("/alarms/").content.decode()


def test_the_command_makes_and_ends_a_gateway_s_token(plant, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.KEYS_DIR = tmp_path
    out = io.StringIO()
    with django_capture_on_commit_callbacks(execute=True):
        assert credentials.main("HC-1", False, NOW, out) == 0
    token = out.getvalue().strip()
    assert credentials.site_of(token) == "HC-1"
    with django_capture_on_commit_callbacks(execute=True):
        assert credentials.main("HC-1", True, NOW, out) == 0
    assert credentials.site_of(token) is None
    assert credentials.main("HC-404", False, NOW, out) == 1 and "no site" in out.getvalue()


def test_metrics_are_for_whoever_has_the_token(settings, db):
    settings.METRICS_TOKEN, settings.ALLOWED_HOSTS = "s3cret", ["*"]
    nginx = {"Host": "127.0.0.1:8000", "Connection": "close"}  # its plain proxy_pass says no more, whoever asks it
    for headers in (nginx, {"X-Forwarded-For": "127.0.0.1"}, {"Host": "localhost"}, {"Authorization": "Bearer no"}):
        assert Client(REMOTE_ADDR="127.0.0.1").get("/metrics", headers=headers).status_code == 404, headers
    for wrong in ("s3cret", "Basic s3cret", "Bearer", "Bearer s3cret2", "Bearer 秘"):
        assert Client().get("/metrics", headers={"Authorization": wrong}).status_code == 404, wrong
    for address in ("127.0.0.1", "10.0.0.9"):
        answer = Client(REMOTE_ADDR=address).get("/metrics", headers={"Authorization": "Bearer s3cret"})
        assert "fengsui_well" in answer.content.decode()
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_the_api_lists_and_acknowledges(plant):
    client = browser(plant, "plant")
    found = client.get("/api/alarms?show=owing").json()
    assert {item["level"] for item in found["items"]} == {"HH", "H"}
    points = client.get("/api/sites/HC-1/points").json()
    assert [one["level"] for one in points[0]["limits"]] == ["HH", "H", "BAD", "SILENT"]
    assert browser(plant, "other").get("/api/sites/HC-1/points").status_code == 404
    history = f"/api/points/{plant.points[0].pk}/history"
    assert client.get(f"{history}?begin=2026-11-24T00:00:00Z&end=2026-11-24T01:00:00Z").status_code == 200
    assert client.get(f"{history}?begin=2026-11-24T02:00:00Z&end=2026-11-24T01:00:00Z").status_code == 422


def test_the_http_door_checks_token_size_and_shape(plant, settings, tmp_path, monkeypatch, django_capture_on_commit_callbacks):
    settings.KEYS_DIR = tmp_path
    token = credentials.issue([plant.site], NOW)["HC-1"]
    credentials.settle(NOW)
    assert (tmp_path / "sites.json").stat().st_mode & 0o777 == 0o600
    stored = []
    good = json.dumps({"t": 1_795_000_000_000, "v": {"PT-0": 1.0}})

    def send(body, secret=token, kind="json"):
        headers = {"Authorization": f"Bearer {secret}"}
        return Client().post(f"/api/ingest/{kind}", body, content_type="application/json", headers=headers).status_code

    assert send(good) == 503
    monkeypatch.setattr(line.Line, "store", lambda self, subject, data: stored.append(subject) or len(stored))
    assert send(good) == 202
    assert stored == ["tele.HC-1.json"]
    assert [send("{"), send(good, kind="xml"), send(" " * 300_000), send(good, "0" * 64)] == [400, 400, 413, 401]
    assert {(row.site, row.kind): row.total for row in IngestCounter.objects.filter(door="http")} == {
        ("HC-1", "malformed"): 2,
        ("HC-1", "oversized"): 1,
        ("?", "unauthorised"): 1,
    }
    with django_capture_on_commit_callbacks(execute=True):
        credentials.revoke([plant.site], NOW)
        assert send(good) == 202, "a transaction that may still be rolled back ends no token"
    assert send(good) == 401


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["json", "cols", "x"]), body=st.binary(max_size=60) | ANYTHING.map(lambda one: json.dumps(one).encode())
)
def test_no_body_breaks_the_http_door(plant, settings, tmp_path, monkeypatch, kind, body):
    settings.KEYS_DIR = tmp_path
    token = credentials.issue([plant.site], NOW)["HC-1"]
    credentials.settle(NOW)
    monkeypatch.setattr(line.Line, "store", lambda self, subject, data: 1)
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().post(f"/api/ingest/{kind}", body, content_type="application/octet-stream", headers=headers)
    assert answer.status_code in (202, 400, 413)
    assert answer.status_code == 202 or "detail" in answer.json()
