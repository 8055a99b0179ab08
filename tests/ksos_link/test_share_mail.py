"""Files by mail to a real SMTP server of the test's own, as drafts, and into folders."""

import asyncio
import json
import os
import smtplib
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from ksos_link.errors import UsageError
from ksos_link.operations import share_mail
from ksos_link.operations.share_files import SharedFile
from ksos_link.operations.share_mail import MailServer, Security, letter
from tests.ksos_link.share_counterparts import Certificates, MemoryKeyring, free_port
from tests.ksos_link.sharing import certificates, keyring, wearer, week_of_training
from tests.ksos_link.stored_samples import stored

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said

__all__ = ["certificates", "keyring", "wearer", "week_of_training"]
PASSWORD = "a password of the mail server"
ALLOW = (
    *("share", "allow", "mail:dr@example.org", "--data", "spo2", "--data", "steps"),
    *("--region", "DE", "--country", "DE", "--yes"),
)
SINK = ("share", "mail", "dr@example.org", "--server", "127.0.0.1", "--user", "me@example.org")


@dataclass
class Sink:
    """What a mail server took, and how it shall behave."""

    letters: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    port: int = 0

    async def handle_MAIL(  # noqa: N802 the server's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.hangs_up:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            return "250 OK"
        if "DATA" in self.answers:
            return self.answers["DATA"]
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.letters.append((str(envelope.mail_from), envelope.rcpt_tos, message))
        return "250 OK"


class TlsController(Controller):
    """TLS from the first byte; its probe of itself, which begins it, trusts anybody."""

    def _trigger_server(self) -> None:
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname = False
        anybody.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection((self.hostname, self.port), 5) as plain,
            anybody.wrap_socket(plain) as probe,
        ):
            probe.recv(1024)


def authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
) -> AuthResult:
    known = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=known, handled=False)


@pytest.fixture
def sink(certificates: Certificates) -> Iterator[Sink]:
    """A server with STARTTLS, which lets nobody in without a login."""
    yield from serve(
        lambda sink: Controller(
            sink,
            "127.0.0.1",
            free_port(),
            tls_context=certificates.context(),
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        )
    )


@pytest.fixture
def tls_sink(certificates: Certificates) -> Iterator[Sink]:
    yield from serve(
        lambda sink: TlsController(
            sink,
            "127.0.0.1",
            free_port(),
            ssl_context=certificates.context(),
            auth_require_tls=False,
            authenticator=authenticate,
        )
    )


@pytest.fixture
def plain_sink() -> Iterator[Sink]:
    yield from serve(lambda sink: Controller(sink, "127.0.0.1", free_port()))


def serve(make: Callable[[Sink], Controller]) -> Iterator[Sink]:
    sink = Sink()
    controller = make(sink)
    controller.start()
    sink.port = controller.port
    yield sink
    controller.stop()


def send(ksos: "CommandLine", sink: Sink, ca: Certificates, *more: str | Path) -> "Said":
    arguments = (*SINK, "--port", str(sink.port), "--ca-file", ca.authority, *more)
    return ksos(*arguments, KSOS_SHARE_PASSWORD=PASSWORD)


def attached(message: EmailMessage) -> dict[str, bytes]:
    return {
        str(part.get_filename()): bytes(part.get_payload(decode=True) or b"")
        for part in message.iter_attachments()
    }


def log(ksos: "CommandLine") -> list[dict[str, Any]]:
    return [json.loads(line) for line in ksos("share", "log", "--json").out.splitlines()]


# ---- sending


