"""`ksos firmware`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.firmware_watch_verbs import add_watch_verbs
from ksos_link.cli.invocation import invocation
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.errors import PreflightError

if TYPE_CHECKING:
    from firmware_protocol.images import Check, ImagePart
    from ksos_link.operations.firmware_file import FirmwareFile

app = open_app("Firmware: look into files, write it to a watch, finish and verify that.")

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A firmware file of any kind: .zip, .bin, .fw, .img."),
]


@app.command(epilog=epilog("ksos firmware info app.zip", "ksos firmware info 845.fw --json"))
def info(ctx: typer.Context, file: File, json: OneJson = False) -> None:
    """Show what a firmware file is: its format and transport, and each part of it.

    Nothing is sent anywhere. What is wrong with it: ksos firmware check.
    """
    from ksos_link.operations.firmware_file import open_firmware_file

    firmware = open_firmware_file(file)
    names = _objection_names(firmware)
    if json:
        parts = [_part_json(part) for part in firmware.info.parts]
        render.print_json(
            {**_head(firmware), "facts": firmware.info.facts, "parts": parts, "objections": names}
        )
    else:
        _print_facts({**_head(firmware), **firmware.info.facts})
        for part in firmware.info.parts:
            render.print_line()
            _print_facts(_part_facts(part))
    render.flush()
    if names:
        said = f"{render.counted(len(names), 'objection')}; see: ksos firmware check FILE"
        render.note(said, quiet=invocation(ctx).quiet)


@app.command(
    epilog=epilog(
        "ksos firmware check app.zip --public-key release.pem", "ksos firmware check 845.fw --json"
    )
)
def check(
    ctx: typer.Context,
    file: File,
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key",
            metavar="FILE",
            help="A PEM file; verify signatures, and object where there is none.",
        ),
    ] = None,
    json: OneJson = False,
) -> None:
    """Check a firmware file without a watch; exit 7 with the names of all objections.

    Lengths, sums, digests, the sizes and kinds that its parts claim, and signatures.
    """
    from ksos_link.operations.firmware_file import open_firmware_file

    firmware = open_firmware_file(file, public_key)
    checks = firmware.info.checks
    names = _objection_names(firmware)
    if json:
        made = [_check_json(each) for each in checks]
        render.print_json(
            {**_head(firmware), "sound": not names, "objections": names, "checks": made}
        )
    else:
        rows = [(each.name, each.part, each.result.value, each.text) for each in checks]
        print_wrapped_table(("check", "part", "result", "what was found"), rows)
    render.flush()
    if names:
        hint = "The checks above say what each one found; get the file anew from who made it."
        if firmware.info.refusal:
            hint = "ksos cannot send such a file; use its maker's own program."
        raise PreflightError(
            f"{render.counted(len(names), 'objection')}: {', '.join(names)}.", hint
        )
    counts = Counter(each.result.value for each in checks)
    told = ", ".join(f"{count} {result}" for result, count in counts.items())
    render.note(f"Nothing speaks against it: {told}.", quiet=invocation(ctx).quiet)


def _head(firmware: "FirmwareFile") -> dict[str, object]:
    """What both commands say of the file; what it does not have is left out."""
    info = firmware.info
    head = {
        "file": str(firmware.path),
        "size_bytes": firmware.size_bytes,
        "sha256": firmware.sha256,
        "format": info.format,
        "transport": info.transport or None,
        "refusal": info.refusal or None,
        "sidecar": firmware.sidecar and str(firmware.sidecar),
    }
    return {name: value for name, value in head.items() if value is not None}


def _objection_names(firmware: "FirmwareFile") -> list[str]:
    """Each name once, in the order of the checks."""
    return list(dict.fromkeys(each.name for each in firmware.objections))


def _part_json(part: "ImagePart") -> dict[str, object]:
    return {
        "name": part.name,
        "kind": part.kind,
        "size_bytes": part.size_bytes,
        "head_bytes": len(part.head),
        "version": part.version,
        "digests": part.digests,
        "facts": part.facts,
    }


def _part_facts(part: "ImagePart") -> dict[str, object]:
    head = {
        "part": part.kind,
        "name": part.name,
        "size_bytes": part.size_bytes,
        "init_packet_bytes": len(part.head) or None,
        "version": part.version,
    }
    known = {name: value for name, value in head.items() if value is not None}
    return {**known, **part.digests, **part.facts}


def _check_json(made: "Check") -> dict[str, object]:
    return {"check": made.name, "part": made.part, "result": made.result, "text": made.text}


def _print_facts(facts: Mapping[str, object]) -> None:
    render.print_facts(dict(_lines(facts)))


def _lines(facts: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Names with spaces; what is inside another fact gets its name in front."""
    for name, value in facts.items():
        words = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _lines(value, f"{words} ")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, each in enumerate(value, start=1):
                texts = (f"{key.replace('_', ' ')} {one}" for key, one in each.items())
                yield f"{words} {number}", ", ".join(texts)
        elif value not in ([], None, ""):
            yield words, value


add_watch_verbs(app)
