"""One FastLZ block: a byte stream of literal runs and copies from before (ido.md 9.4; C, level 2).

Level 1 stands in the reference beside it (V). The encoder writes level 2 and keeps two habits that
all 215 blocks of the captured dial have: a block begins with at least two literal bytes and ends
with at least three. No decoder that reads ahead of a copy then meets the end of the block.
"""

from typing import Final

from firmware_protocol.errors import DecodeError

LEAST_MATCH: Final = 3
LONGEST_RUN: Final = 32
FAR: Final = 8191  # from here on a distance needs two more bytes, which the encoder never writes
FIRST_LITERALS: Final = 2
LAST_LITERALS: Final = 3
TRIES: Final = 64  # places looked at for the longest copy; more gains less than 1 %
_LEVEL_2: Final = 1 << 5


def decode_block(block: bytes, most_bytes: int) -> bytes:
    """Expand one block to at most `most_bytes`.

    Raises:
        DecodeError: it is cut, points before its start, expands to more, or has another level.
    """
    if not block:
        raise DecodeError("an empty block")
    level = (block[0] >> 5) + 1
    if level > 2:
        raise DecodeError(f"a block of FastLZ level {level}")
    out = bytearray()
    at = 0
    while at < len(block):
        control = block[at] if at else block[0] & 0x1F
        at += 1
        if control < 0x20:
            at = _take_literals(out, block, at, control + 1)
        else:
            try:
                at, count, distance = _copy_at(block, at, control, level)
            except IndexError as error:
                raise DecodeError("a block ends inside a copy") from error
            _copy(out, count, distance, most_bytes)
        if len(out) > most_bytes:
            raise DecodeError(f"a block expands to more than {most_bytes} bytes")
    return bytes(out)


def _take_literals(out: bytearray, block: bytes, at: int, count: int) -> int:
    """Take `count` bytes at `at` as they are; return where the next control byte stands."""
    if at + count > len(block):
        raise DecodeError("a block ends inside a literal run")
    out += block[at : at + count]
    return at + count


def _copy_at(block: bytes, at: int, control: int, level: int) -> tuple[int, int, int]:
    """Read a copy whose control byte lies before `at`: where the next begins, count, distance."""
    count = (control >> 5) - 1
    if count == 6:
        more = 0xFF
        while more == 0xFF:
            more = block[at]
            at += 1
            count += more
            if level == 1:
                break
    far = (control & 0x1F) << 8 | block[at]
    at += 1
    if level == 2 and far == FAR:
        far = (block[at] << 8 | block[at + 1]) + FAR
        at += 2
    return at, count + LEAST_MATCH, far + 1


def _copy(out: bytearray, count: int, distance: int, most_bytes: int) -> None:
    if distance > len(out):
        raise DecodeError("a block copies from before its start")
    if len(out) + count > most_bytes:
        raise DecodeError(f"a block expands to more than {most_bytes} bytes")
    source = out[-distance:]
    if count > distance:  # it overlaps what it writes: the source repeats
        source *= count // distance + 1
    out += source[:count]


def encode_block(data: bytes) -> bytes:
    """Compress one block; `decode_block` gives `data` again. An empty block does not exist.

    Greedy, with a look at the next byte: where the copy that begins there is longer, this byte
    stays a literal.
    """
    out = bytearray()
    literals = bytearray()
    places: dict[bytes, list[int]] = {}
    end = len(data) - LAST_LITERALS
    at = 0
    while at < len(data):
        count, distance = _longest(data, at, end, places)
        if count:
            _note(data, at, places)
            if _longest(data, at + 1, end, places)[0] > count:
                count = 0
        if not count:
            literals.append(data[at])
            _note(data, at, places)
            at += 1
            continue
        _put_literals(out, literals)
        _put_copy(out, count, distance)
        for place in range(at + 1, at + count):
            _note(data, place, places)
        at += count
    _put_literals(out, literals)
    out[0] |= _LEVEL_2
    return bytes(out)


def _note(data: bytes, at: int, places: dict[bytes, list[int]]) -> None:
    known = places.setdefault(data[at : at + LEAST_MATCH], [])
    if not known or known[-1] != at:
        known.append(at)


def _longest(data: bytes, at: int, end: int, places: dict[bytes, list[int]]) -> tuple[int, int]:
    """The longest copy for what begins at `at` and may go to `end`, and its distance; or zeros."""
    if at < FIRST_LITERALS or at + LEAST_MATCH > end:
        return 0, 0
    best, best_distance = 0, 0
    room = end - at
    for place in places.get(data[at : at + LEAST_MATCH], ())[: -TRIES - 1 : -1]:
        if at - place > FAR:
            break
        count = LEAST_MATCH
        while count < room and data[place + count] == data[at + count]:
            count += 1
        if count > best:
            best, best_distance = count, at - place
            if count == room:
                break
    return best, best_distance


def _put_literals(out: bytearray, literals: bytearray) -> None:
    for start in range(0, len(literals), LONGEST_RUN):
        run = literals[start : start + LONGEST_RUN]
        out.append(len(run) - 1)
        out += run
    literals.clear()


def _put_copy(out: bytearray, count: int, distance: int) -> None:
    high, low = divmod(distance - 1, 256)
    extra = count - LEAST_MATCH
    if extra < 6:
        out += bytes(((extra + 1) << 5 | high, low))
        return
    whole, rest = divmod(extra - 6, 0xFF)
    out += bytes((7 << 5 | high, *(0xFF,) * whole, rest, low))
