"""`ksos virtual`: a virtual watch for tests and development."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.run import run
from ksos_link.operations.local_time import local_now

app = open_app("A virtual watch for tests and development.")


@app.command(
    name="run",
    epilog=epilog(
        "ksos virtual run 'virtual:ido?scenario=runner' --listen tcp:127.0.0.1:9000",
        "ksos watch pair virtual:tcp:127.0.0.1:9000    (in another terminal)",
    ),
)
def run_watch(
    ctx: typer.Context,
    watch: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WATCH]...",
            help="virtual:ido, with ?scenario=, &fault= and more; several share a radio.",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            metavar="tcp:HOST:PORT", help="Where the radio is served; port 0 for a free one."
        ),
    ] = "tcp:127.0.0.1:0",
    interval_ms: Annotated[
        float,
        typer.Option(
            "--interval-ms",
            metavar="MS",
            min=0,
            max=4000,
            help="Connection interval of the radio; 0 is no wait.",
        ),
    ] = 30.0,
    json: JsonLines = False,
) -> None:
    """Run virtual watches until Ctrl-C; others reach them as virtual:tcp:127.0.0.1:PORT.

    Of several, each is reached as virtual:tcp:127.0.0.1:PORT/ADDRESS. You are the first one's
    wearer: on a terminal by single keys (? lists them), in a pipe by one gesture a
    line. What it shows is told as it appears, and what is set stays as long as it runs.
    """
    from ksos_link.cli.keyboard import KEYS, gestures_from_stdin
    from ksos_link.operations.virtual import Onlooker, serve

    call = invocation(ctx)
    call.open_log("virtual", keeps=False)

    def up(address: str) -> None:
        if json:
            render.print_json({"event": "up", "address": address})
        else:
            render.print_line(address)
        render.flush()
        render.note("The virtual watch is up; stop it with Ctrl-C.", quiet=call.quiet)
        if sys.stdin is not None and sys.stdin.isatty():
            render.note(key_map(KEYS), quiet=call.quiet)

    def shown(text: str) -> None:
        if json:
            render.print_json({"event": "shown", "text": text})
            render.flush()
        else:
            render.note(f"shown      {render.cell_text(text)}", quiet=call.quiet)

    def puzzled(text: str) -> None:
        render.note(f"no gesture {text}")

    onlooker = Onlooker(up, shown, puzzled)
    gestures = gestures_from_stdin(lambda: render.note(key_map(KEYS)))
    watches = watch or ["virtual:ido"]
    run(serve(watches, listen, onlooker, gestures, interval_s=interval_ms / 1000, now=local_now))


def key_map(keys: Mapping[str, str]) -> str:
    """The keys as a person reads them."""
    return "keys       " + "  ".join(f"{key} {name}" for key, name in keys.items())


@app.command(name="list", epilog=epilog("ksos virtual list"))
def list_scenarios(
    gestures: Annotated[
        bool, typer.Option("--gestures", help="List what its wearer can do, for ?do=NAME@SECONDS.")
    ] = False,
    json: JsonLines = False,
) -> None:
    """List the scenarios that a virtual watch can play, for ?scenario=NAME."""
    from ksos_link.operations.virtual import gesture_names, scenario_lines

    if gestures:
        for name in gesture_names("ido"):
            if json:
                render.print_json({"gesture": name})
            else:
                render.print_line(name)
        return
    lines = scenario_lines()
    if json:
        for name, title in lines:
            render.print_json({"scenario": name, "title": title})
        return
    render.print_table(("scenario", "title"), lines)


@app.command(
    epilog=epilog(
        "ksos virtual image nordic-secure --firmware 9 app.zip",
        "ksos virtual image mcuboot --firmware 9 app.bin --public-key app.pem",
    )
)
def image(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="nordic-secure, nordic-legacy, mcuboot, realtek-bee2, ido-fw or actions-aota.",
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    firmware: Annotated[
        int,
        typer.Option(
            "--firmware",
            metavar="N",
            min=0,
            max=255,
            help="The version that a virtual watch has once it runs this.",
        ),
    ],
    size_kb: Annotated[
        int,
        typer.Option(
            "--size-kb",
            metavar="KB",
            min=2,
            max=16384,
            help="What goes to the watch, in units of 1024 bytes.",
        ),
    ] = 64,
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            metavar="N",
            min=0,
            max=2**32 - 1,
            help="Decides the bytes behind the head.",
        ),
    ] = 0,
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key", metavar="FILE", help="Also write the key that verifies it, as PEM."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Write a made-up firmware file that virtual watches take and no real watch would start."""
    from ksos_link.operations.virtual import write_sample_image

    size_bytes = write_sample_image(
        kind,
        out,
        version=firmware,
        size_bytes=size_kb * 1024,
        seed=seed,
        public_key=public_key,
        force=force,
    )
    render.print_line(f"The image is written: {render.cell_text(out)} ({size_bytes} bytes)")
