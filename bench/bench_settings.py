"""Questions per command against the least that the wire allows, and the time of a whole set-up.

A question is a write that waits for an answer; what the watch tells unasked and its echo are none.
The least for a change is one question for each message that carries the setting and one for its
read-back where the wire has one (the rows of `SettingSupport`); a change of one field of a setting
that reads back has to ask first. The floor of the set-up takes two connection events for each
question: a write with response goes out in one, its answer comes in the next.

Run: .venv/bin/python bench/bench_settings.py [--quick]
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from dataclasses import replace

from report import Row, at_least, at_most, finish

from firmware_protocol.family import Direction
from firmware_protocol.settings import Alarm, Alarms, Cycle, Goal, Setting, SportOrder
from ksos_link.operations import setting_file
from ksos_link.operations.local_time import local_now
from ksos_link.operations.open_watch import OpenWatch
from ksos_link.operations.route import BleRoute, LinkOptions
from ksos_link.operations.setting_book import MemoryBook
from ksos_link.transports.ble import Radio
from ksos_link.virtual_watch.radio import LinkShape
from ksos_link.virtual_watch.scenarios import open_virtual_watch
from ksos_link.virtual_watch.virtual_radio import VirtualRadio

SHAPE = LinkShape(interval_s=0.03, packets_per_event=6)
EVENTS_PER_QUESTION = 2
TWO_MESSAGES = (Goal,)  # 03 03 and 03 43; all others travel in one
V3_FIRST, V3 = b"\x33\xda\xad", 0x33
ECHO = b"\x07\x40"


class Questions:
    """Counts what was asked, and the packets of it."""

    def __init__(self) -> None:
        self.asked = 0

    def heard(self, direction: Direction, _: str, data: bytes) -> None:
        goes_on = data[0] == V3 and not data.startswith(V3_FIRST)
        if direction == "TX" and not goes_on and data[:2] != ECHO:
            self.asked += 1


@contextlib.asynccontextmanager
async def worn(questions: Questions, shape: LinkShape | None) -> AsyncGenerator[OpenWatch, None]:
    clock_s = asyncio.get_running_loop().time()
    query = {"scenario": "empty", "bound": "yes"}
    watch = open_virtual_watch("ido", query, now=local_now(), now_s=clock_s)
    virtual = await VirtualRadio.open_in_process([watch], shape=shape)
    options = replace(LinkOptions(), tap=questions.heard)
    radio = Radio(virtual.client_backend, virtual.scanner_backend)
    opened = OpenWatch(BleRoute(radio, watch[1].address, options), options, MemoryBook())
    try:
        await opened.connect()
        yield opened
    finally:
        await opened.close()
        await virtual.close()


def least(kind: type[Setting], *, readable: bool) -> int:
    return (2 if kind in TWO_MESSAGES else 1) + readable


async def questions_per_command() -> tuple[int, int, int]:
    """Over all settings of an A200: asked, the least, and what the worst one asks too much."""
    questions = Questions()
    asked = wanted = worst = 0
    async with worn(questions, None) as watch:
        for kind, support in watch.supported.items():
            if kind is Cycle:
                continue  # needs a person's consent
            before = questions.asked
            await watch.write(kind())
            this = questions.asked - before
            asked, wanted = asked + this, wanted + least(kind, readable=support.readable)
            worst = max(worst, this - least(kind, readable=support.readable))
    return asked, wanted, worst


async def whole_set_up() -> dict[str, float]:
    """Apply a file with every setting of an A200 that differs from what it holds."""
    questions = Questions()
    async with worn(questions, SHAPE) as watch:
        text = "\n".join(_table(kind) for kind in watch.supported if kind is not Cycle)
        tables = setting_file.parse(text)
        before, began_s = questions.asked, time.perf_counter()
        outcomes = [applied.outcome async for applied in setting_file.apply(watch, tables)]
        took_s = time.perf_counter() - began_s
        asked = questions.asked - before
        again, began_s = questions.asked, time.perf_counter()
        repeated = [applied.outcome async for applied in setting_file.apply(watch, tables)]
        return {
            "settings": len(outcomes),
            "asked": asked,
            "took_s": took_s,
            "floor_s": asked * EVENTS_PER_QUESTION * SHAPE.interval_s,
            "unchanged": repeated.count("unchanged"),
            "asked_again": questions.asked - again,
            "again_s": time.perf_counter() - began_s,
        }


def _table(kind: type[Setting]) -> str:
    import tomli_w

    if kind is Alarms:
        return tomli_w.dumps({"alarm": [Alarm(name="Up").plain()]})
    setting = kind() if kind is not SportOrder else SportOrder(sports=("yoga", "hike"))
    return tomli_w.dumps({kind.NAME: setting.plain()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the same: it is short")
    parser.parse_args()
    asked, wanted, worst = asyncio.run(questions_per_command())
    run = asyncio.run(whole_set_up())
    rows: list[Row] = [
        at_most("questions of all settings", f"{asked} of at least {wanted}", asked / wanted, 1.0),
        Row("the worst setting", f"{worst} more than the least"),
        at_least(
            "setting apply of a full file, of the wire",
            f"{run['took_s']:.2f} s, {run['asked']} questions, {run['settings']} settings",
            run["floor_s"] / run["took_s"],
            0.8,
        ),
        Row(
            "the same once more",
            f"{run['again_s']:.2f} s, {run['asked_again']} questions, {run['unchanged']} unchanged",
        ),
    ]
    finish("settings", rows, runs=[run])


if __name__ == "__main__":
    main()
