"""`ksos weather`: what the sky does, on the watch."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware_protocol.settings import WeatherDisplay
from ksos_link.cli import render
from ksos_link.cli.acting import print_done
from ksos_link.cli.at_watch import Experimental, at_watch
from ksos_link.cli.command import OneJson, epilog, open_app
from ksos_link.cli.invocation import Invocation, invocation
from ksos_link.cli.setting_verbs import add_show, change_setting
from ksos_link.errors import UsageError

if TYPE_CHECKING:
    from firmware_protocol.events import Event
    from firmware_protocol.weather import Forecast
    from ksos_link.operations.open_watch import OpenWatch
    from ksos_link.operations.weather_providers import Place, WeatherProvider

app = open_app("The weather on the watch: push, auto, on, off, show.")
City = Annotated[str, typer.Option("--city", metavar="NAME", help="What the watch shows.")]
_MINUTE_S = 60


@app.command(
    epilog=epilog(
        "ksos weather push --condition rain --now 12 --high 14 --low 9 --city Bern",
        "ksos weather push --file forecast.json",
    )
)
def push(  # noqa: PLR0913, PLR0917 each is an option
    ctx: typer.Context,
    condition: Annotated[
        str | None,
        typer.Option(metavar="WORD|CODE", help="Such as rain, partly-cloudy, or a WMO code."),
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", metavar="C", help="Degrees Celsius now.")
    ] = None,
    high: Annotated[
        str | None, typer.Option("--high", metavar="C", help="Today's highest.")
    ] = None,
    low: Annotated[str | None, typer.Option("--low", metavar="C", help="Today's lowest.")] = None,
    day: Annotated[
        list[str] | None,
        typer.Option(
            "--day",
            metavar="WORD,HIGH,LOW",
            help="A day from tomorrow on; may be given again.",
        ),
    ] = None,
    city: City = "",
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="A forecast as JSON, in place of the others."),
    ] = None,
    json: OneJson = False,
) -> None:
    """Send the weather to the watch, and switch its display on where it is off."""
    from ksos_link.config import path_from
    from ksos_link.operations.weather import Said, forecast_said, read_forecast

    call = invocation(ctx)
    if file is not None:
        forecast = read_forecast(path_from(file))
    else:
        if condition is None or now is None:
            raise UsageError("What is the weather?", "Say --condition and --now, or --file.")
        now_c = _degrees("--now", now)
        high_c = now_c if high is None else _degrees("--high", high)
        low_c = now_c if low is None else _degrees("--low", low)
        forecast = forecast_said(Said(condition, now_c, high_c, low_c, city, days=tuple(day or ())))
    call.open_log("weather")
    print_done("The watch has the weather.", _pushed(call, forecast), call, json=json)


@app.command(
    epilog=epilog(
        "ksos weather auto --latitude 46.95 --longitude 7.45 --city Bern",
        "ksos privacy allow weather:open-meteo    (once, before)",
    )
)
def auto(
    ctx: typer.Context,
    latitude: Annotated[str, typer.Option("--latitude", metavar="DEGREES", help="North.")],
    longitude: Annotated[str, typer.Option("--longitude", metavar="DEGREES", help="East.")],
    provider: Annotated[
        str, typer.Option("--provider", metavar="NAME", help="Who is asked.")
    ] = "open-meteo",
    every_min: Annotated[
        float | None,
        typer.Option(
            "--every-min",
            metavar="MINUTES",
            min=5,
            max=1440,
            help="Stay connected and do it again and again, and when the watch wants it.",
            show_default=False,
        ),
    ] = None,
    city: City = "",
    json: OneJson = False,
) -> None:
    """Ask a provider for the weather and send it to the watch. Needs your consent.

    The place leaves this machine, rounded to 0.01 degrees.
    """
    from ksos_link.operations.weather_providers import Place, provider_named

    place = Place(_degrees("--latitude", latitude), _degrees("--longitude", longitude), city)
    source = provider_named(provider)
    call = invocation(ctx)
    call.open_log("weather")
    events = _pushed(call, _fetched(call, source, place))
    print_done("The watch has the weather.", events, call, json=json)
    if every_min is not None:
        at_watch(call, _repeating(call, source, place, every_min * _MINUTE_S))


@app.command(epilog=epilog("ksos weather on"))
def on(ctx: typer.Context, json: OneJson = False, experimental: Experimental = False) -> None:
    """Show the weather on the watch."""
    _switch(ctx, on=True, json=json, experimental=experimental)


@app.command(epilog=epilog("ksos weather off"))
def off(ctx: typer.Context, json: OneJson = False, experimental: Experimental = False) -> None:
    """Show no weather on the watch."""
    _switch(ctx, on=False, json=json, experimental=experimental)


add_show(app, WeatherDisplay, "ksos weather show")


def _switch(ctx: typer.Context, *, on: bool, json: bool, experimental: bool) -> None:
    call = invocation(ctx)
    call.open_log("weather")
    change_setting(call, WeatherDisplay, {"on": on}, json=json, experimental=experimental)


def _degrees(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(f"{option} must be a number.", f"What was given: {text[:40]}") from error
    if not -180 <= value <= 180:
        given = f"What was given: {text[:40]}"
        raise UsageError(f"{option} must be from -180 to 180 degrees.", given)
    return value


def _pushed(call: Invocation, forecast: "Forecast") -> "list[Event]":
    async def job(watch: "OpenWatch") -> "list[Event]":
        from ksos_link.operations.weather import push_weather

        return await push_weather(watch, forecast)

    return at_watch(call, job)


def _fetched(call: Invocation, source: "WeatherProvider", place: "Place") -> "Forecast":
    from ksos_link.cli.run import run

    return run(_asked(call, source, place))


async def _asked(call: Invocation, source: "WeatherProvider", place: "Place") -> "Forecast":
    """The forecast, with the consent that the store of this home holds now."""
    from ksos_link.operations.weather_providers import fetch_forecast

    with call.store_if_any() as store:
        return await fetch_forecast(store, source, place)


def _repeating(
    call: Invocation, source: "WeatherProvider", place: "Place", every_s: float
) -> "Repeating":
    """The job that goes on until it is stopped, or the consent is taken back.

    A provider or a watch that is out of reach is tried again after a minute, or as soon as the
    watch wants the weather.
    """

    async def job(watch: "OpenWatch") -> None:
        from firmware_protocol.told import WeatherWanted
        from ksos_link.operations.listen import OUT_OF_REACH, listen
        from ksos_link.operations.weather import push_weather

        wait_s = every_s
        while True:
            async with contextlib.aclosing(listen(watch, for_s=wait_s)) as events:
                async for event in events:
                    if isinstance(event, WeatherWanted):
                        break
            try:
                await push_weather(watch, await _asked(call, source, place))
            except OUT_OF_REACH as error:
                render.note(f"remark     {error} Trying again.", quiet=call.quiet)
                wait_s = _MINUTE_S
            else:
                render.note("sent       the weather once more", quiet=call.quiet)
                wait_s = every_s

    return job


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Repeating = Callable[[OpenWatch], Awaitable[None]]
