"""What a watch tells by itself: heard, printed, and answered by ringing."""

import asyncio
import json
import sys
import types
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from firmware_protocol.told import BatteryLow, DataChanged, FindPhoneRequested, MusicKeyPressed
from ksos_link.cli.live_command import Page, sparkline
from ksos_link.cli.told_lines import told_line
from ksos_link.connection.retry import wait_before_s
from ksos_link.connection.watch import Watch
from ksos_link.errors import BluetoothError, NotFoundError, RefusedError
from ksos_link.operations.listen import LinkGone, Listening, listen
from ksos_link.operations.live import live
from ksos_link.operations.open_watch import open_watch
from ksos_link.operations.ring import Ringer
from ksos_link.operations.route import BleRoute, LinkOptions
from ksos_link.operations.target import parse_target
from ksos_link.operations.watch_time import set_clock
from ksos_link.virtual_watch import scenarios
from tests.ksos_link.lasting_watch import let_watches_last

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine

WATCH = "virtual:ido?scenario=empty&bound=yes"


def heard(runner: asyncio.Runner, address: str, **how: Any) -> list[Any]:
    async def job() -> list[Any]:
        async with open_watch(parse_target(address), LinkOptions()) as watch:
            return [event async for event in listen(watch, **how)]

    return runner.run(job())


def test_keys_and_searches_are_heard_in_order(runner: asyncio.Runner) -> None:
    events = heard(runner, f"{WATCH}&do=next@5,find_phone@9,find_phone_stop@70", for_s=120)
    assert [event for event in events if not isinstance(event, Listening)] == [
        MusicKeyPressed("next"),
        FindPhoneRequested(on=True, timeout_s=0),
        FindPhoneRequested(on=False, timeout_s=0),
    ]


def test_a_low_battery_is_told_once(runner: asyncio.Runner) -> None:
    events = heard(runner, f"{WATCH}&do=battery_low@5", for_s=600)
    assert [event for event in events if isinstance(event, BatteryLow)] == [BatteryLow(9)]


@pytest.mark.parametrize("sets_clock", [True, False])
def test_a_watch_that_restarted_gets_the_time(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, sets_clock: bool
) -> None:
    let_watches_last(monkeypatch)
    events = heard(runner, f"{WATCH}&do=restarted@5", for_s=20, sets_clock=sets_clock)
    assert any(isinstance(each, DataChanged) and each.what == "restarted" for each in events)
    query = {"scenario": "empty", "bound": "yes", "do": "restarted@5"}
    session, _ = scenarios.open_virtual_watch("ido", query, now=datetime.now(UTC))
    lines = session.take_shown()
    assert any(line.startswith("clock ") for line in lines) is sets_clock


def test_a_lost_link_is_told_and_made_again(runner: asyncio.Runner) -> None:
    events = heard(runner, f"{WATCH}&fault=lose@8&do=next@1,previous@30", for_s=60)
    assert events == [
        Listening("Band 8"),
        LinkGone(0.25),
        Listening("Band 8"),  # it is there again
        MusicKeyPressed("previous"),
    ]


@pytest.mark.parametrize("how", [listen, live], ids=["listen", "live"])
def test_whatever_keeps_a_watch_away_it_is_waited_for(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, how: Any
) -> None:
    excuses = [
        BluetoothError("The watch could not be connected."),
        NotFoundError("The watch was not found."),
        RefusedError("The watch did not answer."),
    ]
    meets = BleRoute.meet

    async def meet(route: BleRoute) -> Watch:
        if lost and excuses:
            raise excuses.pop(0)
        return await meets(route)

    lost: list[LinkGone] = []

    async def job() -> Any:
        monkeypatch.setattr(BleRoute, "meet", meet)
        target = parse_target(f"{WATCH}&fault=lose@8&do=next@1,previous@50")
        async with open_watch(target, LinkOptions()) as watch:
            async for event in how(watch, for_s=90):
                if isinstance(event, LinkGone):
                    lost.append(event)
                elif event == MusicKeyPressed("previous"):
                    return event
        return None

    assert runner.run(job()) == MusicKeyPressed("previous")
    assert [event.wait_s for event in lost] == [0.25, 0.5, 1.0, 2.0]
    assert lost[2].why == "The watch was not found."


