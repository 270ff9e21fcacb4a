"""The running region as the player meets it: the ledger's doors, the database, verification, the simulator."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.utils import translation

from fengsui.ledger import doors, evidence, mechanisms, sentences, verify
from fengsui.ledger.database import ROLE
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Clock, Entry
from fengsui.ledger.seals import signing
from fengsui.ledger.verify import exporting, offline
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import actings
from fengsui.region.models import Account, Person, Site
from fengsui.services.exercise import photo as photos
from fengsui.services.exercise import sheet
from fengsui.services.exercise.scenario import Scenario
from fengsui.watch import reading as watch

STALE = 412
Detail = dict[str, str]


class Region:
    """The demo's region. Acts only on cases that are flagged as exercise and about the scenario's site."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario, self.folder = scenario, folder
        self._signals: dict[str, dict[str, float]] = {}
        self._kept: dict[str, list[str]] = {}
        self._site: Site | None = None

    @property
    def site(self) -> Site:
        """The scenario's site."""
        if self._site is None:
            self._site = Site.objects.unscoped("the exercise plays at this site").get(code=self.scenario.site)
        return self._site

    # ---------------------------------------------------------------- signals

    def signal(self, point: str, to: float | str, over: float) -> None:
        """Steer a point of the site; ``normal`` lets it fall back, no point all of them."""
        if not point:
            self._signals.clear()
            self._kept.clear()
        elif to == "normal":
            self._signals.pop(point, None)
        else:
            self._signals[point] = {"to": float(to), "over": over}
        sheet.write(self.folder / "signals.json", {self.scenario.site: self._signals} if self._signals else {})

    # ---------------------------------------------------------------- looking

    def find(self, mechanism: str, since: datetime) -> tuple[str, str] | None:
        """The newest exercise case of this mechanism about the site that is open, or was opened since."""
        found = Case.objects.filter(mechanism=mechanism, exercise=True, about_kind="site", about_id=str(self.site.pk))
        case = found.filter(opened_at__gte=since).order_by("-opened_at").first()
        return (str(case.pk), case.number or "") if case else None

    def climbed(self, case: str) -> int:
        """How many offices the case has climbed to."""
        core = Case.objects.values_list("core", flat=True).get(pk=case)
        return len(core.get("overseers", ()))

    def stands(self, case: str, state: str, acted: str) -> bool:
        """Whether the case is in the state and has had the act, as far as each is asked."""
        if state and not Case.objects.filter(pk=case, state=state).exists():
            return False
        return not acted or Entry.objects.filter(case_id=case, act=acted).exists()

    def done_by_person(self, case: str, act: str, user: str, since: datetime) -> bool:
        """Whether the user did the act since, or whether anybody did it so that it is no longer possible."""
        entries = Entry.objects.filter(case_id=case, act=act, at__gte=since)
        return entries.filter(person_id=self._person(user)).exists() or (entries.exists() and not self.offered(case, act))

    def offered(self, case: str, act: str) -> bool:
        """Whether the case's state knows the act at all; no state after the end does."""
        stored = Case.objects.get(pk=case)
        state = mechanisms.version(stored.version_id).states.get(stored.state)
        return state is not None and act in state.offers

    def runs(self, case: str, clock: str) -> bool:
        """Whether a clock of this name runs for any office."""
        return Clock.objects.filter(case_id=case, name=clock, stopped__isnull=True, current=True).exists()

    def calm(self, now: datetime) -> bool:
        """Whether no warning of an earlier run is open and the site's alarms are gone; two persons close what is open."""
        left = Case.objects.filter(mechanism="warning", exercise=True, about_kind="site", about_id=str(self.site.pk), ended=False)
        for case in map(str, left.values_list("pk", flat=True)):
            for user in self.scenario.closes.get("as", ()):
                if self.offered(case, self.scenario.closes["do"]):
                    self._try(case, self.scenario.closes["do"], user, dict(self.scenario.closes.get("values", {})), "", now)
        return not left.exists() and not any(alarm.level == "hh" for alarm in watch.alarms(self.site.pk))

    @staticmethod
    def _person(user: str) -> int:
        return int(Person.objects.unscoped("the exercise acts in this person's name").get(account__username=user).pk)

    # ----------------------------------------------------------------- acting

    def _actor(self, user: str, now: datetime) -> Actor:
        acting = actings(Account.objects.get(username=user), now)[0]
        return Actor(
            "person", person=acting.person_id, principal=acting.principal_id, office=acting.office_id, post=acting.post_id
        )

    def _values(self, values: dict[str, Any], photo: str, user: str, now: datetime) -> dict[str, Any]:
        """Scenario values as the door wants them: ``@USER`` a person, ``+30d`` a date, a photo taken at the site."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            if isinstance(value, dict):
                found[name] = self._values(value, "", user, now)
            elif isinstance(value, str) and value.startswith("@"):
                found[name] = self._person(value[1:])
            elif isinstance(value, str) and value.startswith("+") and value.endswith("d") and value[1:-1].isdigit():
                found[name] = (now.astimezone(LEGAL_ZONE).date() + timedelta(days=int(value[1:-1]))).isoformat()
            else:
                found[name] = value
        if photo and photo in self._kept:
            found[photo] = self._kept[photo]  # who signs second signs what the first one saw
        elif photo:
            taken = photos.taken(self.site.lon, self.site.lat, now, f"{self.scenario.site} {user}")
            stored = evidence.store(ContentFile(taken, name="exercise.jpg"), self._actor(user, now), now)
            found[photo] = self._kept[photo] = [stored.digest]
        return found

    def _try(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail | None:
        """Act; None where it went through, else the reasons in both languages."""
        given = self._values(values, photo, user, now)
        for more in (True, True, False):
            seq = Case.objects.values_list("seq", flat=True).get(pk=case)
            key = f"exercise-{case}-{seq}-{act}-{user}"
            try:
                doors.act(case, Call(act, self._actor(user, now), given, expects=seq, key=key), now=now)
            except doors.Refused as refusal:
                if refusal.status == STALE and more:
                    continue  # somebody acted in the same moment: look again at where the case stands now
                return self._reasons(case, refusal)
            return None
        return None

    @staticmethod
    def _reasons(case: str, refusal: doors.Refused) -> Detail:
        mechanism = mechanisms.version(Case.objects.values_list("version_id", flat=True).get(pk=case))
        found: Detail = {}
        for language, code in (("zh", "zh-hans"), ("en", "en")):
            with translation.override(code):
                found[language] = " ".join(sentences.all_of(mechanism, refusal.refusals))
        return found

    def act(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail:
        """Do the act in the user's name; ``refused`` is set with the reasons where a door said no."""
        why = self._try(case, act, user, values, photo, now)
        return {**why, "refused": "1"} if why else {}

    def refused(self, case: str, act: str, user: str, values: dict[str, Any], photo: str, now: datetime) -> Detail | None:
        """Try it; the reasons."""
        return self._try(case, act, user, values, photo, now)

    def direct_sql(self, case: str) -> Detail | None:
        """``UPDATE ledger_case SET state`` as the application's role; the database's own words, or None if it let it pass."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL ROLE {ROLE}")
                cursor.execute("UPDATE ledger_case SET state = 'cancelled' WHERE id = %s", [case])
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                transaction.set_rollback(True)
        except DatabaseError as error:
            said = str(error).splitlines()[0]
            return {"zh": f"PostgreSQL：{said}", "en": f"PostgreSQL: {said}"}
        return None

    # -------------------------------------------------------------- verifying

    def verify(self, case: str, now: datetime) -> tuple[bool, Detail]:
        """Verify the whole ledger."""
        report = verify.ledger(now)
        zh = f"核验 {report.entries} 条记录、{report.cases} 个事项，全部一致。" if report.ok else report.findings[0].zh
        en = f"{report.entries} entries of {report.cases} cases verified, all agree." if report.ok else report.findings[0].en
        return report.ok, {"zh": zh, "en": en}

    def tampered(self, case: str, now: datetime) -> tuple[bool, Detail]:
        """Export the case, change one byte of the file and judge it as ``fengsui verify FILE`` does: the entry must be named."""
        middle = max(1, Case.objects.values_list("seq", flat=True).get(pk=case) // 2)
        with TemporaryDirectory(dir=self.folder) as room:
            file = Path(room) / "case.zip"
            try:
                exporting.export(file, now, case)
            except (ValueError, signing.NoKey) as error:  # nothing is sealed yet: the first head comes within a minute
                return False, {"zh": f"尚不能导出：{error}", "en": f"cannot be exported yet: {error}"}
            change_a_byte(file, middle)
            report = offline.judge(file)
        named = next((one for one in report.findings if one.code == "tampered"), None)
        if named is None:
            return False, {"zh": "核验未发现改动", "en": "verification did not notice"}
        number = Case.objects.values_list("number", flat=True).get(pk=case)
        return True, {name: said.replace(case, number or case) for name, said in (("zh", named.zh), ("en", named.en))}


def change_a_byte(export: Path, seq: int) -> None:
    """Change one digit of the entry of this ``seq`` in a file of ``fengsui verify --export``; all else stays as it was.

    Raises ``StopIteration`` where the file holds no such entry with content.
    """
    with zipfile.ZipFile(export) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    lines = [bytearray(line) for line in members[offline.ENTRIES].splitlines(keepends=True)]
    line = next(line for line in lines if (said := orjson.loads(line))["seq"] == seq and said["body"])
    begin = line.index(b'"body":"')
    line[next(at for at in range(begin, len(line)) if chr(line[at]).isdecimal())] ^= 1  # 0 and 1, 2 and 3 … change places
    members[offline.ENTRIES] = b"".join(lines)
    with zipfile.ZipFile(export, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
