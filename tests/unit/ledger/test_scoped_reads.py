"""No page reads cases past the scope: every ``MODEL.objects`` of a table that belongs to cases is accounted for here.

Region and watch tables refuse an unscoped query when it runs (``region.scoping``). Cases are seen for more reasons than place
and duty (parties, shares, readers), so ``ledger.reading`` is their one door: pages ask ``reading.cases``, ``find`` or
``case_or_404``, and may then read what belongs to the cases found. This test reads the source: a new ``Case.objects`` in a
view fails it until its reason stands below, and a reason without its query fails it too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.apps import apps

from fengsui.ledger.models import Case

SOURCE = Path(__file__).resolve().parents[3] / "src" / "fengsui"

PAGES: dict[tuple[str, str], str] = {
    ("cockpit/desk.py", "_unanswered"): "clocks of cases in reading.cases",
    ("cockpit/desk.py", "_clocks"): "clocks of the desk's own lines, which reading.desk chose",
    ("cockpit/frame.py", "alarms"): "clocks that the reader's own offices hold",
    ("cockpit/outbox.py", "latest"): "a number alone",
    ("cockpit/outbox.py", "since"): "the process's own work: cockpit.live hands each change to those who may see the case",
    ("cockpit/situation.py", "marks"): "the first of reading.cases, by their ids",
    ("ledger/api.py", "list_cases"): "the first of reading.cases, by their ids",
    ("ledger/api.py", "case_entries"): "entries of a case that reading.find gave",
    ("ledger/casepage.py", "build"): "clocks of the page's case",
    ("ledger/casepage.py", "calls_of"): "calls of the page's cases",
    ("ledger/evidence/theirs.py", "_opened"): "files of the case at hand and of reading.seeing",
    ("ledger/evidence/theirs.py", "_unsealed"): "entries of those cases, to tell which seals are broken",
    ("ledger/filters.py", "Filter.apply"): "on which of the cases given, which are in scope, a clock runs",
    ("ledger/lending.py", "_lend"): "the sharing that an administrator or leader of the office makes",
    ("ledger/lending.py", "follow"): "shared scopes of an office that was changed, which end with what it sees",
    ("ledger/persons_acts/correct.py", "page"): "an entry of the case that the frame found in scope",
    ("ledger/persons_acts/erase.py", "Erase.__init__"): "what hangs on the case that the frame found in scope",
    ("ledger/public/follow.py", "_case"): "the reporter's own case, by the signed ticket that the code and secret earned",
    ("ledger/public/words.py", "_values"): "entries of that case: the signatures before the one that decided",
    ("ledger/public/follow.py", "receipt_file"): "the receipt of that case",
    ("ledger/public/report.py", "receipt"): "what the reporter has just sent, by the signed ticket",
    ("ledger/public/triage.py", "queue"): "letters of cases in reading.cases",
    ("ledger/public/verify.py", "_titles"): "the wording of a receipt whose signature held",
    ("ledger/public/words.py", "_running"): "clocks of the reporter's own case",
    ("ledger/public/words.py", "standing"): "the first entry of the reporter's own case",
    ("ledger/public/words.py", "told"): "entries of the reporter's own case",
    ("ledger/public/words.py", "_elsewhere"): "what the reporter was told of the case that goes on elsewhere",
    ("ledger/views.py", "record_call"): "a call of a case that reading.case_or_404 gave",
    ("ledger/views.py", "receipt_page"): "an entry of a case that reading.case_or_404 gave",
}
"""Where requests are answered: (module, function) → why the rows are within what the reader may see."""

BENEATH: dict[str, str] = {
    "ledger/adoption/taking.py": "numbers and keys taken, asked by the machine",
    "ledger/beneath.py": "whether anything is open about a subject: a number for the region's operations, which have a scope",
    "ledger/clockwork.py": "the clock's own work",
    "ledger/doors": "the doors: they judge who may act, on the case that they lock",
    "ledger/effects.py": "the outbox's own work",
    "ledger/erasure.py": "one case, whose act the door let through",
    "ledger/lineage.py": "which case came of which: ids for reading",
    "ledger/live_check.py": "the night's own work",
    "ledger/mechanisms.py": "how many cases live under each version",
    "ledger/moving.py": "the command of the machine's keeper, and its entries",
    "ledger/notices.py": "notices to the reader's own offices and person; calls of a case at hand",
    "ledger/publisher.py": "the outbox's own work",
    "ledger/reading": "the room that gives cases in scope",
    "ledger/receipts.py": "by the receipt's own code, or an entry at hand",
    "ledger/recompute.py": "clocks to be reckoned again, by the machine",
    "ledger/reporters.py": "by the reporter's code and secret, or of a case at hand",
    "ledger/succession.py": "an office that ends hands on all it has",
    "ledger/tables.py": "rows of a list that reading gave, by id",
    "ledger/timelines.py": "entries of a case at hand",
    "ledger/verify": "the proof of the whole ledger, for whoever keeps the machine",
    "services/exercise/world.py": "the exercise's own process",
    "watch/news.py": "the outbox's own work",
    "watch/warnings.py": "the relay's own work",
}
"""Rooms without a request: module, or folder of modules → on whose behalf it reads."""


def tables() -> set[str]:
    """The ledger's models that are cases or hang on one."""
    return {
        model.__name__
        for model in apps.get_app_config("ledger").get_models()
        if model is Case or any(field.concrete and field.related_model is Case for field in model._meta.get_fields())
    }


