"""Set several watches up alike from one file, and name those that hold something otherwise.

python examples/lab_set_up.py FILE.toml [WATCH ...]
"""

import asyncio
import sys
from pathlib import Path

from ksos_link import KsosError, open_watch, parse_target
from ksos_link.operations.setting_file import apply, parse

WATCHES = (
    "virtual:ido?scenario=empty&bound=yes&address=F9:24:12:00:00:01",
    "virtual:ido?scenario=empty&bound=yes&address=F9:24:12:00:00:02",
)


async def set_up(address: str, text: str) -> bool:
    async with open_watch(parse_target(address)) as watch:
        whole = True
        async for applied in apply(watch, parse(text)):
            print(f"{watch.info.address}: {applied.setting} {applied.outcome}")
            whole &= applied.outcome != "held_otherwise"
        return whole


async def main(file: str, *addresses: str) -> int:
    text = Path(file).read_text("utf-8")
    failed = 0
    for address in addresses or WATCHES:  # one radio talks to one watch at a time
        try:
            failed += not await set_up(address, text)
        except KsosError as error:
            print(f"{address}: {error} {error.hint}")
            failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
