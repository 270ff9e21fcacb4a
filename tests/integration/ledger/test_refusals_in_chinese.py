"""Every reason why not, read in Chinese: no English word but names and units."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import translation

import fengsui
from fengsui.law.amounts import Duration
from fengsui.ledger import mechanisms, sentences
from fengsui.ledger.kernel import sections
from fengsui.ledger.kernel.shapes import Facts, Field, Refusal
from fengsui.ledger.kernel.values import wrong
from tests.integration.ledger.test_bad_input import of, opening, send
from tests.small_region import Small

SOURCE = Path(fengsui.__file__).parent
LATIN = re.compile(r"[A-Za-z]{2,}")
UNITS = {
    "MB",
    "WebP",
    "JPEG",
    "PNG",
    "HEIC",
    "PDF",
    "OFD",
    "MP",
    "DOCX",
    "XLSX",
    "CSV",
    "TXT",
    "ZIP",
    "MOV",
    "TIFF",
    "WEBP",
    "keys",
    "reporter",
    "key",
    "If",
    "Match",
    "next",
    "wd",
}
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
FACTS = Facts({}, frozenset(), {}, {"hazard.longest": Duration(days=90)})
SHOWN = {"refused": 3, "Wrong": 0, "Hindered": 0}
"""Where a call carries its sentence."""
ROLES = {"not_yours", "same_person"}
"""Codes that need a role's name, not a sentence."""
SAYING = {"bad_value", "guard", "effect", "steers", "merge", "share", "erased"}
"""Codes of the kernel's own refusals that show what they need."""


def foreign(text: str) -> list[str]:
    return [word for word in LATIN.findall(text) if word not in UNITS]


def bare(text: str) -> str:
    return re.sub(r"%\(\w+\)s", "", text)


def said_in_code() -> Iterator[tuple[str, ast.expr]]:
    """(place, the sentence's node) of every refusal that is written down."""
    for path in sorted(SOURCE.glob("*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place = f"{path.relative_to(SOURCE)}:{node.lineno}"
            code = getattr(node.args[1], "value", "") if name == "refused" and len(node.args) > 1 else ""
            if name in SHOWN and len(node.args) > SHOWN[name] and code not in ROLES:
                yield place, node.args[SHOWN[name]]
            elif name == "Refusal" and len(node.args) > 2 and getattr(node.args[0], "value", "") in SAYING:
                yield place, node.args[2]
            elif name == "register_guard":
                for word in node.keywords:
                    if word.arg == "why" and isinstance(word.value, ast.Call):
                        yield place, word.value.args[0]


def test_every_sentence_of_the_code_is_a_msgid_with_chinese_words() -> None:
    found = list(said_in_code())
    assert len(found) > 60
    faults = []
    with translation.override("zh-hans"):
        for place, node in found:
            if isinstance(node, ast.JoinedStr):
                faults.append(f"{place}: built from parts, so no catalogue can hold it")
            elif isinstance(node, ast.Constant) and node.value and foreign(bare(translation.gettext(str(node.value)))):
                faults.append(f"{place}: {node.value!r} has no Chinese words")
    assert not faults, "\n".join(faults)


def test_every_wrong_value_is_said_in_chinese(small: Small) -> None:
    hazard = mechanisms.current("hazard")
    bounded = {
        "past": Field("deadline", "date", after="now"),
        "future": Field("deadline", "date", before="now"),
        "beyond": Field("deadline", "date", at_most="hazard.longest"),
        "before": Field("deadline", "date", after="field.since"),
    }
    day = {
        "past": NOW - timedelta(days=9),
        "future": NOW + timedelta(days=9),
        "beyond": NOW + timedelta(days=200),
        "before": NOW,
    }
    faults = [wrong(Field("finding", kind), object(), {}, FACTS, NOW) for kind in sorted(sections.FIELD_KINDS)]
    faults += [wrong(one, day[name].date().isoformat(), {"since": "2027-01-01"}, FACTS, NOW) for name, one in bounded.items()]
    moment = Field("finding", "time", before="now")
    faults += [
        wrong(moment, (NOW + timedelta(hours=1)).isoformat(), {}, FACTS, NOW),
        wrong(moment, "2026-11-25T03:00:00", {}, FACTS, NOW),
    ]
    faults.append(wrong(replace(moment, after="now", before=None), (NOW - timedelta(hours=1)).isoformat(), {}, FACTS, NOW))
    colour = mechanisms.current("warning").fields["colour"]
    choice = wrong(colour, "green", {}, FACTS, NOW)
    assert all(faults) and choice
    with translation.override("zh-hans"):
        said = [sentences.of(hazard, Refusal("bad_value", "finding", one.says, one.args)) for one in faults if one]
        said.append(sentences.of(mechanisms.current("warning"), Refusal("bad_value", "colour", choice.says, choice.args)))
    assert "红色" in said[-1] and "橙色" in said[-1]
    assert [one for one in said if foreign(one)] == []


@pytest.mark.parametrize("code", sorted(sentences.SENTENCES))
def test_every_code_reads_in_chinese(code: str, small: Small) -> None:
    hazard = mechanisms.current("hazard")
    about = {"child_open": "extension", "unverified": "submit", "guard": "site_known"}.get(code, "finding")
    needs = {"not_yours": "site_supervisor", "not_of_role": "leader", "too_few_people": "enforcement", "spent": "2"}.get(code, "")
    with translation.override("zh-hans"):
        said = sentences.of(hazard, Refusal(code, about, needs))
    assert not foreign(said.replace("finding", "")), said


def test_the_api_tells_code_parameters_and_the_sentence_of_the_reader(small: Small) -> None:
    told = {}
    for language in ("zh-hans", "en"):
        body = opening(small, {"photos": ["x"]})
        answer = send(of(small.one("county")), "/api/cases", body, language, **{"Accept-Language": language})
        assert answer.status_code == 422, answer.content
        told[language] = answer.json()
    codes = {language: [(one["code"], one["about"]) for one in said["errors"]] for language, said in told.items()}
    assert codes["zh-hans"] == codes["en"] and ("missing", "finding") in codes["en"]
    assert not any(foreign(one["sentence"]) for one in told["zh-hans"]["errors"]), told["zh-hans"]
    assert all("params" in one for one in told["en"]["errors"])
    assert told["en"]["detail"] != told["zh-hans"]["detail"]
