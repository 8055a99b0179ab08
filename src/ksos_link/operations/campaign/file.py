"""A campaign file: which watches get what, in TOML. Read strictly, all faults of a file at once.

Nothing here talks to a watch or opens the store; what a step names must lie on the disk already.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Final

from firmware_protocol.images.image import shown
from ksos_link.config import check_is_text
from ksos_link.errors import KsosError, MalformedError, NotFoundError, UsageError
from ksos_link.operations.campaign.digest import digest_of
from ksos_link.operations.campaign.model import (
    MOST_STEPS,
    MOST_WATCHES,
    PAUSE_S,
    SCAN_S,
    STEP_TIMEOUT_S,
    CampaignFile,
    DialAsk,
    Expect,
    FirmwareAsk,
    Limits,
    NamedWatch,
    Radio,
    ScanRule,
    Step,
    Window,
)
from ksos_link.operations.campaign.wishes import dial_paths, firmware_paths
from ksos_link.operations.preflight import check_allowed
from ksos_link.operations.release_manifest import Channel
from ksos_link.operations.strict_table import StrictTable
from ksos_link.operations.target import ALIAS, ReplayTarget, is_address, parse_target

MAX_FILE_BYTES: Final = 1 << 20
_LONGEST_S: Final = 86_400.0
_ADAPTER: Final = re.compile(r"hci\d{1,3}|virtual:tcp:.+")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_REPEAT: Final = "repeat"


def read_campaign_file(path: Path) -> CampaignFile:
    """Read a campaign file and look at every file that it names.

    Raises:
        NotFoundError: there is no such file.
        MalformedError: it is no TOML, or far too large.
        UsageError: something in it makes no sense; all faults are named, each with its place.
    """
    data = _read(path)
    check_is_text(path.resolve())
    try:
        values = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{path} is no TOML: {error}.", "Mend the file.") from error
    faults: list[str] = []
    top = StrictTable(values, "", faults)
    radios = _radios(top)
    file = CampaignFile(
        path.resolve(),
        hashlib.sha256(data).hexdigest(),
        top.text("title", needed=True),
        _watches(top, {radio.name for radio in radios}),
        _scan(top.table("scan")),
        radios,
        tuple(_steps(top.tables("step"), path.resolve().parent, _expect(top.table("expect")))),
        _limits(top.table("limits"), len(radios)),
    )
    top.finish()
    if not top.has("step"):
        top.fault("step", "there is nothing to do: give [[step]] tables")
    if not top.has("watch") and file.scan is None:
        top.fault("watch", "there is no watch: give [[watch]] tables or a [scan] rule")
    if faults:
        count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
        told = "; ".join(faults)
        raise UsageError(f"{path} has {count}: {told}.", "The manual has the fields: Campaigns.")
    return file


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise NotFoundError(f"There is no campaign file {path}.", "Check its name.")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise NotFoundError(f"{path} cannot be read.", "Check its name and rights.") from error
    if len(data) > MAX_FILE_BYTES:
        raise MalformedError(f"{path} is larger than 1 MiB.", "No campaign file is as large.")
    return data


def _radios(top: StrictTable) -> tuple[Radio, ...]:
    radios: dict[str, Radio] = {}
    for table in top.tables("radio"):
        radio = Radio(table.text("name", needed=True), table.text("adapter", needed=True))
        table.finish()
        if radio.adapter and not _ADAPTER.fullmatch(radio.adapter):
            table.fault("adapter", "is neither hci0 nor virtual:tcp:127.0.0.1:PORT")
        if radio.name in radios:
            table.fault("name", "stands there twice")
        radios[radio.name] = radio
    return tuple(radios.values()) or (Radio("default"),)


def _watches(top: StrictTable, radios: set[str]) -> tuple[NamedWatch, ...]:
    watches: dict[str, NamedWatch] = {}
    for table in top.tables("watch"):
        address = table.text("address", needed=True)
        watch = NamedWatch(address, table.text("name"), table.text("radio"))
        table.finish()
        if address and (fault := _address_fault(address)):
            table.fault("address", fault)
        if address.casefold() in watches:
            table.fault("address", "stands there twice")
        if watch.radio and watch.radio not in radios:
            table.fault("radio", f"there is no [[radio]] named {shown(watch.radio)}")
        watches[address.casefold()] = watch
    if len(watches) > MOST_WATCHES:
        top.fault("watch", f"are more than {MOST_WATCHES}")
    return tuple(watches.values())


def _address_fault(address: str) -> str:
    if not is_address(address):
        return "" if ALIAS.fullmatch(address) else "is neither an alias nor an address"
    try:
        target = parse_target(address)
    except UsageError:
        return "is no address of a watch"
    return "a capture takes nothing" if isinstance(target, ReplayTarget) else ""


def _scan(table: StrictTable | None) -> ScanRule | None:
    if table is None:
        return None
    rule = ScanRule(
        product=table.text("product"),
        model_code=table.number("model_code", 0, 0xFFFFFFFF),
        name=table.text("name"),
        rssi_dbm_at_least=table.number("rssi_dbm_at_least", -127, 20),
        most=table.number("most", 1, MOST_WATCHES) or MOST_WATCHES,
        for_s=table.seconds("for_s", 1, 3600) or SCAN_S,
    )
    table.finish()
    return rule


def _limits(table: StrictTable | None, radios: int) -> Limits:
    if table is None:
        return Limits()
    pause_s = table.seconds("pause_s", 0, 3600)
    limits = Limits(
        attempts=table.number("attempts", 1, 100) or 1,
        pause_s=PAUSE_S if pause_s is None else pause_s,
        parallel=table.number("parallel", 1, MOST_WATCHES),
        stop_after_failures=table.number("stop_after_failures", 1, MOST_STEPS),
        step_timeout_s=table.seconds("step_timeout_s", 1, _LONGEST_S) or STEP_TIMEOUT_S,
        continue_after_failure=table.flag("continue_after_failure"),
        window=_window(table.table("window")),
    )
    table.finish()
    return limits


def _window(table: StrictTable | None) -> Window | None:
    if table is None:
        return None
    begins, until = _time(table, "from"), _time(table, "until")
    table.finish()
    if begins == until:
        table.fault("until", "must be another time than from")
    return Window(begins, until)


def _time(table: StrictTable, name: str) -> time:
    text = table.text(name, needed=True)
    if _TIME.fullmatch(text):
        return time.fromisoformat(text)
    if text:
        table.fault(name, "is no time such as 22:00")
    return time()


def _expect(table: StrictTable | None) -> Expect:
    if table is None:
        return Expect()
    expect = Expect(
        firmware_version=table.text("firmware_version") or None,
        battery_pct_at_least=table.number("battery_pct_at_least", 1, 100),
        dial=table.text("dial") or None,
        samples_at_least=table.number("samples_at_least", 0, 1_000_000_000),
    )
    table.finish()
    return expect


def _steps(tables: Sequence[StrictTable], folder: Path, common: Expect) -> list[Step]:
    """The steps of some tables, repeats unrolled."""
    steps: list[Step] = []
    for table in tables:
        do = table.text("do", needed=True)
        if do == _REPEAT:
            once = _steps(table.tables("step"), folder, common)
            times = table.number("times", 1, MOST_STEPS, needed=True) or 1
            if not once:
                table.fault("step", "has nothing to repeat: give [[step.step]] tables")
        else:
            once = [_step(table, do, folder, common)]
            times = table.number("repeat", 1, MOST_STEPS) or 1
        table.finish()
        if len(steps) + len(once) * times > MOST_STEPS:
            table.fault("do", f"makes more than {MOST_STEPS} steps, repeats counted")
            times = 1
        for nth in range(1, times + 1):
            said = f" ({nth} of {times})" if times > 1 else ""
            steps += [replace(step, label=step.label + said) for step in once]
    return steps


def _step(table: StrictTable, do: str, folder: Path, common: Expect) -> Step:
    own = _expect(table.table("expect"))
    if own.samples_at_least is not None and do != "sync":
        table.fault("expect.samples_at_least", "only a sync brings samples")
    expect = own.over(common)
    read = _KINDS.get(do)
    if read is None:
        if do:
            table.fault("do", f"{shown(do)!r} is none of {', '.join(_KINDS)}, {_REPEAT}")
        return Step(do, do, expect=expect)
    step = read(table, folder)
    label = f"{do} {step.label}".rstrip()
    pause_s = table.seconds("pause_s", 0, _LONGEST_S) or 0.0
    only = tuple(_texts(table, "only"))
    return replace(step, do=do, label=label, only=only, expect=expect, pause_s=pause_s)


def _plain(table: StrictTable, folder: Path) -> Step:
    del table, folder
    return Step("", "")


def _verify(table: StrictTable, folder: Path) -> Step:
    return _write(table, folder) if table.has("file") else Step("", "")


def _downgrade(table: StrictTable, folder: Path) -> Step:
    step = _write(table, folder)
    if step.firmware is None:
        return step
    allow = step.firmware.allow | {"version_order"}
    return replace(step, firmware=replace(step.firmware, allow=allow))


def _write(table: StrictTable, folder: Path) -> Step:
    """A firmware file or a release manifest, read whole: what is wrong with it is told now."""
    name = table.text("file", needed=True)
    ask = FirmwareAsk(
        folder / name,
        tuple(folder / each for each in _texts(table, "public_keys")),
        _channel(table),
        table.text("region").upper(),
        frozenset(_texts(table, "allow")),
        table.flag("unsigned"),
        table.flag("experimental"),
    )
    files = _opened(table, name, ask.allow, lambda: firmware_paths(ask))
    return Step("", name, firmware=ask, files=files)


def _push(table: StrictTable, folder: Path) -> Step:
    """A dial file or a release manifest, as `_write`."""
    name = table.text("file", needed=True)
    ask = DialAsk(
        folder / name,
        tuple(folder / each for each in _texts(table, "public_keys")),
        table.text("name"),
        _channel(table),
        table.text("region").upper(),
        frozenset(_texts(table, "allow")),
        frozenset(_texts(table, "accept")),
        table.flag("unsigned"),
        table.flag("replace"),
    )
    files = _opened(table, name, ask.allow, lambda: dial_paths(ask))
    return Step("", name, dial=ask, files=files)


def _remove(table: StrictTable, folder: Path) -> Step:
    del folder
    name = table.text("name", needed=True)
    return Step("", name, dial=DialAsk(None, name=name))


def _channel(table: StrictTable) -> Channel:
    return table.choice("channel", Channel) if table.has("channel") else Channel.FORMAL


def _opened(
    table: StrictTable, name: str, allow: frozenset[str], paths: Callable[[], set[Path]]
) -> dict[str, str]:
    """The digests of all files that are read for a step; what cannot be read is a fault."""
    try:
        check_allowed(allow)
        found = sorted(paths()) if name else []
        for path in found:
            check_is_text(path)
    except KsosError as error:
        table.fault("file", str(error).rstrip("."))
        return {}
    return {str(path): digest_of(path) for path in found}


def _texts(table: StrictTable, name: str) -> list[str]:
    texts = table.items(name)
    if not all(isinstance(text, str) and text for text in texts):
        table.fault(name, "is no list of texts")
        return []
    return texts


_KINDS: Final[Mapping[str, Callable[[StrictTable, Path], Step]]] = {
    "write_firmware": _write,
    "downgrade": _downgrade,
    "verify": _verify,
    "push_dial": _push,
    "remove_dial": _remove,
    "sync": _plain,
}
