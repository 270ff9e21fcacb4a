"""The command `fengsui`: one word for each thing a person does to a platform.

Every command names its exit codes; rooms are imported only when their command runs, so that help is instant.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fengsui import __version__
from fengsui.mailserver import WrongMailServer
from fengsui.services.failure import EXITS, Failure

_GROUPS = {
    "Run": ("up", "demo"),
    "Look after": ("administrator", "doctor", "backup", "restore", "token", "gateway", "new-key", "adopt", "move"),
    "Prove": ("check", "verify", "rebuild"),
    "Single processes, for systemd or Kubernetes": ("web", "engine", "relay", "clock", "sealer", "jobs"),
    "Processes of the demo": ("simulator", "exercise"),
    "Develop": ("manage",),
}


class Grouped(click.Group):
    """A group whose help lists commands under headings, in the order of use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of their headings."""
        return [name for names in _GROUPS.values() for name in names if name in self.commands]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a disk that fills up on the way, and a wrong setting, are sentences too."""
        try:
            return super().invoke(ctx)
        except WrongMailServer as error:  # a single process reads the settings itself
            raise Failure("setting", str(error)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Failure(
                    "disk",
                    f"The disk is full{f': {error.filename}' if error.filename else ''}.",
                    "Free some space, then run it again.",
                ) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One section per heading."""
        for heading, names in _GROUPS.items():
            rows = [(name, self.commands[name].get_short_help_str(80)) for name in names if name in self.commands]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class Command(click.Command):
    """A command whose help ends with its exit codes, from `EXITS`."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name each exit code that the command can end with."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), words) for code, words in EXITS[str(self.name)].rows()])


Grouped.command_class = Command


def _default_folder() -> Path:
    return Path(os.environ.get("FENGSUI_DATA", "fengsui-data"))


_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_TARGET = click.Path(path_type=Path, dir_okay=False)
data_option = click.option(
    "--data", type=_FOLDER, default=_default_folder, show_default="$FENGSUI_DATA or ./fengsui-data", help="The data folder."
)
plain_option = click.option("--plain", is_flag=True, help="Print lines instead of a live table.")


@click.group(cls=Grouped, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="fengsui")
def main() -> None:
    """Fengsui 烽燧: whatever must be dealt with becomes a case in one ledger, has somebody who answers
    for it and a running clock, and leaves the ledger only verified and answered.

    Begin with `fengsui demo`: a whole region with a running exercise, on this machine only.
    """


@main.command()
@data_option
@plain_option
@click.option(
    "--bind",
    default="127.0.0.1",
    show_default=True,
    help="The web server's address, for a new data folder; later it is in config.toml.",
)
def up(data: Path, plain: bool, bind: str) -> None:
    """Start the platform and keep it running until Ctrl-C.

    PostgreSQL and NATS are started inside the data folder unless DATABASE_URL and NATS_URL name others.
    What dies is started again. Everything listens on this machine only unless --bind says otherwise.
    """
    from fengsui.services import up as starter

    starter.run(data, plain=plain, bind=bind)


@main.command()
@click.option(
    "--data",
    type=_FOLDER,
    default=Path("fengsui-demo"),
    show_default=True,
    help="The demo's data folder; made when missing.",
)
@plain_option
@click.option("--still", is_flag=True, help="Do not play the exercise; only the region and its cases.")
def demo(data: Path, plain: bool, still: bool) -> None:
    """Start a synthetic region with a running exercise and print how to look at it.

    The first start fills the folder (offices, people, sites, open cases), later ones go on where it stopped.
    Everything in it is made up and marked 演练.
    """
    from fengsui.services import demonstration

    demonstration.run(data, plain=plain, still=still)


def _process(name: str, about: str) -> None:
    @main.command(name, help=about)
    @data_option
    def single(data: Path) -> None:
        enter(data)
        from fengsui.services import worker

        worker.run(name)


