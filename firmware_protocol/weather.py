"""The weather as a watch can be told it, neutral of any wire. Conditions are WMO codes.

WMO code table 4677 in the selection that forecasts use (0 clear sky ... 99 thunderstorm with
hail); each family maps them to the pictures of its watches.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from firmware_protocol.errors import LocalProtocolError

# code: what it is (WMO 4677, as public forecasts select it)
CONDITIONS: Final = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "rime fog",
    51: "light drizzle",
    53: "drizzle",
    55: "heavy drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    85: "snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with light hail",
    99: "thunderstorm with hail",
}


@dataclass(frozen=True, slots=True)
class DayForecast:
    """One day: a WMO code and its extremes."""

    wmo_code: int
    high_c: float
    low_c: float


@dataclass(frozen=True, slots=True)
class HourForecast:
    """One hour that begins at `start` (local to the place, aware)."""

    start: datetime
    wmo_code: int
    temperature_c: float
    precipitation_pct: int | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The weather of a place. `days[0]` is today; what is not known is None or empty."""

    wmo_code: int
    temperature_c: float
    days: tuple[DayForecast, ...]
    city: str = ""
    humidity_pct: int | None = None
    uv_index: int | None = None
    air_quality_index: int | None = None
    hours: tuple[HourForecast, ...] = ()
    sunrise: time | None = None
    sunset: time | None = None
    is_night: bool = False

    def __post_init__(self) -> None:
        """Check what no thermometer and no calendar can say.

        Raises:
            LocalProtocolError: a value is out of range, with the range.
        """
        temperatures = [self.temperature_c, *(hour.temperature_c for hour in self.hours)]
        temperatures += [value for day in self.days for value in (day.high_c, day.low_c)]
        if not all(-99 <= value <= 99 for value in temperatures):
            raise LocalProtocolError("weather: temperatures go from -99 to 99 degrees Celsius")
        codes = [self.wmo_code, *(day.wmo_code for day in self.days)]
        if not all(0 <= code <= 99 for code in codes):
            raise LocalProtocolError("weather: WMO codes go from 0 to 99")
        if not self.days:
            raise LocalProtocolError("weather: today's forecast is needed")
        if any(day.high_c < day.low_c for day in self.days):
            raise LocalProtocolError("weather: a day's high is below its low")
        for name in ("humidity_pct", "uv_index", "air_quality_index"):
            value, most = getattr(self, name), 100 if name == "humidity_pct" else 500
            if value is not None and not 0 <= value <= most:
                raise LocalProtocolError(f"weather: {name} goes from 0 to {most}")
