"""What tests of sharing need: a broker, certificates of an authority of the test's own, a keyring.

Also a network that is closed, and notes who would touch it.
"""

import contextlib
import getpass
import ipaddress
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# ---- certificates


@dataclass(frozen=True)
class Certificates:
    """An authority, and what a server on this machine shows."""

    authority: Path
    server: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server, self.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name, server_name = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in ("an authority of tests", "127.0.0.1")
    )

    def signed(
        subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = signed(
        authority_name, authority_key, x509.BasicConstraints(ca=True, path_length=0), identifier
    )
    server = signed(
        server_name,
        server_key,
        names,
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
    )
    found = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    found.authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    found.server.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    found.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return found


# ---- a keyring, and a network that is watched


class MemoryKeyring:
    """A key store as the `keyring` package offers them."""

    priority = 5.0

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


@contextlib.contextmanager
def closed_network(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """No socket connects and no name is looked up; who tries is noted."""
    tried: list[str] = []

    def refuse(name: str) -> Any:
        def refused(*_: object, **__: object) -> None:
            tried.append(name)
            raise OSError("the network is closed")

        return refused

    with patch.context() as closed:
        for name in ("connect", "connect_ex", "sendto", "bind"):
            closed.setattr(socket.socket, name, refuse(name))
        for name in ("getaddrinfo", "gethostbyname", "create_connection"):
            closed.setattr(socket, name, refuse(name))
        yield tried


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- a broker


@dataclass
class Broker:
    """A mosquitto of the test's own, with a port for TLS and one without."""

    port: int
    tls_port: int
    process: subprocess.Popen[bytes]
    user: str = "home"
    password: str = "a password of the broker"

    def retained(self, least: int = 1) -> dict[str, str]:
        """What the broker keeps, by topic, as another client sees it."""
        command = [
            *("mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-u", self.user),
            *("-P", self.password, "-t", "#", "-F", "%t %p", "--retained-only", "-W", "1"),
        ]
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        lines = [line.partition(" ") for line in found.stdout.splitlines()]
        assert len(lines) >= least
        return {topic: text for topic, _, text in lines if text}

    def forget(self, topic: str) -> None:
        """Let the broker keep nothing under a topic."""
        command = [
            *("mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-u", self.user),
            *("-P", self.password, "-t", topic, "-r", "-n"),
        ]
        subprocess.run(command, check=True, timeout=30)


def mosquitto_path() -> str | None:
    return shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextlib.contextmanager
def serving_broker(folder: Path, certificates: Certificates) -> Iterator[Broker]:
    program = mosquitto_path()
    if program is None or not all(map(shutil.which, ("mosquitto_sub", "mosquitto_passwd"))):
        pytest.skip("mosquitto and mosquitto-clients are not installed")
    port, tls_port = free_port(), free_port()
    passwords = folder / "passwords"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", passwords, Broker.user, Broker.password],
        check=True,
        capture_output=True,
    )
    config = folder / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\n"  # else root's broker could not read its files
        "allow_anonymous false\n"
        f"password_file {passwords}\n"
        f"listener {port} 127.0.0.1\n"
        f"listener {tls_port} 127.0.0.1\n"
        f"certfile {certificates.server}\n"
        f"keyfile {certificates.key}\n"
    )
    process = subprocess.Popen(
        [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        _wait_until_open(process, tls_port)
        yield Broker(port, tls_port, process)
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    raise AssertionError(f"the broker does not start: {process.poll()}")