def test_a_letter_has_the_chosen_files_and_its_head_tells_nothing(
    wearer: "CommandLine", sink: Sink, certificates: Certificates, tmp_path: Path
) -> None:
    assert wearer(*ALLOW).code == 0
    said = send(wearer, sink, certificates, "--json")
    assert said.code == 0
    ((sender, recipients, message),) = sink.letters
    assert (sender, recipients) == ("me@example.org", ["dr@example.org"])
    assert message["Subject"] == "Files from ksos"
    assert os.uname().nodename not in str(message)
    files = attached(message)
    assert json.loads(said.out) == {
        "files": list(files),
        "samples": len(stored(wearer, "spo2")) + len(stored(wearer, "steps")),
    }
    assert wearer("export", "--metric", "spo2", "--out", tmp_path).code == 0
    assert files["spo2.csv"] == (tmp_path / "spo2.csv").read_bytes()
    (noted,) = log(wearer)
    assert (noted["outcome"], noted["item"]) == ("sent", message["Message-ID"])


def test_only_some_of_the_data_and_days(
    wearer: "CommandLine", sink: Sink, certificates: Certificates
) -> None:
    assert wearer(*ALLOW).code == 0
    arguments = ("--metric", "spo2", "--format", "jsonl", "--from", "today")
    assert send(wearer, sink, certificates, *arguments).code == 0
    files = attached(sink.letters[0][2])
    assert list(files) == ["spo2.jsonl"]
    assert send(wearer, sink, certificates, "--metric", "heart_rate").code == 9
    assert send(wearer, sink, certificates, "--to", "2020-01-01").code == 3
    assert len(sink.letters) == 1


def test_over_tls_from_the_first_byte(
    wearer: "CommandLine", tls_sink: Sink, certificates: Certificates
) -> None:
    assert wearer(*ALLOW).code == 0
    assert send(wearer, tls_sink, certificates, "--security", "tls").code == 0
    assert len(tls_sink.letters) == 1


def test_unencrypted_to_this_machine_only(
    wearer: "CommandLine", plain_sink: Sink, certificates: Certificates
) -> None:
    assert wearer(*ALLOW).code == 0
    arguments = (*SINK[:5], "--port", str(plain_sink.port), "--sender", "me@example.org")
    assert wearer(*arguments, "--security", "none").code == 0
    assert len(plain_sink.letters) == 1
    said = wearer(*arguments)  # it offers no STARTTLS, and then nothing goes
    assert said.code == 6
    assert "does not offer that" in said.err
    assert len(plain_sink.letters) == 1
    with pytest.raises(UsageError, match="unencrypted"):
        MailServer("smtp.example.org", 25, Security.NONE)


def test_a_server_whom_nobody_vouches_for_gets_nothing(wearer: "CommandLine", sink: Sink) -> None:
    assert wearer(*ALLOW).code == 0
    said = wearer(*SINK, "--port", str(sink.port), KSOS_SHARE_PASSWORD=PASSWORD)
    assert said.code == 6
    assert "certificate" in said.err
    assert sink.letters == []


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL", "550 not you"),
        ("RCPT", "550 nobody of that name"),
        ("DATA", "552 too much"),
        ("DATA", "451 later"),
    ],
)
def test_a_refusal_is_told_and_nothing_was_sent(
    wearer: "CommandLine", sink: Sink, certificates: Certificates, command: str, answer: str
) -> None:
    assert wearer(*ALLOW).code == 0
    sink.answers[command] = answer
    said = send(wearer, sink, certificates)
    assert said.code == 6
    assert "othing was sent" in said.err
    assert [(one["outcome"], one["samples"]) for one in log(wearer)] == [("refused", 0)]
    for path in wearer.home.rglob("*"):
        if path.is_file():
            assert b"example.org" not in path.read_bytes()  # no address in a log, nor in the clear


def test_a_wrong_password(
    wearer: "CommandLine", sink: Sink, certificates: Certificates, keyring: MemoryKeyring
) -> None:
    assert wearer(*ALLOW).code == 0
    arguments = (*SINK, "--port", str(sink.port), "--ca-file", certificates.authority)
    said = wearer(*arguments, "--keep-password", KSOS_SHARE_PASSWORD="wrong")
    assert said.code == 6
    assert "does not know that user and password" in said.err
    assert keyring.held == {}
    assert wearer(*arguments, "--keep-password", KSOS_SHARE_PASSWORD=PASSWORD).code == 0
    assert wearer(*arguments).code == 0  # from the keyring
    assert len(sink.letters) == 2


