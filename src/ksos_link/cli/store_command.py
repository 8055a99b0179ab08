"""`ksos store`: look after the encrypted store."""

from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.invocation import invocation
from ksos_link.errors import StoreError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="The encrypted store.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def info(ctx: typer.Context, json: Json = False) -> None:
    """Say where the store lies, how large it is and what it holds."""
    with invocation(ctx).open_store(create=False) as store:
        found = store.info()
    facts = {
        "path": str(found.path),
        "size_bytes": found.size_bytes,
        "schema_version": found.schema_version,
        "cipher_version": found.cipher_version,
        "key_holder": found.key_holder.value,
        "devices": found.devices,
        "raw_records": found.raw_records,
    }
    if json:
        render.print_json({**facts, "samples": found.samples})
        return
    render.print_facts(facts)
    if found.samples:
        render.print_line()
        render.print_table(("metric", "samples"), sorted(found.samples.items()))


@app.command()
def check(ctx: typer.Context) -> None:
    """Read every page and row of the store and say whether it is sound."""
    with invocation(ctx).open_store(create=False) as store:
        findings = store.check()
    for finding in findings:
        render.print_line(finding)
    if findings:
        raise StoreError("The store is damaged.", "Restore a backup: ksos store restore FILE")
    render.print_line("The store is sound.")


@app.command()
def backup(
    ctx: typer.Context,
    target: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
) -> None:
    """Write an encrypted copy of the store to one file, with its own wrapped key."""
    from ksos_link.store.backups import backup as write_backup

    call = invocation(ctx)
    with call.open_store(create=False) as store:
        written = write_backup(store, target, call.secrets())
    render.print_line(f"The backup is written: {written}")


@app.command()
def restore(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="A backup that `ksos store backup` wrote.")],
) -> None:
    """Put a backup in the place of the store; it is verified first."""
    from ksos_link.store.backups import restore as restore_backup

    call = invocation(ctx)
    restore_backup(call.home, source, call.secrets())
    render.print_line("The backup is restored.")


@app.command()
def rekey(
    ctx: typer.Context,
    passphrase_only: Annotated[
        bool,
        typer.Option(
            "--passphrase-only",
            help="Change only the passphrase (KSOS_NEW_PASSPHRASE or asked for).",
        ),
    ] = False,
) -> None:
    """Encrypt the store anew with a new random key, or change the passphrase alone."""
    from ksos_link.cli.invocation import ask_secret, can_ask
    from ksos_link.store.backups import change_passphrase
    from ksos_link.store.backups import rekey as rekey_store
    from ksos_link.store.keys import SecretSource

    call = invocation(ctx)
    if passphrase_only:
        env = {"KSOS_PASSPHRASE": call.env.get("KSOS_NEW_PASSPHRASE", "")}
        new = SecretSource(env, ask=ask_secret if can_ask() else None, keyring=lambda: None)
        change_passphrase(call.home, call.secrets(), new)
        render.print_line("The passphrase is changed.")
        return
    rekey_store(call.home, call.secrets())
    render.print_line("The store is encrypted with a new key.")


@app.command()
def redecode(ctx: typer.Context, json: Json = False) -> None:
    """Derive all samples again from the raw records, with the decoders of this version."""
    from ksos_link.operations.meaning import redecode as decode_again

    with invocation(ctx).open_store(create=False) as store:
        done = decode_again(store)
        counts = store.counts()
    if json:
        render.print_json(
            {"records": done.records, "unreadable": done.unreadable, "samples": counts}
        )
        return
    render.print_line(
        f"{done.records} records were read again; {done.unreadable} kept as they were."
    )