_process(
    "web",
    "Serve the pages and the API.\n\nAddress, port and workers come from the folder's config.toml.",
)
_process("engine", "Turn samples into alarm transitions.\n\nReads the stream from its own position; needs no database.")
_process("relay", "Bring alarm transitions into the ledger, each exactly once.")
_process("clock", "Fire reminders and climbs, deliver notices.\n\nAny number may run; each rung fires once.")
_process("sealer", "Seal new entries under a signed head each minute.\n\nAny number may run; one works, the others stand by.")
_process("jobs", "Work off mail, call lists, nightly checks and changes on their day.")
_process("simulator", "Play the devices of the demo's sites: one message per site and second.")
_process(
    "exercise", "Play the demo's exercise: give the signals, and act in the name of the demo's people where nobody did in time."
)


def enter(data: Path, *, owner: bool = False) -> None:
    """Set this process's environment from the data folder. With both addresses given, no folder is needed."""
    from fengsui.services import folder as folders

    if folders.external_database() and folders.external_stream() and not (data / folders.MARKER).exists():
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengsui.settings")
        os.environ.setdefault("FENGSUI_DATA", str(data.absolute()))
        os.environ.setdefault("FENGSUI_DB_ROLE", "" if owner else folders.APPLICATION)
        if not owner and (own := os.environ.get("FENGSUI_APP_DATABASE_URL")):
            os.environ["DATABASE_URL"] = own
        return
    folder = folders.find(data)
    os.environ.update(folder.environment(owner=owner))
    config = folder.config
    for name, value in (("FENGSUI_BIND", config.bind), ("FENGSUI_PORT", config.web), ("FENGSUI_WORKERS", config.workers)):
        os.environ.setdefault(name, str(value))


def _django(data: Path, *, owner: bool = False) -> None:
    """Enter the folder and make Django ready; a database that does not answer is a `Failure`."""
    from fengsui.services import reach

    enter(data, owner=owner)
    reach.database(os.environ["DATABASE_URL"])
    import django

    django.setup()


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--budget", type=int, default=None, help="The most configurations to explore for each mechanism.")
@click.option("--over", is_flag=True, help="Lay FOLDER over the shipped mechanisms, as a region's own files are.")
@click.option("--live", is_flag=True, help="Hold the proof against the real offices of the data folder instead.")
@data_option
def check(folder: Path | None, as_json: bool, budget: int | None, over: bool, live: bool, data: Path) -> None:
    """Prove that every mechanism's life is closed.

    Explores the mechanisms in FOLDER (the shipped ones unless told) exhaustively and names, for each property
    that fails, the state, the act and the shortest path.
    With --live: names each office with too few people for what the mechanisms ask of it, and opens a case for it.
    """
    if live:
        _django(data)
        from fengsui import moment
        from fengsui.ledger import live_check

        sys.exit(live_check.main(moment.now(), sys.stdout, as_json=as_json))
    from fengsui.ledger.proof import cli
    from fengsui.ledger.proof.check import BUDGET

    sys.exit(cli.main(folder, as_json=as_json, budget=budget or BUDGET, over=over))