def test_an_absence_of_days_is_waited_for_as_patiently_as_one_of_minutes() -> None:
    waits = [wait_before_s(lost) for lost in (0, 1, 5, 100_000)]
    assert waits == [0.25, 0.5, 4.0, 4.0]


def test_listening_ends_on_time_though_the_watch_is_away(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def job() -> float:
        loop = asyncio.get_running_loop()
        async with open_watch(parse_target(WATCH), LinkOptions()) as watch:

            async def meet(_: BleRoute) -> Watch:
                raise NotFoundError("The watch was not found.")

            await watch.close()
            monkeypatch.setattr(BleRoute, "meet", meet)
            before_s = loop.time()
            async for _ in live(watch, for_s=9.0):
                pass
            return loop.time() - before_s

    assert runner.run(job()) == pytest.approx(9.0)


def test_what_the_watch_tells_while_it_gets_the_time_is_heard_at_once(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_watches_last(monkeypatch)
    query = {"scenario": "empty", "bound": "yes", "do": "restarted@5"}
    session, _ = scenarios.open_virtual_watch("ido", query, now=datetime.now(UTC))

    async def set_clock_while_a_key_is_pressed(watch: Any) -> Any:
        session.make("next", asyncio.get_running_loop().time())
        return await set_clock(watch)

    monkeypatch.setattr("ksos_link.operations.listen.set_clock", set_clock_while_a_key_is_pressed)
    # long before the next question for the battery, which would have brought it as well
    assert heard(runner, f"{WATCH}&do=restarted@5", for_s=20)[-1] == MusicKeyPressed("next")


def test_live_values_over_a_lost_link(runner: asyncio.Runner) -> None:
    async def job() -> list[str]:
        target = parse_target(f"{WATCH}&fault=lose@12&do=play@3")
        async with open_watch(target, LinkOptions()) as watch:
            return [type(each).__name__ async for each in live(watch, interval_s=2, for_s=70)]

    kinds = runner.run(job())
    assert kinds.count("LiveRead") > 20
    assert kinds.count("BatteryRead") == 2
    assert {"LinkGone", "MusicKeyPressed"} <= set(kinds)


# --- the commands


def test_listening_prints_lines_and_json(ksos: "CommandLine") -> None:
    address = f"{WATCH}&do=next@2,find_phone@3,dnd_on@4"
    said = ksos("--device", address, "listen", "--for-s", "10")
    assert said.code == 0
    names = [line.split()[1] for line in said.out.splitlines()]
    assert names == ["music_key", "find_phone", "changed"]
    assert "listening  Band 8" in said.err
    said = ksos("--device", address, "listen", "--for-s", "10", "--json", "--quiet")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["event"] for event in events] == names
    assert events[0]["key"] == "next"
    assert all(event["at_utc"].endswith("Z") for event in events)
    assert said.err == ""


def test_a_lost_link_and_a_search_are_told_on_the_terminal(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "desktop_notifier", None)
    address = f"{WATCH}&fault=lose@8&do=next@1,find_phone@5,find_phone_stop@8"
    said = ksos("--device", address, "listen", "--for-s", "30", "--ring")
    assert said.code == 0
    assert said.err.count("\a") in (3, 4)  # one each second; the last may meet the stop
    assert said.err.replace("\a", "").splitlines() == [
        "listening  Band 8; stop with Ctrl-C",
        "link lost  Trying again in 0.25 s.",
        "listening  Band 8; stop with Ctrl-C",
        "remark     for a notice on the desktop: pip install 'ksos-link[desktop]'",
    ]


def test_live_values_print_lines_and_json(ksos: "CommandLine") -> None:
    said = ksos("--device", f"{WATCH}&do=photo@1", "live", "--for-s", "12", "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert {event["event"] for event in events} == {"live", "battery", "camera_key"}
    assert next(e for e in events if e["event"] == "live")["bpm"] is None
    said = ksos("--device", WATCH, "live", "--for-s", "7", "--interval-s", "2")
    assert said.out.count("live") == 4


# --- ringing, and how it looks


def test_ringing_goes_on_until_the_watch_stops_it(runner: asyncio.Runner) -> None:
    bells: list[float] = []
    told: list[str] = []

    async def job() -> None:
        loop = asyncio.get_running_loop()
        ringer = Ringer(lambda: bells.append(loop.time()), told.append)
        ringer._show = quietly  # type: ignore[method-assign]  # no desktop here
        await ringer.heard(FindPhoneRequested(on=True, timeout_s=5))
        await asyncio.sleep(3.5)
        await ringer.heard(FindPhoneRequested(on=False))
        await asyncio.sleep(10)
        assert len(bells) == 4
        await ringer.heard(FindPhoneRequested(on=True, timeout_s=5))
        await asyncio.sleep(60)
        assert len(bells) == 9
        await ringer.stop()

    async def quietly() -> None:
        return

    runner.run(job())
    assert told == []


def test_a_machine_without_a_desktop_says_what_it_lacks(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setitem(sys.modules, "desktop_notifier", None)

    async def job() -> None:
        ringer = Ringer(lambda: None, told.append)
        for _ in range(2):  # told once, not at each search
            await ringer.heard(FindPhoneRequested(on=True))
            await asyncio.sleep(1)
        await ringer.stop()

    runner.run(job())
    assert told == ["for a notice on the desktop: pip install 'ksos-link[desktop]'"]


class FakeDesktop:
    """A desktop as the optional library shows it; `hangs` answers nobody."""

    shown: ClassVar[list[str]] = []
    hangs = False

    def __init__(self, app_name: str) -> None:
        self.app_name = app_name

    async def send(self, *, title: str, message: str) -> None:
        if self.hangs:
            await asyncio.sleep(3600)
        self.shown.append(f"{self.app_name}: {title}. {message}")

    async def clear_all(self) -> None:
        self.shown.append("cleared")


@pytest.mark.parametrize("hangs", [False, True])
def test_a_desktop_shows_the_search_and_one_that_hangs_holds_nothing_up(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    told: list[str] = []
    bells: list[float] = []
    shown: list[str] = []
    module = types.ModuleType("desktop_notifier")
    monkeypatch.setattr(FakeDesktop, "hangs", hangs)
    monkeypatch.setattr(FakeDesktop, "shown", shown)
    monkeypatch.setattr(module, "DesktopNotifier", FakeDesktop, raising=False)
    monkeypatch.setitem(sys.modules, "desktop_notifier", module)

    async def job() -> None:
        loop = asyncio.get_running_loop()
        ringer = Ringer(lambda: bells.append(loop.time()), told.append)
        before_s = loop.time()
        await ringer.heard(FindPhoneRequested(on=True))
        assert loop.time() == before_s
        await asyncio.sleep(9.5)
        await ringer.heard(FindPhoneRequested(on=False))

    runner.run(job())
    assert len(bells) == 10
    if hangs:
        assert told == ["this desktop shows no notices (TimeoutError)"]
        assert shown == ["cleared"]
    else:
        assert told == []
        assert shown == ["ksos-link: Your watch looks for you. Here I am.", "cleared"]


def test_the_page_of_live_values_fits_its_terminal() -> None:
    from firmware_protocol.events import LiveRead

    page = Page("Band 8")
    for bpm in (60, 80, None, 70):
        page.take(LiveRead(steps=1000, energy_kcal=50, distance_m=700, active_min=9, bpm=bpm))
    page.take(MusicKeyPressed("next"))
    lines = page.lines(40)
    assert all(len(line) < 40 for line in lines)
    assert "steps       1000" in lines
    assert "heart rate  70 bpm" in lines
    assert "▁█▄" in lines
    assert lines[-1].startswith("music_key")
    page.take(LinkGone(1.0))
    assert page.lines(80)[-1] == "link lost, trying again"
    assert sparkline([60, 60]) == "▁▁"


def test_an_event_as_a_line_moves_no_cursor() -> None:
    assert told_line(MusicKeyPressed("set_volume", 50)) == (
        "music_key       key set_volume, volume_pct 50"
    )
    assert told_line(FindPhoneRequested(on=True)) == "find_phone      on yes"
    assert "\x1b" not in told_line(DataChanged("\x1b[2J", {"x": 1}))
