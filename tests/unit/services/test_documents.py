"""What the documents say is true: their commands parse, their links lead somewhere, every setting is described."""

from __future__ import annotations

import itertools
import re
import shlex

import click
import pytest

from fengsui.services.assets import ROOT
from fengsui.services.cli import main

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
COMMAND = re.compile(r"(?m)^(?:\.venv/bin/)?fengsui [^\n]*|(?<=`)fengsui [^`\n]*(?=`)")


def test_there_are_the_four_kinds_and_both_readmes() -> None:
    for kind in ("tutorial", "how-to", "reference", "explanation", "adr"):
        assert list((ROOT / "docs" / kind).glob("*.md")), kind
    english, chinese = (
        [line.split("#")[0].rstrip() for line in re.findall(r"(?m)^(?:make|fengsui|\.venv).*$", (ROOT / name).read_text())]
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese, "both READMEs give the same commands"


def commands() -> list[tuple[str, str]]:
    """(page, command line) for each line that a reader may type."""
    found = []
    for page in PAGES:
        for line in COMMAND.findall(page.read_text(encoding="utf-8")):
            said = line.removeprefix(".venv/bin/").split("#", 1)[0].strip()
            found.append((str(page.relative_to(ROOT)), said))
    return found


def test_every_command_in_a_document_parses() -> None:
    assert isinstance(main, click.Group)
    assert len(commands()) > 40
    wrong = []
    for page, said in commands():
        words = shlex.split(said)[1:]
        names = words[0].split("|") if words else []
        for name in (one for one in names if re.fullmatch(r"[a-z-]+", one)):
            known = main.commands.get(name)
            if known is None:
                wrong.append(f"{page}: {said}: no command {name}")
                continue
            options = {option for one in known.params for option in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
            given = {word.split("=")[0].strip("[].,") for word in words[1:] if word.strip("[]").startswith("--")}
            wrong += [f"{page}: {said}: no option {one}" for one in sorted(given - options - {"--"}) if name != "manage"]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve()
        assert there.exists(), f"{page.name}: {target}"
        if anchor and there.suffix == ".md":
            heads = re.findall(r"(?m)^#+ (.*)$", there.read_text(encoding="utf-8"))
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, f"{page.name}: {target}"


def test_every_variable_that_is_read_is_described() -> None:
    described = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r"[\"\'](FENGSUI_[A-Z_]+|DATABASE_URL|NATS_URL)[\"\']", path.read_text(encoding="utf-8")))
    assert not {name for name in read if f"`{name}`" not in described and f"`{name}=" not in described}


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    for page in PAGES:
        for name in re.findall(r"(?m)(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8")):
            assert name in targets, f"{page.name}: make {name}"


def test_chinese_text_is_not_broken_within_a_paragraph() -> None:
    """A page shows the end of a line as a space, which does not belong between two Chinese words."""
    inside = False
    for above, line in itertools.pairwise((ROOT / "README.zh-CN.md").read_text("utf-8").splitlines()):
        inside ^= above.startswith("```")
        begins = line.startswith(("```", "|", "* ", "#", "!", "["))
        assert inside or not above.strip() or not line.strip() or begins, f"broken before: {line}"


def test_both_readmes_lead_to_the_same_pages() -> None:
    """Pictures apart, which are of the page in the reader's language where there is one."""
    linked = [
        {to for to in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text("utf-8")) if not to.startswith("docs/images")}
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert linked[0] - {"README.zh-CN.md"} == linked[1] - {"README.md"}
