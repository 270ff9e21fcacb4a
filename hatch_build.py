"""Hatch's build hook: puts the pages' assets and the compiled catalogues into the package before it is packed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Assets(BuildHookInterface):
    """Runs `fengsui.services.assets` by its path: the package itself is not importable yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what git does not carry; an sdist stays without it."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        spec = importlib.util.spec_from_file_location("fengsui_assets", root / "src/fengsui/services/assets.py")
        assert spec and spec.loader
        assets = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(assets)
        assets.build(root)
