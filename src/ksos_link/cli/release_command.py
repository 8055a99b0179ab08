"""`ksos release`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ksos_link.cli import render
from ksos_link.cli.command import epilog, open_app
from ksos_link.cli.invocation import ask_secret, can_ask, invocation
from ksos_link.cli.wrapped_table import print_wrapped_table
from ksos_link.errors import PreflightError, UsageError

if TYPE_CHECKING:
    from firmware_protocol.images import Check
    from ksos_link.cli.invocation import Invocation
    from ksos_link.operations.release import Listed, OpenedRelease
    from ksos_link.operations.release_manifest import Channel, Release

app = open_app("Releases: manifests of firmware and dials, signed, verified, and in which order.")

_PASSPHRASE: Final = "KSOS_RELEASE_PASSPHRASE"  # noqa: S105 a name
_SHORT_FINGERPRINT: Final = 16  # digits; enough to tell a team's keys apart

Manifest = Annotated[Path, typer.Argument(metavar="MANIFEST", help="A manifest: .toml or .json.")]
OneJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command(epilog=epilog("ksos release key release.pem"))
def key(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The private key to write; the public is FILE.pub."),
    ],
    json: OneJson = False,
) -> None:
    """Make a pair of Ed25519 keys; nothing is ever overwritten.

    The private key is encrypted with KSOS_RELEASE_PASSPHRASE or, on a terminal, with what you type.
    """
    from ksos_link.operations.release_keys import make_pair

    call = invocation(ctx)
    passphrase = _new_passphrase(call)
    made = make_pair(file, passphrase)
    told = {
        "private_key": str(file),
        "public_key": str(made.path),
        "fingerprint": made.fingerprint,
        "encrypted": bool(passphrase),
    }
    if json:
        render.print_json(told)
    else:
        render.print_facts({name.replace("_", " "): value for name, value in told.items()})
    render.flush()
    if not passphrase:
        render.note(
            "The private key is not encrypted: keep it where others cannot read.", quiet=call.quiet
        )


@app.command(epilog=epilog("ksos release sign watch-1.2.toml --key release.pem"))
def sign(
    ctx: typer.Context,
    manifest: Manifest,
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="Your private key, Ed25519 as PEM.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace the signature that is there.")
    ] = False,
    json: OneJson = False,
) -> None:
    """Sign a manifest whose files lie beside it; the signature is MANIFEST.sig.

    Its files are checked first: what would not verify is not signed, exit 7.
    """
    from ksos_link.operations.release import sign_release
    from ksos_link.operations.release_keys import read_private_key

    call = invocation(ctx)
    private = read_private_key(key, lambda: _passphrase(call))
    written = sign_release(manifest, private, force=force)
    if json:
        render.print_json({"manifest": str(manifest), "signature": str(written)})
        return
    render.print_line(f"The signature is written: {render.cell_text(written)}")


@app.command(epilog=epilog("ksos release verify watch-1.2.toml --public-key release.pem.pub"))
def verify(
    ctx: typer.Context,
    manifest: Manifest,
    public_key: Annotated[
        Path,
        typer.Option("--public-key", metavar="FILE", help="The key of who signs, as PEM."),
    ],
    json: OneJson = False,
) -> None:
    """Verify a release: its signature, then size, digest and content of each file.

    Exit 7 with the names of all objections.
    """
    from ksos_link.operations.release import check_release, open_release
    from ksos_link.operations.release_keys import read_release_key

    opened = open_release(manifest, [read_release_key(public_key)])
    checks = check_release(opened)
    names = _objection_names(checks)
    if json:
        made = [
            {"check": each.name, "part": each.part, "result": each.result, "text": each.text}
            for each in checks
        ]
        head = {"manifest": str(manifest), **_release_json(opened)}
        render.print_json({**head, "sound": not names, "objections": names, "checks": made})
    else:
        rows = [(each.name, each.part, each.result.value, each.text) for each in checks]
        print_wrapped_table(("check", "part", "result", "what was found"), rows)
    render.flush()
    if names:
        raise PreflightError(
            f"{render.counted(len(names), 'objection')}: {', '.join(names)}.",
            "Do not install it: get it anew from who made it.",
        )
    counts = Counter(each.result.value for each in checks)
    told = ", ".join(f"{count} {result}" for result, count in counts.items())
    render.note(f"Nothing speaks against it: {told}.", quiet=invocation(ctx).quiet)


@app.command(
    name="list",
    epilog=epilog(
        "ksos release list releases --public-key release.pem.pub",
        "ksos release list releases --product 7890 --installed 1.9 --json",
    ),
)
def list_(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of manifests.")],
    product: Annotated[
        str | None,
        typer.Option(
            "--product", metavar="NAME", help="Only those for this product or model code."
        ),
    ] = None,
    installed: Annotated[
        str | None,
        typer.Option(
            "--installed",
            metavar="VERSION",
            help="Show what to install over this firmware, in order.",
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            metavar="CHANNEL",
            help="formal, public (takes formal too) or internal (takes all). "
            "[default: all, formal with --installed]",
        ),
    ] = None,
    public_key: Annotated[
        list[str] | None,
        typer.Option(
            "--public-key",
            metavar="FILE",
            help="Verify signatures, refuse others; may be given again.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List a folder's releases, or with --installed those to install one after the other.

    Each forced one is a step; of optional ones the last, and one that the next step needs. What is
    broken is listed with its problem.
    """
    from ksos_link.operations.release import is_for, list_releases
    from ksos_link.operations.release_keys import read_release_key
    from ksos_link.operations.release_manifest import Channel

    if channel is not None and channel not in set(Channel):
        raise UsageError(f"There is no channel {channel[:40]!r}.", f"Choose: {', '.join(Channel)}.")
    keys = [read_release_key(Path(path)) for path in public_key or ()]
    listed = [
        each
        for each in list_releases(folder, keys)
        if product is None or each.opened is None or is_for(each.opened.release, product)
    ]
    if installed is not None:
        wanted = Channel(channel or Channel.FORMAL)
        _show_way(listed, installed, wanted, json=json, quiet=invocation(ctx).quiet)
        return
    if channel is not None:
        wanted = Channel(channel)
        listed = [
            each
            for each in listed
            if each.opened is None or wanted.takes(each.opened.release.channel)
        ]
    _show(listed, json=json)