@main.command()
@click.argument("user")
@click.option("--post", type=int, default=None, help="The post it acts in, by number; needed where the person holds several.")
@click.option("--name", default="program", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it holds.")
@click.option("--revoke", is_flag=True, help="End all tokens of this name and person instead.")
@data_option
def token(user: str, post: int | None, name: str, days: int, revoke: bool, data: Path) -> None:
    """Make a token by which a program acts in one post of USER, or end it.

    The secret is printed once and kept nowhere; a program sends it as "Authorization: Bearer SECRET".
    """
    _django(data)
    from fengsui import moment
    from fengsui.ledger import tokens

    sys.exit(tokens.main(user, post, name, days, revoke, moment.now(), sys.stdout))


@main.command()
@click.argument("site")
@click.option("--revoke", is_flag=True, help="End the site's token instead.")
@data_option
def gateway(site: str, revoke: bool, data: Path) -> None:
    """Make the token with which the gateway of SITE (its code) sends samples, ending its former one.

    The token is printed once. The gateway signs in with it by MQTT (user name SITE) or sends it as "Authorization: Bearer
    TOKEN" by HTTP.
    """
    _django(data)
    from fengsui import moment
    from fengsui.watch import credentials

    sys.exit(credentials.main(site, revoke, moment.now(), sys.stdout))


@main.command()
@click.argument("username")
@click.option("--name", required=True, help="The person's name, as records will show it.")
@click.option("--office", default="内蒙古自治区应急管理厅", show_default=True, help="The region's top office in Chinese.")
@click.option(
    "--office-en", default="Department of Emergency Management of Inner Mongolia", show_default=True, help="The same in English."
)
@data_option
def administrator(username: str, name: str, office: str, office_en: str, data: Path) -> None:
    """Make the first administrator of a new region, with USERNAME to sign in.

    The region's top office is made where it is missing; everything else is entered in the pages by that person. The
    one-time password is printed once and kept nowhere.
    """
    _django(data)
    from fengsui import moment
    from fengsui.region import founding

    sys.exit(founding.main((office, office_en), name, username, moment.now(), sys.stdout))


@main.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def doctor(data: Path, as_json: bool) -> None:
    """Test machine, disk, clock, database and stream, and say what to do.

    A running platform is tested as it runs; otherwise its servers are started for the test and stopped again.
    """
    from fengsui.services import doctor as physician

    found = physician.examine(data)
    if as_json:
        click.echo(json.dumps([vars(one) for one in found], ensure_ascii=False, indent=2))
    else:
        marks = {
            "ok": click.style("ok  ", fg="green"),
            "warn": click.style("warn", fg="yellow"),
            "bad": click.style("BAD ", fg="red"),
        }
        for one in found:
            click.echo(f"{marks[one.grade]}  {one.about}: {one.says}")
            if one.remedy:
                click.echo(f"      → {one.remedy}")
    sys.exit(any(one.grade == "bad" for one in found))


@contextmanager
def _standing(data: Path) -> Iterator[None]:
    """Django on the folder's database, which is started for the while where nothing runs."""
    from fengsui.services import folder as folders
    from fengsui.services import foundation

    if folders.external_database() and not (data / folders.MARKER).exists():
        _django(data)
        yield
        return
    with foundation.standing(folders.find(data), stream=False):
        _django(data)
        yield


@main.command()
@click.argument("file", required=False, type=_FILE)
@data_option
@click.option("--case", "case", metavar="ID", help="Only this case: its identifier or its number.")
@click.option("--receipt", type=_FILE, help="Only this receipt, as its holder kept it.")
@click.option("--head", type=_FILE, help="Also prove that the ledger, or FILE, grew from this head, which somebody kept.")
@click.option("--save-head", type=_TARGET, help="Write the newest signed head here, to be kept elsewhere.")
@click.option("--export", type=_TARGET, help="Write the case, or the whole ledger, with its proofs: FILE for another machine.")
@click.option("--files/--no-files", default=True, help="Also hash the evidence files, or leave them out.", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def verify(
    file: Path | None, data: Path, case: str | None, receipt: Path | None, head: Path | None, save_head: Path | None,
    export: Path | None, files: bool, as_json: bool,
) -> None:  # fmt: skip
    """Prove that what was sealed is still there, unchanged and in its place.

    Checks every entry's bytes, its chain, its leaf, the signed heads and the evidence files, and names what is wrong.
    With FILE, a receipt or what --export wrote, it needs neither data folder nor database. An export holds everything
    that its cases say, confidential ones too.
    """
    if file is not None:
        if others := [name for name, given in (("--case", case), ("--receipt", receipt), ("--export", export)) if given]:
            raise click.UsageError(f"FILE is judged by itself: leave out {', '.join(others)}.")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fengsui.settings")
        import django

        django.setup()
        from fengsui.ledger.verify import cli

        sys.exit(cli.file(file, head, as_json=as_json))
    with _standing(data):
        from fengsui.ledger.verify import cli

        code = cli.main(case, receipt, head, save_head, export=export, files=files, as_json=as_json)
    sys.exit(code)


@main.command()
@click.argument("file", type=_FILE)
@click.option("--mechanism", required=True, help="What the cases are: a mechanism's name, such as hazard.")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what is wrong; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@data_option
def adopt(file: Path, mechanism: str, dry: bool, as_json: bool, data: Path) -> None:
    """Take old cases over from FILE, a CSV (UTF-8 or GBK) or xlsx table.

    All rows or none: each wrong cell is named by row and column. Their past is sealed as unverified here. The page of the
    mechanism has the empty table.
    """
    with _standing(data):
        from fengsui import moment
        from fengsui.ledger.adoption import cli

        code = cli.main(file, mechanism, dry, moment.now(), sys.stdout, as_json=as_json)
    sys.exit(code)


@main.command()
@click.argument("mechanism")
@click.option("--dry-run", "dry", is_flag=True, help="Only say what can go and why not the rest.")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="A state that the new version calls otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@data_option
def move(mechanism: str, dry: bool, pairs: tuple[str, ...], as_json: bool, data: Path) -> None:
    """Move the open cases of MECHANISM to its newest version.

    A case goes only where the new version's proof covers the place it stands in; each by an entry of its own.
    Adopted cases move too, to a state from which the new version still reaches an end.
    """
    with _standing(data):
        from fengsui import moment
        from fengsui.ledger import moving

        code = moving.main(mechanism, pairs, dry, moment.now(), sys.stdout, as_json=as_json)
    sys.exit(code)


@main.command("new-key")
@data_option
def new_key(data: Path) -> None:
    """Sign seals and receipts with a new key from now on.

    The key in use endorses the new one, and that is on record before anything is signed with it, so that old and
    new seals stay verifiable. The old private key is gone afterwards. Make a backup then: an older one brings the
    old key back.
    """
    with _standing(data):
        from fengsui import moment
        from fengsui.ledger import sealing
        from fengsui.ledger.seals import signing

        try:
            key = sealing.turn_over_key(moment.now())
        except signing.NoKey as error:
            raise Failure("notready", f"{error}.", "Run `fengsui up` once, then again.") from error
        click.echo(f"Key {key.key_id} signs from now on, public half {key.public.hex()}.")


@main.command()
@data_option
@click.option("--check", "check_only", is_flag=True, help="Compare what the entries say with the tables.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rebuild(data: Path, check_only: bool, as_json: bool) -> None:
    """Derive every case, clock and count from the entries alone.

    Nothing is written: the tables move only through the doors.
    """
    with _standing(data):
        from fengsui.ledger.rebuild import cli

        code = cli.main(check_only, as_json=as_json)
    sys.exit(code)


def _step(words: str) -> None:
    click.echo(f"  {words}", err=True)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@data_option
def backup(file: Path, data: Path) -> None:
    """Write the whole platform into one FILE, while it runs or not.

    Database, streams, the engine's snapshots, history, evidence and keys, with SHA-256 sums. The keys are in
    it: keep the file as safe as the platform.
    """
    from fengsui.services import backup as keeper

    size = keeper.backup(data, file, _step)
    click.echo(f"{file}: {size / 2**20:.1f} MiB")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@data_option
def restore(file: Path, data: Path) -> None:
    """Make the platform of a backup FILE in an empty folder.

    Every sum is compared before anything is written. Then run `fengsui verify` and `fengsui up`: the relay goes
    on from its position in the database.
    """
    from fengsui.services import backup as keeper

    keeper.restore(file, data, _step)
    click.echo(
        f"{data.absolute()} is complete. Prove it with `fengsui verify --data {data}`, start it with `fengsui up --data {data}`."
    )


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.option(
    "--data",
    type=_FOLDER,
    default=lambda: Path(os.environ.get("FENGSUI_DATA", "fengsui-data")),
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def manage(data: Path, words: tuple[str, ...]) -> None:
    """Run a Django command on the data folder, as the database's owner: `fengsui manage migrate`."""
    _django(data, owner=True)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["fengsui manage", *words])


if __name__ == "__main__":
    main()