def queries(tree: ast.AST, names: set[str], inside: str = "") -> Iterator[str]:
    """The functions (``Class.method``) in which ``MODEL.objects`` stands."""
    for node in ast.iter_child_nodes(tree):
        here = inside
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            here = f"{inside}.{node.name}" if inside else node.name
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "_base_manager"):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if name in names:
                yield here
        yield from queries(node, names, here)


@cache
def found() -> set[tuple[str, str]]:
    names = tables()
    return {
        (str(path.relative_to(SOURCE)), function)
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
        for function in queries(ast.parse(path.read_text("utf-8")), names)
    }


def beneath(module: str) -> str | None:
    return next((room for room in BENEATH if module == room or module.startswith(f"{room}/")), None)


def test_the_tables_are_those_of_cases() -> None:
    assert {"Case", "Entry", "Clock", "Notice", "Party", "Receipt", "Share", "SearchText"} <= tables()


def test_every_query_of_a_case_s_tables_is_accounted_for() -> None:
    unknown = sorted(at for at in found() if at not in PAGES and beneath(at[0]) is None)
    assert not unknown, f"ask ledger.reading (cases, find, case_or_404) for what the reader may see, or say why not: {unknown}"


def test_no_reason_outlives_its_query() -> None:
    now = found()
    assert not sorted(PAGES.keys() - now)
    assert {room for module, _ in now if (room := beneath(module))} == BENEATH.keys()


def test_nothing_that_answers_a_request_counts_as_beneath() -> None:
    """A module that takes requests is a page, whatever its folder; raw SQL of cases stays out of pages, too."""
    asking = {module for module, _ in found()}
    raw = [f"FROM ledger_{name.lower()} " for name in tables()]
    for path in SOURCE.rglob("*.py"):
        text, module = path.read_text("utf-8"), str(path.relative_to(SOURCE))
        if "HttpRequest" in text:
            assert module not in asking or beneath(module) is None, module
            assert not any(words in text for words in raw), f"{module}: raw SQL of cases belongs into ledger.reading"


def test_a_view_that_asks_for_all_cases_is_seen() -> None:
    view = "def page(request):\n    return [one.title for one in models.Case.objects.all()]\n"
    assert list(queries(ast.parse(view), tables())) == ["page"]