def _show(listed: "Sequence[Listed]", *, json: bool) -> None:
    if json:
        for each in listed:
            render.print_json(_listed_json(each))
        return
    columns = ("manifest", "kind", "for", "version", "channel", "status", "forced", "signed by")
    rows = [(*_row(each.path.name, each.opened), each.problem) for each in listed]
    print_wrapped_table((*columns, "problem"), rows)


def _row(name: str, opened: "OpenedRelease | None") -> tuple[object, ...]:
    if opened is None:
        return (name, *[""] * 7)
    told = opened.release
    return (
        *(name, told.kind, told.watches, told.version, told.channel, told.status, told.forced),
        _signer(opened),
    )


def _show_way(
    listed: "Sequence[Listed]", installed: str, channel: "Channel", *, json: bool, quiet: bool
) -> None:
    """The steps in order; what is broken or out of reach is told beside them."""
    from firmware_protocol.errors import DecodeError
    from firmware_protocol.versions import Version
    from ksos_link.operations.release import Listed, way_to_newest

    try:
        version = Version.parse(installed)
    except DecodeError as error:
        raise UsageError(f"--installed: {error}.", "Versions are compared as numbers.") from error
    way = way_to_newest(listed, version, channel)
    steps = [offer.release for offer in way.steps]
    left_out = [
        Listed(opened.path, opened, _out_of_reach(opened.release))
        for opened in (offer.release for offer in way.unreached)
    ]
    left_out += [each for each in listed if each.problem]
    if json:
        for number, opened in enumerate(steps, start=1):
            render.print_json({"step": number, **_listed_json(Listed(opened.path, opened))})
        for each in left_out:
            render.print_json({"step": None, **_listed_json(each)})
        return
    columns = ("step", "manifest", "version", "channel", "forced", "signed by")
    rows = [
        (number, opened.path.name, told.version, told.channel, told.forced, _signer(opened))
        for number, opened in enumerate(steps, start=1)
        if (told := opened.release)
    ]
    print_wrapped_table(columns, rows)
    render.flush()
    for each in left_out:
        told_why = f"{render.cell_text(each.path.name)}: {render.cell_text(each.problem)}"
        render.note(f"left out: {told_why}", quiet=quiet)


def _out_of_reach(release: "Release") -> str:
    """Why no step leads to a newer version."""
    if release.from_versions.any:
        return f"{release.version} comes after one that is out of reach"
    return f"{release.version} is out of reach: it installs over {release.from_versions}"


def _signer(opened: "OpenedRelease") -> str:
    if opened.signed_by is None:
        return opened.signature.value
    return f"{opened.signed_by.path.name} {opened.signed_by.fingerprint[:_SHORT_FINGERPRINT]}"


def _listed_json(listed: "Listed") -> dict[str, object]:
    told = {} if listed.opened is None else _release_json(listed.opened)
    problem = {"problem": listed.problem} if listed.problem else {}
    return {"manifest": listed.path.name, **told, **problem}


def _release_json(opened: "OpenedRelease") -> dict[str, object]:
    """What a manifest says, and of its signature; what it does not say is left out."""
    told = opened.release
    region = told.region
    facts = {
        "product": told.product or None,
        "model_code": told.model_code,
        "kind": told.kind,
        "version": str(told.version),
        "from_versions": None if told.from_versions.any else str(told.from_versions),
        "channel": told.channel,
        "status": told.status,
        "forced": told.forced,
        "region": None
        if region is None
        else {"allow" if region.allows else "bar": sorted(region.countries)},
        "minimum_battery_pct": told.minimum_battery_pct,
        "files": [
            {"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256}
            | ({"transport": file.transport} if file.transport else {})
            for file in told.files
        ],
        "notes": told.notes or None,
        "signature": opened.signature,
        "signed_by": opened.signed_by and opened.signed_by.fingerprint,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _objection_names(checks: "Sequence[Check]") -> list[str]:
    """Each name once, in the order of the checks."""
    from firmware_protocol.images import Result

    return list(dict.fromkeys(each.name for each in checks if each.result is Result.FAILED))


def _passphrase(call: "Invocation") -> bytes:
    """The passphrase of a private key that is encrypted.

    Raises:
        UsageError: there is none, and nobody to ask.
    """
    given = call.env.get(_PASSPHRASE, "")
    if not given and can_ask():
        given = ask_secret("Passphrase of the private key:")
    if not given:
        raise UsageError("The private key is encrypted.", f"Set {_PASSPHRASE}.")
    return _as_bytes(given)


def _new_passphrase(call: "Invocation") -> bytes:
    """What a new key is encrypted with; nothing where nobody gave any."""
    given = call.env.get(_PASSPHRASE, "")
    if not given and can_ask():
        given = ask_secret("New passphrase of the private key (empty for none):")
        if given and ask_secret("The same once more:") != given:
            raise UsageError("The two passphrases differ.", "Nothing was written; try again.")
    return _as_bytes(given)


def _as_bytes(passphrase: str) -> bytes:
    from ksos_link.store.key_file import passphrase_bytes

    return passphrase_bytes(passphrase)
