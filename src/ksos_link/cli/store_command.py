"""`ksos store`: look after the encrypted store."""

from pathlib import Path
from typing import Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import agree, ask_secret, can_ask, invocation
from ksos_link.errors import StoreError, UsageError

app = open_app("The encrypted store: check, backup, restore, keys.")


@app.command(epilog=epilog("ksos store info"))
def info(ctx: typer.Context, json: OneJson = False) -> None:
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
        render.print_table(("metric", "samples"), list(found.samples.items()))


@app.command(epilog=epilog("ksos store check"))
def check(ctx: typer.Context, json: OneJson = False) -> None:
    """Read every page and row of the store and say whether it is sound."""
    with invocation(ctx).open_store(create=False) as store:
        findings = store.check()
    if json:
        render.print_json({"sound": not findings, "findings": findings})
    else:
        for finding in findings or ["The store is sound."]:
            render.print_line(finding)
    if findings:
        raise StoreError("The store is damaged.", "Restore a backup: ksos store restore FILE")


@app.command(epilog=epilog("ksos store backup /media/stick/my.ksosbackup"))
def backup(
    ctx: typer.Context,
    target: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The file to write, or a folder; an older backup is replaced."
        ),
    ],
    json: OneJson = False,
) -> None:
    """Write an encrypted copy of the store to one file, with its own wrapped key.

    It opens on any machine with the passphrase or secret file of this run, not by a keyring.
    """
    from ksos_link.store.backups import backup as write_backup

    call = invocation(ctx)
    call.open_log("backup")
    with call.open_store(create=False) as store:
        written = write_backup(store, target, call.secrets())
    if json:
        render.print_json({"path": str(written), "size_bytes": written.stat().st_size})
        return
    render.print_line(f"The backup is written: {written}")


@app.command(epilog=epilog("ksos store restore /media/stick/my.ksosbackup"))
def restore(
    ctx: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="A backup that `ksos store backup` wrote.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of the store; it is verified first.

    On a terminal it asks before a store is replaced.
    """
    from ksos_link.store.backups import restore as restore_backup

    call = invocation(ctx)
    if not yes and can_ask() and call.home.store_file.exists():
        agree("Replace the store that is here by the backup?")
    call.open_log("restore", makes_home=True)
    restore_backup(call.home, source, call.secrets())
    render.print_line("The backup is restored.")


@app.command(epilog=epilog("ksos store rekey", "ksos store rekey --passphrase-only"))
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
    from ksos_link.store.backups import change_passphrase
    from ksos_link.store.backups import rekey as rekey_store
    from ksos_link.store.keys import SecretSource

    call = invocation(ctx)
    call.open_log("rekey")
    if passphrase_only:
        given = call.env.get("KSOS_NEW_PASSPHRASE", "")
        if not given and not can_ask():
            raise UsageError("There is no new passphrase.", "Set KSOS_NEW_PASSPHRASE.")
        new = SecretSource({"KSOS_PASSPHRASE": given}, ask=ask_secret, keyring=lambda: None)
        change_passphrase(call.home, call.secrets(), new)
        render.print_line("The passphrase is changed.")
        return
    rekey_store(call.home, call.secrets())
    render.print_line("The store is encrypted with a new key.")


@app.command(epilog=epilog("ksos store redecode"))
def redecode(ctx: typer.Context, json: OneJson = False) -> None:
    """Derive all samples again from the raw records, with the decoders of this version."""
    from ksos_link.operations.meaning import redecode as decode_again

    call = invocation(ctx)
    call.open_log("redecode")
    with call.open_store(create=False) as store:
        done = decode_again(store)
        counts = store.counts()
    if json:
        render.print_json(
            {"records": done.records, "unreadable": done.unreadable, "samples": counts}
        )
        return
    kept = f"; {done.unreadable} could not be and keep their samples" if done.unreadable else ""
    render.print_line(f"{render.counted(done.records, 'record')} decoded again{kept}.")
