"""How a command ends: its own answer, or why it could not go on: one sentence, one remedy, one exit code each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, Any

import click

EXIT_CODES: dict[str, tuple[int, str]] = {
    "running": (10, "another `fengsui up` runs on this data folder"),
    "foreign": (11, "the folder holds something that is not Fengsui's data"),
    "format": (12, "the folder was written by an older or newer Fengsui"),
    "port": (13, "a port is taken"),
    "disk": (14, "the disk is full, or nearly"),
    "path": (15, "a path is too long for a socket"),
    "database": (16, "the database cannot be reached or used"),
    "stream": (17, "the stream cannot be reached or used"),
    "user": (18, "PostgreSQL needs a user of its own and none could be made"),
    "readonly": (19, "the folder cannot be written"),
    "part": (20, "a part did not start"),
    "archive": (21, "the backup file is damaged, or not a backup"),
    "notready": (22, "the folder holds nothing yet"),
    "setting": (23, "a setting in the environment is wrong"),
}
"""Name of a failure → its exit code and what it means."""

_FOLDER = ("foreign", "format", "disk", "path", "readonly", "notready", "setting")
_USE = (*_FOLDER, "database")
_START = ("running", "foreign", "format", "port", "disk", "path", "database", "stream", "user", "readonly", "part", "setting")
_STAND = (*_START, "notready")


@dataclass(frozen=True)
class Exits:
    """The ways in which a command ends: ``answers`` are its own (0, 1, 2), ``kinds`` the failures it can meet."""

    kinds: tuple[str, ...] = ()
    answers: dict[int, str] = field(default_factory=lambda: {0: "all is well"})

    def rows(self) -> list[tuple[int, str]]:
        """Each exit code with what it means here, in order of the codes."""
        return sorted([*self.answers.items(), *(EXIT_CODES[kind] for kind in self.kinds)])


EXITS: dict[str, Exits] = {
    "up": Exits(_START),
    "demo": Exits(_START),
    **dict.fromkeys(("web", "engine", "relay", "clock", "sealer", "jobs", "simulator", "exercise"), Exits(_FOLDER)),
    "check": Exits(_USE, {0: "everything is proven", 1: "something is broken or lacking", 2: "a file cannot be read"}),
    "token": Exits(_USE, {0: "done", 1: "no such person or post"}),
    "gateway": Exits(_USE, {0: "done", 1: "no such site"}),
    "administrator": Exits(_USE, {0: "done", 1: "there is an administrator already, or there are no places yet"}),
    "doctor": Exits(answers={0: "all is well, or only warnings", 1: "something is bad"}),
    "verify": Exits(
        _STAND,
        {
            0: "everything is as it was sealed",
            1: "something is not",
            2: "it cannot be judged: no such case, or a file cannot be used",
        },
    ),
    "adopt": Exits(_STAND, {0: "taken over, or could be", 1: "something is wrong", 2: "the table cannot be read"}),
    "move": Exits(_STAND, {0: "all went, or can", 1: "some cannot", 2: "unknown mechanism or map"}),
    "new-key": Exits(_STAND),
    "rebuild": Exits(_STAND, {0: "identical", 1: "something differs", 2: "--check was not given"}),
    "backup": Exits(_STAND),
    "restore": Exits((*_START, "archive")),
    "manage": Exits(_USE, {0: "the Django command is done", 1: "it has failed, or does not exist"}),
}
"""The one table of exit codes: every command's help and the reference page are made from it, a test holds it to the code."""


class Failure(click.ClickException):
    """A command cannot go on. ``kind`` is a key of `EXIT_CODES`; nothing was changed when it is raised."""

    def __init__(self, kind: str, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence if not remedy else f"{sentence}\n{remedy}")
        self.kind = kind
        self.exit_code = EXIT_CODES[kind][0]  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence and the remedy to standard error."""
        click.echo(f"fengsui: {self.message}", err=True, file=file)
