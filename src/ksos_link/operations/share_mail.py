"""Files by mail: to the person's own mail server, or as a draft for their mail program."""

import contextlib
import smtplib
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import Enum
from pathlib import Path
from typing import Final

from ksos_link.errors import KsosError, NotFoundError, RefusedError, UsageError
from ksos_link.export.target import open_binary_target
from ksos_link.operations.local_time import local_now
from ksos_link.operations.share_consent import is_loopback
from ksos_link.operations.share_files import SharedFile
from ksos_link.operations.share_ledger import BEGUN, DRAFTED, REFUSED, SENT, UNKNOWN
from ksos_link.operations.share_tls import tls_context
from ksos_link.store.database import Store
from ksos_link.store.sharing import ShareConsent

MOST_BYTES: Final = 15 * 1024 * 1024  # 20 MB as letters write them: what most servers take
SUBJECT: Final = "Files from ksos"
_BODY: Final = (
    "The wearer of the watch chose to send these files:\n\n{files}\n\n"
    "They are readings of a wearable, no diagnosis. Made with ksos-link.\n"
)
_WAIT_S: Final = 30.0
_LONGEST_S: Final = 300.0


class Security(Enum):
    """How the connection is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


PORTS: Final = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where and how. Without encryption only this machine is spoken to (K110)."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = None

    def __post_init__(self) -> None:
        """Check that nothing passes a network as it is.

        Raises:
            UsageError: it would.
        """
        if self.security is Security.NONE and not is_loopback(self.host):
            raise UsageError(
                "Files and passwords pass no network unencrypted.",
                "Choose --security starttls or tls.",
            )


def letter(sender: str, recipient: str, files: Sequence[SharedFile]) -> EmailMessage:
    """A letter with the files. Its head, which is never encrypted, tells nothing of them."""
    message = EmailMessage(policy=SMTP)
    if sender:  # a draft gets it from the mail program
        message["From"] = sender
    message["To"] = recipient
    message["Subject"] = SUBJECT
    message["Date"] = format_datetime(local_now())
    # without the name of this machine, which the usual one has
    message["Message-ID"] = f"<{uuid.uuid4()}@{(sender or recipient).rpartition('@')[2]}>"
    message.set_content(_BODY.format(files="\n".join(f"- {file.name}" for file in files)))
    for file in files:
        message.add_attachment(
            file.content, maintype="application", subtype="octet-stream", filename=file.name
        )
    return message


def write_draft(
    store: Store, consent: ShareConsent, message: EmailMessage, samples: int, out: Path
) -> None:
    """Write a letter to a file that mail programs open as one to be sent.

    Raises:
        NotFoundError, UsageError, StoreError: it cannot be written; nothing is left.
    """
    message["X-Unsent"] = "1"
    item = str(message["Message-ID"])
    number = store.begin_share(consent.receiver, consent.data, item, int(time.time()), BEGUN)
    outcome = REFUSED
    try:
        with open_binary_target(out) as file:
            file.write(message.as_bytes())
        outcome = DRAFTED
    finally:
        store.end_share(number, outcome, samples if outcome == DRAFTED else 0)


def send_letter(
    store: Store, consent: ShareConsent, server: MailServer, message: EmailMessage, samples: int
) -> None:
    """Hand a letter to a mail server, with a line in the ledger before and after.

    Raises:
        RefusedError: the server takes no login, sender, recipient or letter; nothing was sent.
        NotFoundError: it is out of reach, or broke off; where nobody can know whether it has the
            letter, that is said.
    """
    item = str(message["Message-ID"])
    number = store.begin_share(consent.receiver, consent.data, item, int(time.time()), BEGUN)
    outcome = REFUSED
    try:
        with _session(server) as smtp:
            _envelope(smtp, message)
            outcome = UNKNOWN  # from here on the server may have it
            code, _ = smtp.data(message.as_bytes())
            if code != 250:
                outcome = REFUSED
                raise RefusedError("The mail server did not take the letter.", "Nothing was sent.")
            outcome = SENT
    except (OSError, smtplib.SMTPException) as error:
        if outcome != SENT:  # a farewell that fails changes nothing
            raise _failure(error, in_doubt=outcome == UNKNOWN) from error
    finally:
        store.end_share(number, outcome, samples if outcome in (SENT, UNKNOWN) else 0)


@contextlib.contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted, logged in, and ends in its time."""
    own_name = "localhost"  # the name of this machine is nobody's business
    tls = None if server.security is Security.NONE else tls_context(server.ca_file)
    smtp: smtplib.SMTP
    if tls is not None and server.security is Security.TLS:
        smtp = smtplib.SMTP_SSL(server.host, server.port, own_name, timeout=_WAIT_S, context=tls)
    else:
        smtp = smtplib.SMTP(server.host, server.port, own_name, timeout=_WAIT_S)
    with smtp, _deadline(smtp):
        if tls is not None and server.security is Security.STARTTLS:
            smtp.starttls(context=tls)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
        yield smtp


@contextlib.contextmanager
def _deadline(smtp: smtplib.SMTP) -> Iterator[None]:
    """A server that says a little now and then is not waited for without end."""

    def end() -> None:
        with contextlib.suppress(OSError, AttributeError):
            smtp.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # it may be closed

    timer = threading.Timer(_LONGEST_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _envelope(smtp: smtplib.SMTP, message: EmailMessage) -> None:
    smtp.ehlo_or_helo_if_needed()
    room = smtp.esmtp_features.get("size", "")
    size = len(message.as_bytes())
    if room.isdecimal() and 0 < int(room) < size:
        raise RefusedError(
            "The letter is larger than the mail server takes; nothing was sent.",
            "Choose fewer days or data.",
        )
    if smtp.mail(str(message["From"]))[0] != 250:
        raise RefusedError("The mail server does not take this sender; nothing was sent.")
    if smtp.rcpt(str(message["To"]))[0] not in (250, 251):
        raise RefusedError(
            "The mail server does not take this recipient; nothing was sent.",
            "Check the address; many servers want a login first: --user",
        )


def _failure(error: Exception, *, in_doubt: bool) -> KsosError:
    if in_doubt:
        return NotFoundError(
            "The mail server broke off: nobody can say whether it has the letter.",
            "Ask the recipient, or look at your sent mail, before you repeat it.",
        )
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return RefusedError(
            "The mail server does not know that user and password; nothing was sent.",
            "Many want a password for programs, made in the account's settings.",
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return RefusedError(
            "The mail server does not offer that; nothing was sent.",
            "Try --security tls, or another server.",
        )
    if isinstance(error, OSError) and "certificate" in str(error).lower():
        return RefusedError(
            "The mail server's certificate is not one that this machine trusts; nothing was sent.",
            "Check the name of the server, or say who signed it with --ca-file FILE.",
        )
    return NotFoundError(
        "The mail server cannot be reached, or broke off; nothing was sent.",
        "Check --server, --port and --security. Repeating is safe.",
    )
