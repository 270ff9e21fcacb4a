"""What every commit must keep: pins without a host, functions and files of a readable size."""

from __future__ import annotations

import re
import tomllib

from fengsui.services.assets import ROOT


def test_pins_name_no_host_and_carry_hashes() -> None:
    for name in ("base.txt", "dev.txt", "uv.txt"):
        text = (ROOT / "requirements" / name).read_text()
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), name
        pins = re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[a-z,]+\])?==\S+(.*)$", text)
        assert pins and all(rest.endswith("\\") for _, rest in pins), name


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        "base.txt": project["dependencies"],
        "dev.txt": [*project["dependencies"], *project["optional-dependencies"]["dev"]],
    }
    for name, dependencies in wanted.items():
        pinned = set(re.findall(r"(?m)^([a-z0-9._-]+)", (ROOT / "requirements" / name).read_text()))
        missing = {re.split(r"[\[<>=;~! ]", dependency)[0].lower() for dependency in dependencies} - pinned
        assert not missing, f"{name} lacks {missing}: run `make requirements`"
