"""Follow a watch for some seconds: its live values, and what its wearer does.

python examples/follow.py [WATCH] [SECONDS]
"""

import asyncio
import sys

from firmware_protocol.events import LiveRead
from firmware_protocol.told import FindPhoneRequested, MusicKeyPressed
from ksos_link import open_watch, parse_target
from ksos_link.operations.live import live

WATCH = "virtual:ido?scenario=full-day&bound=yes&do=next@1,find_phone@1"


async def main(address: str = WATCH, seconds: str = "2.5") -> None:
    async with open_watch(parse_target(address)) as watch:
        async for event in live(watch, interval_s=1, for_s=float(seconds)):
            match event:
                case LiveRead(steps=steps, bpm=bpm):
                    print(f"{steps} steps, {bpm or 'no'} beats per minute")
                case MusicKeyPressed(key=key):
                    print(f"music: {key}")
                case FindPhoneRequested(on=True):
                    print("the watch looks for this machine")
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
