"""The page of commands says what the commands say."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from fengsui.services.cli import Grouped, main
from fengsui.services.reference import page
from fengsui.services.worker import ROOMS

ROOT = Path(__file__).resolve().parents[3]


def test_the_reference_is_current() -> None:
    assert (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_command_explains_itself() -> None:
    assert isinstance(main, Grouped)
    for name in set(main.commands) - {"manage"}:
        said = CliRunner().invoke(main, [name, "--help"])
        assert said.exit_code == 0
        assert "Usage:" in said.output and len(said.output) > 150, name
    assert set(ROOMS) <= set(main.commands)


def test_every_command_stands_under_a_heading() -> None:
    assert isinstance(main, Grouped)
    assert set(main.list_commands(None)) == set(main.commands)  # type: ignore[arg-type]
