"""Set a watch up for the working week: an alarm, a goal, a quiet night.

python examples/set_up_morning.py [WATCH]
"""

import asyncio
import sys
from datetime import time

from firmware_protocol.settings import Alarm, Dnd, Goal
from firmware_protocol.settings.kinds import WORKDAYS
from ksos_link import open_watch, parse_target

WATCH = "virtual:ido?scenario=empty&bound=yes"


async def main(address: str = WATCH) -> None:
    async with open_watch(parse_target(address)) as watch:
        await watch.alarms.add(Alarm(at=time(6, 45), days=WORKDAYS, name="Up"))
        for number, alarm in enumerate(await watch.alarms.list(), 1):
            print(f"alarm {number}: {alarm.at:%H:%M} on {', '.join(alarm.days) or 'one day'}")
        await watch.goal.write(Goal(steps=9000, sleep_min=480))
        change = await watch.dnd.write(Dnd(night=True, start=time(22), end=time(6, 30)))
        print("quiet at night:", "as asked" if not change.differences else change.differences)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