def test_where_nobody_can_know_whether_it_arrived_that_is_said(
    wearer: "CommandLine", sink: Sink, certificates: Certificates
) -> None:
    assert wearer(*ALLOW).code == 0
    sink.hangs_up = True
    said = send(wearer, sink, certificates)
    assert said.code == 3
    assert "nobody can say whether it has the letter" in said.err
    (noted,) = log(wearer)
    assert noted["outcome"] == "unknown"
    assert noted["samples"] > 0


def test_nobody_listens_and_somebody_who_says_nothing(
    wearer: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_mail, "_WAIT_S", 0.2)
    assert wearer(*ALLOW).code == 0
    said = wearer(*SINK, "--port", str(free_port()), KSOS_SHARE_PASSWORD="x")
    assert said.code == 3
    assert "Repeating is safe" in said.err
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        assert wearer(*SINK, "--port", port, KSOS_SHARE_PASSWORD="x").code == 3
    assert {one["outcome"] for one in log(wearer)} == {"refused"}


def test_what_is_too_large_for_a_letter_is_not_begun(
    wearer: "CommandLine", sink: Sink, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wearer(*ALLOW).code == 0
    monkeypatch.setattr(share_mail, "MOST_BYTES", 2000)
    said = send(wearer, sink, certificates)
    assert said.code == 2
    assert "too large for a letter" in said.err
    monkeypatch.undo()
    assert sink.letters == []


def test_a_server_that_takes_less(certificates: Certificates) -> None:
    sink = Sink()
    controller = Controller(sink, "127.0.0.1", free_port(), data_size_limit=1000)
    controller.start()
    try:
        smtp = smtplib.SMTP("127.0.0.1", controller.port)
        message = letter("a@b.c", "d@e.f", [SharedFile("x.csv", b"x" * 2000, 1)])
        with smtp, pytest.raises(Exception, match="larger than the mail server takes"):
            share_mail._envelope(smtp, message)
    finally:
        controller.stop()


@pytest.mark.parametrize(
    "arguments",
    [
        SINK[:3],
        (*SINK, "--draft", "x.eml"),
        (*SINK, "--security", "rot13"),
        ("share", "mail", "nobody", "--draft", "x.eml"),
        (*SINK, "--format", "parquet"),
        (*SINK, "--format", "archive"),
        (*SINK, "--encrypt", "nobody"),
        (*SINK, "--format", "clay"),
        (*SINK[:5],),
    ],
)
def test_what_makes_no_sense_is_refused(
    wearer: "CommandLine",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert wearer(*ALLOW).code == 0
    assert wearer(*arguments, KSOS_SHARE_PASSWORD="x").code == 2
    assert log(wearer) == []


# ---- drafts and folders


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desktop that notes what it is handed."""
    noted = tmp_path / "handed"
    for name in ("xdg-open", "open"):
        opener = tmp_path / "bin" / name
        opener.parent.mkdir(exist_ok=True)
        opener.write_text(f'#!/bin/sh\nprintf %s "$1" > "{noted}"\n')
        opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return noted


def test_a_draft_is_handed_to_the_mail_program(
    wearer: "CommandLine", tmp_path: Path, desktop: Path
) -> None:
    assert wearer(*ALLOW).code == 0
    out = tmp_path / "letter.eml"
    said = wearer("share", "mail", "dr@example.org", "--draft", out, "--show")
    assert said.code == 0
    assert "not sent" in said.out
    message = message_from_bytes(out.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert (message["To"], message["From"], message["X-Unsent"]) == ("dr@example.org", None, "1")
    assert set(attached(message)) == {"spo2.csv", "steps.csv"}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert desktop.read_text() == str(out)
    assert [one["outcome"] for one in log(wearer)] == ["written as a draft"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_disk_that_is_full_is_told(wearer: "CommandLine") -> None:
    assert wearer(*ALLOW).code == 0
    said = wearer("share", "mail", "dr@example.org", "--draft", "/dev/full")
    assert said.code == 8
    assert "disk is full" in said.err
    assert [(one["outcome"], one["samples"]) for one in log(wearer)] == [("refused", 0)]


@pytest.mark.parametrize("lock", ["passphrase", "recipient"])
def test_files_are_encrypted_where_that_is_asked_for(
    wearer: "CommandLine", sink: Sink, certificates: Certificates, tmp_path: Path, lock: str
) -> None:
    assert wearer(*ALLOW).code == 0
    identity = pyrage.x25519.Identity.generate()
    word = lock if lock == "passphrase" else str(identity.to_public())

    def opened(data: bytes) -> bytes:
        if lock == "passphrase":
            return bytes(pyrage.passphrase.decrypt(data, "between us"))
        return bytes(pyrage.decrypt(data, [identity]))

    arguments = (*SINK, "--port", str(sink.port), "--ca-file", certificates.authority)
    secrets = {"KSOS_SHARE_PASSWORD": PASSWORD, "KSOS_EXPORT_PASSPHRASE": "between us"}
    assert wearer(*arguments, "--metric", "spo2", "--encrypt", word, **secrets).code == 0
    files = attached(sink.letters[0][2])
    assert list(files) == ["spo2.csv.age"]
    assert wearer("export", "--metric", "spo2", "--out", tmp_path).code == 0
    assert opened(files["spo2.csv.age"]) == (tmp_path / "spo2.csv").read_bytes()
    folder = tmp_path / "there"
    folder.mkdir()
    assert wearer("share", "allow", f"file:{folder}", "--data", "spo2", "--yes").code == 0
    said = wearer("share", "file", folder, "--encrypt", word, "--json", **secrets)
    assert json.loads(said.out)["path"] == str(folder / "spo2.csv.age")
    (file,) = folder.iterdir()
    assert opened(file.read_bytes()) == (tmp_path / "spo2.csv").read_bytes()


def test_a_folder_is_opened_on_the_desktop(
    wearer: "CommandLine", tmp_path: Path, desktop: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    assert wearer("share", "allow", f"file:{folder}", "--data", "spo2", "--yes").code == 0
    said = wearer("share", "file", folder, "--format", "jsonl", "--show", "--json")
    assert said.code == 0
    (listed,) = [json.loads(line) for line in said.out.splitlines()]
    assert listed == {
        "metric": "spo2",
        "rows": len(stored(wearer, "spo2")),
        "path": str(folder / "spo2.jsonl"),
    }
    assert desktop.read_text() == str(folder)


def test_without_a_desktop_the_files_are_there_all_the_same(
    wearer: "CommandLine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert wearer("share", "allow", f"file:{tmp_path}", "--data", "spo2", "--yes").code == 0
    said = wearer("share", "file", tmp_path, "--show")
    assert said.code == 0
    assert "no desktop took it" in said.err
    assert (tmp_path / "spo2.csv").exists()


def test_a_folder_that_is_not_there_or_data_that_are_not(
    wearer: "CommandLine", tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    for folder in (nowhere, tmp_path):
        assert wearer("share", "allow", f"file:{folder}", "--data", "weight", "--yes").code == 0
        assert wearer("share", "file", folder).code == 3
    assert log(wearer) == []


def test_documents_and_workouts_go_by_mail_too(wearer: "CommandLine", tmp_path: Path) -> None:
    allow = [*ALLOW[:3], "--data", "workouts", *ALLOW[7:]]
    assert wearer(*allow).code == 0
    for form, least in (("fit", 2), ("influx", 1)):
        out = tmp_path / f"{form}.eml"
        draft = ("share", "mail", "dr@example.org", "--format", form, "--draft", out)
        said = wearer(*draft, "--json")
        assert said.code == 0, said.err
        assert len(json.loads(said.out)["files"]) >= least
