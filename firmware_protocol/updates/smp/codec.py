"""Our end's messages, by the library `smp`: requests to bytes, bytes to replies (dfu.md 6.1, 6.2).

Import it only where a link is opened: the library is an extra, and slow to load.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import cbor2
from smp.header import OP, Header
from smp.image_management import (
    ImageEraseRequest,
    ImageEraseResponse,
    ImageState,
    ImageStatesReadRequest,
    ImageStatesReadResponse,
    ImageStatesWriteRequest,
    ImageStatesWriteResponse,
    ImageUploadWriteRequest,
    ImageUploadWriteResponse,
)
from smp.message import Request, Response
from smp.os_management import (
    EchoWriteRequest,
    EchoWriteResponse,
    MCUMgrParametersReadRequest,
    MCUMgrParametersReadResponse,
    ResetWriteRequest,
    ResetWriteResponse,
)

from firmware_protocol.errors import DecodeError, FrameError

__all__ = [
    "HEADER_BYTES",
    "EchoWriteRequest",
    "EchoWriteResponse",
    "ImageEraseRequest",
    "ImageState",
    "ImageStatesReadRequest",
    "ImageStatesReadResponse",
    "ImageStatesWriteRequest",
    "ImageUploadWriteRequest",
    "ImageUploadWriteResponse",
    "MCUMgrParametersReadRequest",
    "MCUMgrParametersReadResponse",
    "Refusal",
    "Request",
    "ResetWriteRequest",
    "SmpReply",
    "decode",
    "header_of",
]

HEADER_BYTES: Final = Header.SIZE
Body = TypeVar("Body", bound=Response)

_Key = tuple[int, int, int]  # op, group, command
_RESPONSES: Final[Mapping[_Key, tuple[str, type[Response]]]] = {
    (1, 0, 6): ("smp.os.params.reply", MCUMgrParametersReadResponse),
    (3, 0, 0): ("smp.os.echo.reply", EchoWriteResponse),
    (3, 0, 5): ("smp.os.reset.reply", ResetWriteResponse),
    (1, 1, 0): ("smp.image.state.read.reply", ImageStatesReadResponse),
    (3, 1, 0): ("smp.image.state.write.reply", ImageStatesWriteResponse),
    (3, 1, 1): ("smp.image.upload.reply", ImageUploadWriteResponse),
    (3, 1, 5): ("smp.image.erase.reply", ImageEraseResponse),
}
_ANSWERS: Final = (OP.READ_RSP, OP.WRITE_RSP)
_OF_THE_LIBRARY: Final = frozenset({"header", "version", "sequence", "smp_data"})  # not on the wire


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server says instead of an answer. `group` is None in the older form (6.2)."""

    code: int
    group: int | None = None


@dataclass(frozen=True, slots=True)
class SmpReply:
    """One whole answer. Without a `refusal` it has a body, unless its kind is not known here."""

    name: str
    key: _Key
    sequence: int
    refusal: Refusal | None
    body: Response | None

    def answers(self, request: Request) -> bool:
        """Whether it is the answer to this very request: operation, command and sequence."""
        asked = request.header
        key = (asked.op + 1, int(asked.group_id), int(asked.command_id))
        return self.key == key and self.sequence == asked.sequence

    def as_a(self, kind: type[Body]) -> Body:
        """The body, which must be of that kind.

        Raises:
            DecodeError: it is another one.
        """
        if not isinstance(self.body, kind):
            raise DecodeError(f"{self.name} is no {kind.__name__}")
        return self.body


def header_of(data: bytes) -> Header:
    """Read the header of an answer.

    Raises:
        FrameError: no answer begins like this.
    """
    if len(data) < HEADER_BYTES:
        raise FrameError(f"{len(data)} bytes are no SMP header")
    try:
        header = Header.loads(data[:HEADER_BYTES])
    except ValueError as error:
        raise FrameError("no SMP header") from error
    if header.op not in _ANSWERS or header.flags:
        raise FrameError("not the header of an SMP answer")
    return header


def decode(header: Header, data: bytes) -> SmpReply:
    """Read a whole answer, header included. Fields that are not known are left out.

    Raises:
        DecodeError: the content is not what the reference says.
    """
    try:
        fields = cbor2.loads(data[HEADER_BYTES:])
    except cbor2.CBORError as error:
        raise DecodeError("the content of an SMP answer is no CBOR") from error
    if not isinstance(fields, dict):
        raise DecodeError("the content of an SMP answer is no map")
    key = (int(header.op), int(header.group_id), int(header.command_id))
    name, kind = _RESPONSES.get(key, ("smp.{}.{}.{}".format(*key), None))
    refusal = _refusal_in(fields)
    body = None if refusal or kind is None else _body(kind, header, data, fields)
    return SmpReply(name, key, header.sequence, refusal, body)


def _refusal_in(fields: Mapping[object, object]) -> Refusal | None:
    """`{err: {group, rc}}` or `{rc: n}`; 0 is success (6.2)."""
    told = fields.get("err")
    group, code = None, fields.get("rc", 0)
    if told is not None:
        group, code = (told.get("group"), told.get("rc")) if isinstance(told, dict) else (0, None)
    if not isinstance(code, int) or not isinstance(group, int | None):
        raise DecodeError("an SMP error without its code")
    return Refusal(code, group) if code else None


def _body(
    kind: type[Response], header: Header, data: bytes, fields: Mapping[object, object]
) -> Response:
    known = _known(kind.model_fields.keys() - _OF_THE_LIBRARY, fields)
    if isinstance(images := known.get("images"), list):
        known["images"] = [_known(ImageState.model_fields.keys(), one) for one in images]
    try:
        # the library would encode it again and compare: a server's CBOR need not be canonical
        return kind(header=header, version=header.version, smp_data=data, **known)
    except ValueError as error:  # what pydantic's own is
        raise DecodeError(f"fields of {kind.__name__} are not what they should be") from error


def _known(names: Set[str], fields: object) -> dict[str, Any]:
    """Only fields that have a name here: newer servers say more."""
    if not isinstance(fields, Mapping):
        raise DecodeError("what should be a map in an SMP answer is none")
    return {name: fields[name] for name in names if name in fields}
