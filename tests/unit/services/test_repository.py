"""What every commit must keep: pins without a host, functions and files of a readable size."""

from __future__ import annotations

import re

from fengsui.services.assets import ROOT


def test_pins_name_no_host_and_carry_hashes() -> None:
    for name in ("base.txt", "dev.txt", "uv.txt"):
        text = (ROOT / "requirements" / name).read_text()
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), name
        pins = re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[a-z,]+\])?==\S+(.*)$", text)
        assert pins and all(rest.endswith("\\") for _, rest in pins), name
