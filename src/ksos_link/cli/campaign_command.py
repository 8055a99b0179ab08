"""`ksos campaign`."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.campaign_events import Board, event_json, log_event
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.run import run as run_job
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.config import path_from
from ksos_link.errors import PreflightError
from ksos_link.operations.local_time import local_now

if TYPE_CHECKING:
    from ksos_link.operations.campaign.events import CampaignEvent
    from ksos_link.operations.campaign.model import CampaignFile
    from ksos_link.operations.campaign.outline import Outline, WatchRun
    from ksos_link.operations.campaign.steps import Workplace
    from ksos_link.store.campaigns import CampaignHead, CampaignWatch
    from ksos_link.store.database import Store

app = open_app("Many watches, many steps, one night, one report.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign, a TOML file.")]
ReportFolder = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FOLDER",
        help="Where the report goes; by default beside FILE, with the time in its name.",
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A Dask scheduler, tcp://HOST:PORT; its workers have the radios.",
        show_default=False,
    ),
]


@app.command(
    epilog=epilog("ksos campaign run night.toml", "ksos campaign run night.toml --dry-run")
)
def run(
    ctx: typer.Context,
    file: File,
    report: ReportFolder = None,
    scheduler: Scheduler = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which watches get what.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Give up what was interrupted, and begin again.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """Run a campaign to its end and write the report; exit 7 where not all passed.

    Its state is kept after every step. What was killed goes on with: ksos campaign resume FILE
    """
    from ksos_link.operations.campaign.file import read_campaign_file
    from ksos_link.operations.campaign.plan import find_watches
    from ksos_link.operations.campaign.runner import run_campaign

    call = invocation(ctx)
    campaign = read_campaign_file(path_from(file))
    if dry_run:
        with call.store_if_any() as store:
            watches = run_job(find_watches(campaign, store, call.link_options()))
        _print_plan(campaign, watches, json=json)
        return
    call.open_log("campaign", makes_home=True)

    async def events(store: "Store") -> "AsyncGenerator[CampaignEvent, None]":
        watches = await find_watches(campaign, store, call.link_options())
        async with _workplace(call, store, scheduler) as place:
            running = run_campaign(campaign, watches, store, place, local_now, anew=anew)
            async with contextlib.aclosing(running):
                async for event in running:
                    yield event

    with call.open_store() as store:
        _follow(call, store, campaign.path, events(store), report, json=json)


@app.command(epilog=epilog("ksos campaign resume night.toml"))
def resume(
    ctx: typer.Context,
    file: File,
    report: ReportFolder = None,
    scheduler: Scheduler = None,
    json: JsonLines = False,
) -> None:
    """Go on with a campaign that was killed, interrupted or stopped, at the step under way.

    A step that had ended is not run again. Refused where the campaign or a file that it sends is
    not what it was.
    """
    from ksos_link.operations.campaign.file import read_campaign_file
    from ksos_link.operations.campaign.runner import resume_campaign

    call = invocation(ctx)
    campaign = read_campaign_file(path_from(file))
    call.open_log("campaign")

    async def events(store: "Store") -> "AsyncGenerator[CampaignEvent, None]":
        async with _workplace(call, store, scheduler) as place:
            running = resume_campaign(campaign, store, place, local_now)
            async with contextlib.aclosing(running):
                async for event in running:
                    yield event

    with call.open_store(create=False) as store:
        _follow(call, store, campaign.path, events(store), report, json=json)


@app.command(
    epilog=epilog("ksos campaign status night.toml", "ksos campaign status night.toml --json")
)
def status(ctx: typer.Context, file: File, json: OneJson = False) -> None:
    """Show how a campaign stands, watch by watch; also while it runs."""
    from ksos_link.operations.campaign.report_json import report_object

    call = invocation(ctx)
    of = _outline(call, file)
    if json:
        render.print_json(report_object(of))
        return
    _print_outline(of)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in of.counts.items())
    render.note(f"{f'{of.head.state} ':<11}{of.head.title}: steps: {counts}", quiet=call.quiet)


@app.command(epilog=epilog("ksos campaign report night.toml --out night"))
def report(
    ctx: typer.Context,
    file: File,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where it goes; by default beside FILE, with the time in its name.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the report of a campaign's last run (again): report.json, junit.xml, report.html."""
    from ksos_link.operations.campaign.report import write_report

    of = _outline(invocation(ctx), file)
    for path in write_report(of, _folder(of.head, out)):
        render.print_line(str(path))


