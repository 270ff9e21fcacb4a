"""The main pages against WCAG 2.1 A and AA, as far as a program can tell (axe-core), in both themes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

Enter = Callable[..., Page]
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
RUN = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"]}).then(found =>
  JSON.stringify(found.violations.map(one => ({
    rule: one.id, help: one.help, nodes: one.nodes.slice(0, 4).map(node => node.target.join(" ") + " " + node.html.slice(0, 160) +
      " " + node.any.concat(node.all, node.none).map(check => check.message).join("; ").slice(0, 200))}))))"""

PAGES = {
    "nobody": (None, ["/sign-in/", "/report/", "/follow/", "/verify/", "/demo/four/", "/exercise/"]),
    "duty": ("duty", ["/desk/", "/map/?svg=1", "/cases/", "/notices/", "/alarms/"]),
    "inspector": (
        "inspector",
        ["/cases/new/", "/sites/", "/sites/HC-150207-01/", "/cases/{case}/", "/cases/{case}/act/order_interim/"],
    ),
    "deputy": ("deputy", ["/desk/", "/mechanisms/", "/mechanisms/hazard/", "/law/", "/offices/"]),
}


def violations(page: Page) -> list[str]:
    """What axe finds on the page. It is run by the browser's own console: the page's policy lets no script in."""
    line = page.context.new_cdp_session(page)
    line.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    told: dict[str, Any] = line.send("Runtime.evaluate", {"expression": RUN, "awaitPromise": True})
    found = json.loads(told["result"]["value"])
    return [f"{page.url} {one['rule']}: {one['help']}\n    " + "\n    ".join(one["nodes"]) for one in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("who", sorted(PAGES))
def test_pages_keep_wcag(enter: Enter, hazard: Callable[[str], str], who: str, theme: str) -> None:
    assert AXE.exists(), "axe-core is missing: run `npm ci` in the repository, then test again"
    role, paths = PAGES[who]
    case = hazard("无障碍检查") if any("{case}" in path for path in paths) else ""
    page = enter(role, paths[0].format(case=case), theme=theme)
    wrong: list[str] = []
    for path in paths:
        page.goto(path.format(case=case))
        page.wait_for_load_state("load")
        wrong += violations(page)
    assert not wrong, "\n".join(wrong)
