"""`ksos share mail` and `ksos share file`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ksos_link.cli import render
from ksos_link.cli.command import JsonLines, MetricOption, OneJson, check_metrics
from ksos_link.cli.days import FirstDay, LastDay, day_from
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.passphrase import EncryptOption, sealing_from
from ksos_link.cli.share_options import (
    CaFile,
    FormatOption,
    KeepPassword,
    Show,
    User,
    password_of,
    path_or_none,
    print_result,
    show_path,
    source_for,
)
from ksos_link.config import path_from
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from ksos_link.operations.share_mail import MailServer, Security


def mail(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who gets the letter.")],
    form: FormatOption = "csv",
    metric: MetricOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    encrypt: EncryptOption = None,
    draft: Annotated[
        Path | None,
        typer.Option("--draft", metavar="FILE", help="Write the letter to a file; send nothing."),
    ] = None,
    show: Show = False,
    server: Annotated[
        str | None, typer.Option("--server", metavar="HOST", help="Your mail server.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=1, max=65_535, help="Else the usual one."),
    ] = None,
    security: Annotated[
        str, typer.Option("--security", metavar="KIND", help="starttls, tls, or none.")
    ] = "starttls",
    ca_file: CaFile = None,
    sender: Annotated[
        str | None,
        typer.Option("--sender", metavar="ADDRESS", help="Yours; else what --user says."),
    ] = None,
    user: User = None,
    keep_password: KeepPassword = False,
    json: OneJson = False,
) -> None:
    """Send files by mail, or write a letter for your mail program. Needs your consent."""
    from ksos_link.operations import share_files, share_mail
    from ksos_link.operations.exporting import format_named
    from ksos_link.operations.read_out import span_of_days
    from ksos_link.operations.share_consent import check_share, receiver_named

    call = invocation(ctx)
    receiver, known = receiver_named(f"mail:{address}"), format_named(form)
    sealing = sealing_from(call, encrypt or ())
    check_metrics(metric or ())
    span = span_of_days(day_from(first, "--from"), day_from(last, "--to"))
    if (draft is None) == (server is None):
        raise UsageError("Where to?", "Say --server HOST to send it, or --draft FILE to write it.")
    if server is not None and not (sender or user):
        raise UsageError("Who sends it?", "Say --sender you@example.org.")
    own = receiver_named(f"mail:{sender or user}").address if server or sender else ""
    kind = _security(security)
    if server is not None:
        share_mail.MailServer(server, port or share_mail.PORTS[kind], kind)  # before any question
    call.open_log("share")
    with call.store_if_any() as opened:
        check_share(opened, receiver)
    post, keep = _post(call, server, (kind, port, ca_file, user), keep_password=keep_password)
    with call.open_store(create=False) as store:
        consent = check_share(store, receiver)
        source = source_for(call, store, consent, span, metric)
        files = share_files.files_of(source, known, share_mail.MOST_BYTES, sealing)
        message = share_mail.letter(own, receiver.address, files)
        samples = sum(file.samples for file in files)
        if post is not None:
            share_mail.send_letter(store, consent, post, message, samples)
            keep()
        else:
            share_mail.write_draft(store, consent, message, samples, path_from(draft or ""))
    words = "The mail server has the letter." if post else "The letter is written, and not sent."
    facts: dict[str, object] = {"files": [file.name for file in files], "samples": samples}
    print_result(words, facts, json=json)
    if show and draft is not None:
        show_path(call, path_from(draft))


def _security(text: str) -> "Security":
    from ksos_link.operations.share_mail import Security

    try:
        return Security(text.lower())
    except ValueError as error:
        raise UsageError("There is no such security.", "Say starttls, tls or none.") from error


def _post(
    call: Invocation,
    host: str | None,
    options: "tuple[Security, int | None, Path | None, str | None]",
    *,
    keep_password: bool,
) -> "tuple[MailServer | None, Callable[[], None]]":
    """The mail server with its password, None for a draft; and what keeps the password."""
    from ksos_link.operations.share_consent import MAIL
    from ksos_link.operations.share_mail import PORTS, MailServer
    from ksos_link.operations.share_secrets import Login

    if host is None:
        return None, lambda: None
    kind, port, ca_file, user = options
    login = None if user is None else Login(MAIL, host.lower(), user)
    password, keep = password_of(call, login, keep=keep_password)
    chosen = port or PORTS[kind]
    return MailServer(host, chosen, kind, path_or_none(ca_file), user, password), keep


def file(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="One that is there.")],
    form: FormatOption = "csv",
    metric: MetricOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    encrypt: EncryptOption = None,
    show: Show = False,
    json: JsonLines = False,
) -> None:
    """Write files into a folder that others see, or that the desktop opens. Needs your consent.

    For a folder of your own, `ksos export` asks for none.
    """
    from ksos_link.operations import share_files
    from ksos_link.operations.exporting import format_named
    from ksos_link.operations.read_out import span_of_days
    from ksos_link.operations.share_consent import check_share, receiver_named

    call = invocation(ctx)
    receiver, known = receiver_named(f"file:{folder}"), format_named(form)
    sealing = sealing_from(call, encrypt or ())
    check_metrics(metric or ())
    span = span_of_days(day_from(first, "--from"), day_from(last, "--to"))
    call.open_log("share")
    with call.store_if_any() as opened:
        check_share(opened, receiver)
    place = Path(receiver.address)
    with call.open_store(create=False) as store:
        consent = check_share(store, receiver)
        source = source_for(call, store, consent, span, metric)
        for written in share_files.share_folder(store, consent, source, known, place, sealing):
            if written.left_out:
                render.note(f"note       {written.left_out}", quiet=call.quiet)
            elif json:
                path = None if written.path is None else str(written.path)
                render.print_json({"metric": written.metric, "rows": written.rows, "path": path})
            else:
                render.print_line(f"{written.path}: {render.counted(written.rows, 'sample')}")
    if show:
        show_path(call, place)
