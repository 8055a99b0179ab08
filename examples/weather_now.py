"""Tell a watch the weather that a program knows.

python examples/weather_now.py [WATCH]
"""

import asyncio
import sys

from ksos_link import open_watch, parse_target
from ksos_link.operations.weather import forecast_from, push_weather

WATCH = "virtual:ido?scenario=empty&bound=yes"
STATION = {  # WMO codes and degrees Celsius, as a station in the garden gives them
    "wmo_code": 61,
    "temperature_c": 8.4,
    "city": "Garden",
    "days": [
        {"wmo_code": 61, "high_c": 11, "low_c": 4},
        {"wmo_code": 3, "high_c": 9, "low_c": 2},
    ],
}


async def main(address: str = WATCH) -> None:
    async with open_watch(parse_target(address)) as watch:
        await push_weather(watch, forecast_from(STATION))
        print(f"{watch.info.product} has the weather of {STATION['city']}.")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
