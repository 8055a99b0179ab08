"""`ksos dial`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.dial_watch_verbs import add_watch_verbs
from ksos_link.cli.invocation import invocation
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.errors import PreflightError, UsageError

if TYPE_CHECKING:
    from firmware_protocol.dials import DialContents, DialLimits, DialObjection

app = open_app("Dials (watch faces): those of the watch; and files: look inside, check, build.")
add_watch_verbs(app)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A dial: .iwf or .iwf.lz.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
OneJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Screen = Annotated[
    str | None,
    typer.Option("--screen", metavar="WxH", help="The watch's screen in pixels, as 120x240."),
]
LargestKb = Annotated[
    int | None,
    typer.Option(
        "--largest-kb",
        metavar="KB",
        min=1,
        max=65535,
        help="The largest dial that the watch takes, expanded.",
    ),
]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="NAME", help="Let this objection pass; may be given again."),
]


@app.command(epilog=epilog("ksos dial info witch.iwf.lz", "ksos dial info witch.iwf --json"))
def info(file: File, json: OneJson = False) -> None:
    """Show what is in a dial: its files, pictures and sizes."""
    from ksos_link.operations.dial_file import open_dial_file

    dial = open_dial_file(file)
    contents = dial.contents()
    facts = _facts(file, dial.format.name, len(dial.data), contents)
    rows = [
        (entry.name, entry.kind, entry.size_bytes, _size(contents, entry.name), entry.encoding)
        for entry in contents.entries
    ]
    if json:
        keys = ("name", "kind", "size_bytes", "size", "encoding")
        files = [
            {key: value for key, value in zip(keys, row, strict=True) if value != ""}
            for row in rows
        ]
        render.print_json({**facts, "files": files, "remarks": contents.remarks})
        return
    render.print_facts({name.replace("_", " "): value for name, value in facts.items()})
    render.print_line()
    render.print_table(("file", "kind", "bytes", "pixels", "format"), rows)
    render.flush()
    for remark in contents.remarks:
        render.note(f"remark: {render.cell_text(remark)}")


def _facts(file: Path, form: str, size_bytes: int, contents: "DialContents") -> dict[str, object]:
    return {
        "file": str(file),
        "format": form,
        "title": contents.title,
        "width_px": contents.width_px or None,
        "height_px": contents.height_px or None,
        "file_bytes": size_bytes,
        "dial_bytes": contents.size_bytes,
        "block_bytes": contents.block_bytes,
    }


def _size(contents: "DialContents", name: str) -> str:
    picture = contents.pictures.get(name)
    return "" if picture is None else f"{picture.width_px}x{picture.height_px}"


@app.command(
    epilog=epilog(
        "ksos dial check witch.iwf.lz --screen 120x240 --largest-kb 284",
        "ksos dial check witch.iwf --accept gap --json",
    )
)
def check(
    file: File,
    screen: Screen = None,
    largest_kb: LargestKb = None,
    accept: Accept = None,
    json: OneJson = False,
) -> None:
    """Name everything that speaks against sending a dial; exit 7 if anything does."""
    from ksos_link.operations.dial_file import open_dial_file

    limits = _limits(screen, largest_kb)
    objections = open_dial_file(file).objections(limits, accept or ())
    if json:
        render.print_json({"file": str(file), "objections": _plain(objections)})
    elif not objections:
        render.print_line("Nothing speaks against it.")
    _refuse(objections, "Mend it, or let one pass with --accept NAME.", told=json)


@app.command(
    epilog=epilog(
        "ksos dial preview witch.iwf.lz --out witch.png",
        "ksos dial preview witch.iwf.lz --compose --out drawn.png",
    )
)
def preview(
    ctx: typer.Context,
    file: File,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The PNG to write.")],
    compose: Annotated[
        bool, typer.Option("--compose", help="Draw it by its layout, at 10:08.")
    ] = False,
    force: Force = False,
) -> None:
    """Write a picture of a dial: the one that it brings, or one drawn by its layout.

    What the watch itself draws, such as the mark of Bluetooth, is not in the file and is left out.
    """
    from ksos_link.operations import dial_file

    dial_file.check_target(out, force=force)
    made = dial_file.preview(dial_file.open_dial_file(file), compose=compose)
    dial_file.write_whole(out, made.png)
    for remark in made.remarks:
        render.note(render.cell_text(remark), quiet=invocation(ctx).quiet)
    size = f"{made.width_px}x{made.height_px} pixels"
    render.print_line(f"The picture is written: {render.cell_text(out)} ({size})")


@app.command(epilog=epilog("ksos dial unpack witch.iwf.lz --out witch"))
def unpack(
    file: File,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="The folder to write; it is made.")
    ],
    force: Force = False,
) -> None:
    """Write a dial's files into a folder: PNGs, its layout, and dial.json.

    `ksos dial build` makes the same dial of that folder again.
    """
    from ksos_link.operations.dial_file import open_dial_file
    from ksos_link.operations.dial_folder import unpack

    count = unpack(open_dial_file(file), out, force=force)
    render.print_line(f"{render.counted(count, 'file')} in {render.cell_text(out)}")


@app.command(
    epilog=epilog(
        "ksos dial build witch --out witch.iwf.lz --screen 120x240 --largest-kb 284",
        "ksos dial build witch --out witch.iwf",
    )
)
def build(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="PNGs, a layout, and perhaps dial.json.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The dial to write: .iwf or .iwf.lz.")
    ],
    screen: Screen = None,
    largest_kb: LargestKb = None,
    accept: Accept = None,
    block_bytes: Annotated[
        int | None,
        typer.Option(
            "--block-bytes",
            metavar="BYTES",
            min=1,
            max=65535,
            help="Of .iwf.lz: the block size that the watch tells. [default: 1024]",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Make a dial of a folder, compressed if the name ends in .lz; exit 7 on objections.

    A folder that `ksos dial unpack` wrote gives the same dial again. Without a dial.json the layout
    says which picture is what.
    """
    from ksos_link.operations.dial_folder import build

    built = build(
        folder,
        out,
        _limits(screen, largest_kb),
        accepted=accept or (),
        block_bytes=block_bytes,
        force=force,
    )
    for name in built.left_out:
        render.note(f"left out: {render.cell_text(name)}", quiet=invocation(ctx).quiet)
    _refuse(built.objections, "Nothing was written. Mend it, or let one pass with --accept NAME.")
    packed = "" if built.packed_bytes is None else f", compressed {built.packed_bytes}"
    render.print_line(
        f"The dial is written: {render.cell_text(out)} "
        f"({render.counted(built.files, 'file')}, {built.size_bytes} bytes{packed})"
    )


def _limits(screen: str | None, largest_kb: int | None) -> "DialLimits":
    from firmware_protocol.dials import DialLimits

    width_px = height_px = None
    if screen is not None:
        match = re.fullmatch(r"(\d{1,4})[xX](\d{1,4})", screen, re.ASCII)
        if match is None:
            raise UsageError("--screen is width and height in pixels.", "As in: --screen 120x240")
        width_px, height_px = int(match[1]), int(match[2])
    return DialLimits(width_px, height_px, None if largest_kb is None else 1024 * largest_kb)


def _plain(objections: "tuple[DialObjection, ...]") -> list[dict[str, str]]:
    return [{"name": one.name, "text": one.text} for one in objections]


def _refuse(objections: "tuple[DialObjection, ...]", hint: str, *, told: bool = False) -> None:
    """Fail with all objections; with `told` they stand in the result already."""
    if not objections:
        return
    if not told:
        print_wrapped_table(
            ("objection", "what it is"), [(one.name, one.text) for one in objections]
        )
    render.flush()
    count = render.counted(len(objections), "objection")
    raise PreflightError(f"There {'is' if len(objections) == 1 else 'are'} {count}.", hint)
