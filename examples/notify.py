"""Show a notice on a watch, and say what of it was cut.

python examples/notify.py [WATCH] [TEXT]
"""

import asyncio
import sys

from firmware_protocol.actions import ShowNotice
from firmware_protocol.events import TextCut
from ksos_link import open_watch, parse_target

WATCH = "virtual:ido?scenario=empty&bound=yes"


async def main(address: str = WATCH, text: str = "The build is green again.") -> None:
    async with open_watch(parse_target(address)) as watch:
        for event in await watch.do(ShowNotice("other", "Build server", text)):
            if isinstance(event, TextCut):
                print(f"The {event.field} was cut to {event.limit_bytes} bytes.")
        print(f"{watch.info.product} shows it.")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