def _outline(call: Invocation, file: Path) -> "Outline":
    from ksos_link.operations.campaign.outline import outline

    with call.open_store(create=False) as store:
        return outline(store, path_from(file).resolve())


@contextlib.asynccontextmanager
async def _workplace(
    call: Invocation, store: "Store", scheduler: str | None
) -> "AsyncGenerator[Workplace, None]":
    """Where steps are done: here, or on the workers of a scheduler."""
    from ksos_link.operations.campaign.doer import WatchDoer
    from ksos_link.operations.campaign.steps import Here

    if scheduler is None:
        yield Here(WatchDoer(lambda: contextlib.nullcontext(store), call.link_options(), store))
        return
    from ksos_link.operations.campaign.scheduler import open_workers

    async with open_workers(scheduler, call.timeout_s) as workers:
        yield workers


def _follow(
    call: Invocation,
    store: "Store",
    path: Path,
    events: "AsyncGenerator[CampaignEvent, None]",
    folder: Path | None,
    *,
    json: bool,
) -> None:
    """Show a run to its end; whatever the end is, the report is written.

    Raises:
        PreflightError: not everything passed.
        StoreError: the report cannot be written.
        KeyboardInterrupt: Ctrl-C, or nobody reads on; the report says how far it got.
    """
    try:
        run_job(_show(call, events, json=json))
    except (KeyboardInterrupt, BrokenPipeError) as error:
        _write(call, store, path, folder)
        render.note("goes on    ksos campaign resume FILE", quiet=call.quiet)
        raise KeyboardInterrupt from error
    of = _write(call, store, path, folder)
    if not json:
        _print_outline(of)
        render.flush()
    if not of.all_passed:
        failed = sum(run.verdict != "passed" for run in of.watches)
        many = render.counted(len(of.watches), "watch", "watches")
        raise PreflightError(
            f"{failed} of {many} did not pass everything.",
            "The report says what failed and why: ksos campaign status FILE",
        )


async def _show(
    call: Invocation, events: "AsyncGenerator[CampaignEvent, None]", *, json: bool
) -> None:
    with Board(quiet=call.quiet or json) as board:
        async with contextlib.aclosing(events):
            async for event in events:
                log_event(event, call)
                if json:
                    render.print_json(event_json(event))
                    render.flush()
                else:
                    board.show(event)


def _write(call: Invocation, store: "Store", path: Path, folder: Path | None) -> "Outline":
    from ksos_link.operations.campaign.outline import outline
    from ksos_link.operations.campaign.report import write_report

    of = outline(store, path)
    written = write_report(of, _folder(of.head, folder))
    render.note(f"report     {written[0].parent}", quiet=call.quiet)
    return of


def _folder(head: "CampaignHead", named: Path | None) -> Path:
    """The folder of a report: one for each run, unless it was named."""
    if named is not None:
        return path_from(named)
    path = Path(head.path)
    began = datetime.fromtimestamp(head.began_utc_s, UTC).astimezone()
    return path.with_name(f"{path.stem}-report-{began:%Y-%m-%d-%H%M%S}")


def _print_plan(campaign: "CampaignFile", watches: "list[CampaignWatch]", *, json: bool) -> None:
    planned = [
        (watch, [step.label for step in campaign.steps if step.kept.is_for(watch)])
        for watch in watches
    ]
    if json:
        for watch, steps in planned:
            facts = {"watch": watch.name, "address": watch.address, "radio": watch.radio or None}
            render.print_json({"event": "planned", **facts, "steps": steps})
        return
    rows = [(watch.name, watch.address, watch.radio, ", ".join(steps)) for watch, steps in planned]
    print_wrapped_table(("watch", "address", "radio", "steps"), rows)


def _print_outline(of: "Outline") -> None:
    columns = ("watch", "verdict", "passed", "step", "message")
    print_wrapped_table(columns, [_row(run) for run in of.watches])


def _row(run: "WatchRun") -> tuple[str, str, str, str, str]:
    """A watch: how many steps passed, and the first that did not, with the reason."""
    passed = sum(step.verdict == "passed" for step in run.steps)
    open_step = next((step for step in run.steps if step.verdict != "passed"), None)
    message = open_step.last.message if open_step and open_step.last else ""
    label = open_step.label if open_step else ""
    return run.watch.name, run.verdict, f"{passed} of {len(run.steps)}", label, message
