"""Why a command stopped: one sentence, one remedy, one exit code each."""

from __future__ import annotations

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
"""Name of a failure → its exit code and what it means; the reference page is made from this table."""


class Failure(click.ClickException):
    """A command cannot go on. ``kind`` is a key of `EXIT_CODES`; nothing was changed when it is raised."""

    def __init__(self, kind: str, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence if not remedy else f"{sentence}\n{remedy}")
        self.kind = kind
        self.exit_code = EXIT_CODES[kind][0]  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence and the remedy to standard error."""
        click.echo(f"fengsui: {self.message}", err=True, file=file)
