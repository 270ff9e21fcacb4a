"""Makes ``docs/reference/cli.md`` from the commands themselves, so that it cannot say something else.

``python -m fengsui.services.reference FILE`` writes it; a test compares it with what is in the repository.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fengsui.services.cli import Grouped, main
from fengsui.services.failure import EXIT_CODES, EXITS


def page() -> str:
    """The whole page as Markdown."""
    assert isinstance(main, Grouped)
    parts = ["# Commands", "", "Made from the code by `make docs`.", ""]
    context = click.Context(main, info_name="fengsui")
    for name in main.list_commands(context):
        parts += _command(name, main.commands[name], context)
    parts += [
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        "| 0 | all is well |",
        "| 1 | the command's own answer is no |",
    ]
    parts += ["| 2 | the command line is wrong |"]
    parts += [f"| {code} | {words} |" for code, words in EXIT_CODES.values()]
    return "\n".join(parts) + "\n"


def _command(name: str, command: click.Command, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(["fengsui", name, *command.collect_usage_pieces(context)])
    lines = [f"## fengsui {name}", "", "```", usage, "```", ""]
    for paragraph in (command.help or "").split("\n\n"):
        lines += [" ".join(paragraph.split()), ""]
    rows = [option for one in command.params if (option := one.get_help_record(context))]
    if rows:
        lines += ["| option | |", "|---|---|", *[f"| `{option}` | {words} |" for option, words in rows], ""]
    exits = EXITS[name]
    codes = ", ".join(f"{EXIT_CODES[kind][0]} ({kind})" for kind in sorted(exits.kinds, key=lambda one: EXIT_CODES[one][0]))
    answers = ", ".join(f"{code} {words}" for code, words in exits.answers.items())
    more = f"; {codes}, see [below](#exit-codes)" if codes else ""
    lines += [f"Exit codes: {answers}{more}.", ""]
    return lines


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
