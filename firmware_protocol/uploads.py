"""Uploads, neutral of any transport: what is sent, and what is told about it.

Every upload goes the same way: the watch says how far it is (`UploadStarted`), windows of packets
go out and are acknowledged (`UploadProgressed`), the watch verifies the whole (`UploadVerified`),
and only then it is activated (`UploadActivated`). A step that fails is the last one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UploadFile:
    """One file to send.

    `name` is what the watch will call it, where the wire has names. `head` goes out before `data`
    where a transport wants one (an init packet). `expanded_bytes` is the size before compression.
    `version` is what the transport must compare, where it does.
    """

    name: str
    data: bytes
    head: bytes = b""
    expanded_bytes: int | None = None
    role: str = "application"


@dataclass(frozen=True, slots=True)
class UploadStarted:
    """The watch is ready. `resumed_bytes` of `total_bytes` it has already."""

    total_bytes: int
    resumed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class UploadProgressed:
    """The watch acknowledged up to `done_bytes`; `repeated_bytes` went out more than once."""

    done_bytes: int
    total_bytes: int
    repeated_bytes: int = 0


@dataclass(frozen=True, slots=True)
class UploadVerified:
    """The watch itself checked the whole file and found it right."""


@dataclass(frozen=True, slots=True)
class UploadActivated:
    """The watch took the file into use; with `restarts` it drops the link and starts anew."""

    restarts: bool


UploadEvent = UploadStarted | UploadProgressed | UploadVerified | UploadActivated
