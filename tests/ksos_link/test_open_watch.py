"""A watch held open: settings by name, links that break, what is told meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from datetime import date, time
from typing import TYPE_CHECKING, Any

import pytest

from firmware_protocol.actions import FindWatch, ReadErrorLog, ShowNotice
from firmware_protocol.events import ErrorLogRead, JobDone, LiveRead
from firmware_protocol.jobs import ReadLive
from firmware_protocol.settings import (
    Alarm,
    Brightness,
    Cycle,
    Goal,
    Language,
    Notices,
    RaiseToWake,
    SleepTime,
    Units,
    Wearer,
)
from firmware_protocol.told import DataChanged, MusicKeyPressed
from ksos_link.errors import (
    LinkLostError,
    NotFoundError,
    PolicyError,
    RefusedError,
    UsageError,
)
from ksos_link.operations import cycle as cycle_days
from ksos_link.operations import setting_file, watch_time, wearer
from ksos_link.operations.consents import CYCLE, allow, deny
from ksos_link.operations.notices import Wish, change_apps, check_app, shown_apps
from ksos_link.operations.open_watch import OpenWatch, open_watch
from ksos_link.operations.route import LinkOptions
from ksos_link.operations.setting_book import MemoryBook, StoreBook
from ksos_link.operations.target import parse_target
from ksos_link.virtual_watch import scenarios

if TYPE_CHECKING:
    from tests.ksos_link.conftest import StoreBench, SyncBench

SHORT = "virtual:ido?scenario=empty&bound=yes"


@contextlib.asynccontextmanager
async def watch_at(address: str, **further: Any) -> AsyncGenerator[OpenWatch, None]:
    async with open_watch(parse_target(address), LinkOptions(), **further) as watch:
        yield watch


def at(
    runner: asyncio.Runner, job: Callable[[OpenWatch], Awaitable[Any]], address: str = SHORT
) -> Any:
    async def run() -> Any:
        async with watch_at(address) as watch:
            return await job(watch)

    return runner.run(run())


def test_a_setting_that_reads_back(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        before = await watch.brightness.show()
        assert (before.source, before.setting.level_pct) == ("watch", 15)
        change = await watch.brightness.change({"level_pct": "70"})
        assert change.before == before.setting
        assert change.held == replace(before.setting, level_pct=70)
        assert change.differences == {}
        assert (await watch.brightness.show()).setting == change.held

    at(runner, job)


def test_a_setting_that_does_not_is_remembered_and_what_was_not_given_is_told(
    runner: asyncio.Runner,
) -> None:
    async def job(watch: OpenWatch) -> None:
        assert (await watch.goal.show()).source == "default"
        change = await watch.goal.change({"steps": 7000})
        assert change.held is None
        assert change.before is None
        assert "usual values" in change.remarks[-1]
        shown = await watch.goal.show()
        assert (shown.source, shown.setting.steps) == ("sent", 7000)
        assert shown.sent_utc_s is not None
        again = await watch.goal.change({"sleep_min": 480})
        assert again.sent == Goal(steps=7000, sleep_min=480)
        assert again.remarks == ()

    at(runner, job)


def test_what_the_watch_makes_of_a_value_is_told(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> Any:
        change = await watch.heart_rate.change({"mode": "interval", "interval_s": 290})
        return change.differences

    assert at(runner, job) == {"interval_s": (290, 300)}


def test_a_value_out_of_range_sends_nothing(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        with pytest.raises(UsageError, match=r"goal: steps must be a whole number from 100"):
            await watch.goal.change({"steps": "7"})
        assert (await watch.goal.show()).source == "default"

    at(runner, job)


def test_the_alarms_of_a_day(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        first, second = Alarm(at=time(6, 30), name="Up"), Alarm(at=time(22))
        await watch.alarms.add(first)
        change = await watch.alarms.add(second)
        assert change.held is not None
        assert change.held.alarms == (first, second)
        await watch.alarms.disable(1)
        assert (await watch.alarms.list())[0] == replace(first, on=False)
        await watch.alarms.enable(1)
        await watch.alarms.edit(2, replace(second, name="Bed"))
        assert [alarm.name for alarm in await watch.alarms.list()] == ["Up", "Bed"]
        await watch.alarms.remove(1)
        assert [alarm.name for alarm in await watch.alarms.list()] == ["Bed"]
        for number in (0, 2, 11):
            with pytest.raises(NotFoundError, match=f"no alarm {number}"):
                await watch.alarms.remove(number)
        for _ in range(9):
            await watch.alarms.add(second)
        with pytest.raises(UsageError, match="10 alarms already"):
            await watch.alarms.add(second)

    at(runner, job)


def test_alarms_of_an_older_watch_are_remembered(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        assert await watch.alarms.list() == ()
        change = await watch.alarms.add(Alarm(at=time(6)))
        assert change.held is None
        assert await watch.alarms.list() == (Alarm(at=time(6)),)

    at(runner, job, f"{SHORT}&option=legacy")


def test_a_setting_that_the_watch_does_not_list(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        with pytest.raises(RefusedError, match="capability sleep_period"):
            await watch.sleep_time.write(SleepTime())
        assert SleepTime not in watch.supported
        change = await watch.sleep_time.write(SleepTime(on=True), experimental=True)
        assert change.sent.on

    at(runner, job)


def test_a_change_of_the_language_leaves_unknown_units_alone(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[Any] = []
    open_new = scenarios.open_virtual_watch

    def noted(*arguments: Any, **further: Any) -> Any:
        sessions.append(open_new(*arguments, **further))
        return sessions[-1]

    monkeypatch.setattr(scenarios, "open_virtual_watch", noted)

    async def job(watch: OpenWatch) -> None:
        await watch.language.write(Language(language="french"))
        held = sessions[0][0].settings_held()["03 11"]
        assert (held[0], held[4], held[5]) == (0, 3, 0)
        await watch.units.write(Units(distance="mile"))
        held = sessions[0][0].settings_held()["03 11"]
        assert (held[0], held[4], held[5]) == (2, 3, 1)

    at(runner, job)


@pytest.mark.parametrize("lost_at", range(34))
def test_a_set_up_survives_a_lost_link_anywhere(runner: asyncio.Runner, lost_at: int) -> None:
    text = "[brightness]\nlevel_pct = 80\n[goal]\nsteps = 6000\n[raise-to-wake]\nshow_s = 9\n"
    tables = setting_file.parse(text)

    async def job(watch: OpenWatch) -> None:
        outcomes = {each.setting: each.outcome async for each in setting_file.apply(watch, tables)}
        assert outcomes == {"brightness": "changed", "goal": "sent", "raise-to-wake": "changed"}
        assert (await watch.brightness.show()).setting.level_pct == 80
        again = [each.outcome async for each in setting_file.apply(watch, tables)]
        assert again == ["unchanged"] * 3

    at(runner, job, f"{SHORT}&fault=lose@{lost_at}")


def test_an_action_is_not_done_twice_over_a_lost_link(sync_bench: "SyncBench") -> None:
    watch = sync_bench.watch()
    watch.noted.loses_link_at = lambda data: data[:2] == b"\x06\x04"

    async def job() -> None:
        target = parse_target(watch.identity.address)
        async with sync_bench.on_air(watch), open_watch(target, sync_bench.options) as worn:
            with pytest.raises(LinkLostError):
                await worn.do(FindWatch(on=True))
            assert sum(data[:2] == b"\x06\x04" for data in watch.noted.written) == 1
            watch.noted.loses_link_at = None
            events = await worn.do(FindWatch(on=True))  # the next one makes a new link
            assert isinstance(events[-1], JobDone)

    sync_bench.run(job())


def test_a_silent_watch_ends_in_time_and_a_refusal_does_not_spoil_the_next_job(
    runner: asyncio.Runner,
) -> None:
    async def silent(watch: OpenWatch) -> None:
        del watch

    with pytest.raises(RefusedError, match="did not answer"):
        at(runner, silent, f"{SHORT}&fault=silent")

    async def job(watch: OpenWatch) -> None:
        with pytest.raises(UsageError, match="no app nonsense"):
            await watch.do(ShowNotice("nonsense"))
        assert (await watch.ask(ReadLive(), LiveRead)).steps == 0
        assert await watch.ask_action(ReadErrorLog(), ErrorLogRead) == ErrorLogRead("none", "none")

    at(runner, job)


def test_what_is_told_during_a_job_is_heard_later(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> list[Any]:
        await watch.brightness.write(Brightness(level_pct=33))  # the watch tells of its change
        return [event async for event in watch.listen(4.0)]

    heard = at(runner, job, f"{SHORT}&do=next@2")
    assert MusicKeyPressed("next") in heard
    assert any(isinstance(event, DataChanged) and event.what == "settings" for event in heard)


def test_listening_over_a_lost_link_says_so_and_the_next_call_connects(
    runner: asyncio.Runner,
) -> None:
    async def job(watch: OpenWatch) -> None:
        await watch.close()
        with pytest.raises(LinkLostError, match="closed"):
            _ = watch.info
        assert [event async for event in watch.listen(0.5)] == []
        assert watch.info.product == "Band 8"

    at(runner, job)


def test_clocks(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        shown = await watch_time.show_clock(watch)
        assert abs(shown.drift_s) > 3600
        assert shown.hours is None
        assert abs((await watch_time.set_clock(watch)).drift_s) <= 1
        await watch_time.set_hours(watch, "12_h")
        assert (await watch_time.show_clock(watch)).hours == "12_h"
        wanted = watch.now().replace(tzinfo=None, year=2030, microsecond=0)
        later = await watch_time.set_clock(watch, wanted)
        assert abs((later.wall - wanted).total_seconds()) <= 1
        with pytest.raises(UsageError, match="no zone"):
            await watch_time.set_clock(watch, watch.now())

    at(runner, job, f"{SHORT}&now=2026-01-01T00:00")


# --- what the store remembers


def test_settings_are_remembered_by_watch_and_forgotten_with_it(bench: "StoreBench") -> None:
    with bench.open() as store:
        one, other = bench.add_watch(store), bench.add_watch(store)
        StoreBook(store, one).remember(Goal(steps=5000), 1)
        StoreBook(store, one).remember(Goal(steps=6000), 2)
        store.remember_setting(one.device_id, "from_the_future", {"x": 1}, 3)
        store.remember_setting(one.device_id, "language", {"language": "klingon"}, 3)
    with bench.open() as store:
        sent = StoreBook(store, one).sent()
        assert {kind: each.setting for kind, each in sent.items()} == {Goal: Goal(steps=6000)}
        assert StoreBook(store, other).sent() == {}
        store.forget_device(one.device_id, keep_data=False)
        assert store.database.rows("SELECT * FROM setting") == []


def test_an_older_store_gets_the_new_tables_and_keeps_its_data(
    bench: "StoreBench", monkeypatch: pytest.MonkeyPatch
) -> None:
    from ksos_link.store import database, migrations

    with monkeypatch.context() as older:
        older.setattr(migrations, "_STEPS", migrations._STEPS[:1])
        for module in (migrations, database):
            older.setattr(module, "SCHEMA_VERSION", 1)
        with bench.open() as store:
            bench.commit(store, bench.add_watch(store), "a", {1_700_000_000: 61})
            assert migrations.schema_version(store.database) == 1
    with bench.open() as store:
        assert store.info().schema_version == migrations.SCHEMA_VERSION
        assert len(bench.rows(store)) == 1
        assert store.wearer() is None
        assert store.consents() == {}


def test_the_wearer_is_told_to_a_watch_at_bind_and_on_change(sync_bench: "SyncBench") -> None:
    with sync_bench.stores.open() as store:
        kept, changed = wearer.keep_wearer(store, {"height_cm": "168", "sex": "female"}, 1)
        assert set(changed) >= {"height_cm", "sex"}
        with pytest.raises(UsageError, match="height_cm must be"):
            wearer.keep_wearer(store, {"height_cm": "3"}, 2)
        assert wearer.kept_wearer(store) == kept
    watch = sync_bench.watch(bound=False)
    sync_bench.pair(watch)
    assert watch.noted.settings_held()["03 10"][0] == 168
    written = len(watch.noted.written)
    sync_bench.sync(watch)
    assert not any(each[:2] == b"\x03\x10" for each in watch.noted.written[written:])
    with sync_bench.stores.open() as store:
        _, changed = wearer.keep_wearer(store, {"weight_kg": "61.5"}, 3)
        assert changed == ["weight_kg"]
    sync_bench.sync(watch)
    assert watch.noted.settings_held()["03 10"][1:3] == (6150).to_bytes(2, "little")


def test_a_wearer_that_nobody_can_read_any_more_is_none(bench: "StoreBench") -> None:
    with bench.open() as store:
        store.set_wearer({"height_cm": 3}, 1)
        assert wearer.kept_wearer(store) is None


def test_the_cycle_needs_a_consent_and_goes_with_it(bench: "StoreBench") -> None:
    followed = Cycle(on=True, last_start=date(2026, 11, 1))
    with pytest.raises(PolicyError, match="your consent"):
        MemoryBook().check_allowed(followed)
    MemoryBook().check_allowed(Cycle())
    with bench.open() as store:
        book = StoreBook(store, bench.add_watch(store))
        with pytest.raises(PolicyError) as caught:
            book.check_allowed(followed)
        assert caught.value.hint == "Give it with: ksos privacy allow cycle"
        allow(store, CYCLE, 5)
        allow(store, CYCLE, 9)
        assert store.consents() == {CYCLE: 5}
        book.check_allowed(followed)
        book.remember(followed, 6)
        deny(store, CYCLE)
        assert book.sent() == {}
        with pytest.raises(UsageError, match="no consent nonsense"):
            allow(store, "nonsense", 1)


@pytest.mark.parametrize(
    ("today", "start", "ovulation"),
    [
        (date(2026, 11, 10), date(2026, 11, 29), date(2026, 11, 15)),
        (date(2026, 11, 29), date(2026, 12, 27), date(2026, 12, 13)),  # the day itself is past
        (date(2026, 10, 1), date(2026, 11, 1), date(2026, 10, 18)),  # before the first one
    ],
)
def test_a_worked_case_of_the_cycle(today: date, start: date, ovulation: date) -> None:
    cycle = Cycle(on=True, last_start=date(2026, 11, 1))
    days = cycle_days.predict(cycle, today)
    assert days is not None
    assert (days.period_start, days.ovulation) == (start, ovulation)
    assert (days.period_end - days.period_start).days == 4
    assert (days.fertile_end - days.fertile_start).days == 10
    assert cycle_days.predict(Cycle(), today) is None


# --- whose notices pass


def test_the_choice_of_apps_is_kept_beyond_the_watchs_switches(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        check_app(watch, "teams")  # nobody chose: every app passes
        wanted, remarks = await change_apps(watch, Wish(frozenset(("sms", "teams"))))
        assert wanted.apps == ("sms", "teams")
        assert "teams" in remarks[0]
        assert (await shown_apps(watch)).apps == ("sms", "teams")
        assert (await watch.notices.show()).setting.apps == ("sms",)
        check_app(watch, "teams")
        with pytest.raises(PolicyError, match="kept back"):
            check_app(watch, "whatsapp")
        wanted, _ = await change_apps(watch, Wish(deny=frozenset(("sms",)), calls=False))
        assert wanted == Notices(apps=("teams",), calls=False)
        with pytest.raises(UsageError, match="no app nonsense"):
            check_app(watch, "nonsense")

    at(runner, job)
    with pytest.raises(UsageError, match="allowed and denied"):
        Wish(frozenset(("sms",)), frozenset(("sms",)))
    assert Wish().is_empty


# --- files


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("[goal", ["no TOML"]),
        ("nonsense = 1", ["no setting nonsense"]),
        ("goal = 1", ["goal must be a table"]),
        (
            "[goal]\nsteps = 1\nfoo = 2\n[brightness]\nlevel_pct = 900",
            ["steps must be", "no field foo", "level_pct must be"],
        ),
        ("[sleep-time]\non = true", ["this watch has no setting sleep-time"]),
        ("[[alarm]]\nat = '25:00'", ["at must be a time"]),
        ("[heart-rate-zones]\nwarm_up_bpm = 170", ["zones must rise"]),
    ],
)
def test_a_file_that_is_wrong_stops_whole(
    runner: asyncio.Runner, text: str, reasons: list[str]
) -> None:
    async def job(watch: OpenWatch) -> None:
        with pytest.raises(UsageError) as caught:
            [each async for each in setting_file.apply(watch, setting_file.parse(text))]
        assert all(reason in str(caught.value) for reason in reasons)
        assert (await watch.goal.show()).source == "default"

    at(runner, job)


def test_a_dump_is_applied_to_another_watch_and_changes_nothing_twice(
    runner: asyncio.Runner,
) -> None:
    async def first(watch: OpenWatch) -> str:
        await watch.alarms.add(Alarm(at=time(5, 45), name="Früh"))
        await watch.goal.write(Goal(steps=4321))
        await watch.wearer.write(Wearer(walk_stride_cm=70))
        await watch.units.write(Units(clock="12_h"))
        await watch.language.write(Language(language="german"))
        await watch.raise_to_wake.write(RaiseToWake(on=False))
        return await setting_file.dump(watch)

    text = at(runner, first)
    assert "cycle" not in text
    tables = setting_file.parse(text)

    async def second(watch: OpenWatch) -> None:
        assert await setting_file.diff(watch, tables)
        outcomes = {each.setting: each.outcome async for each in setting_file.apply(watch, tables)}
        assert outcomes["alarms"] == "changed"
        assert outcomes["goal"] == outcomes["unit"] == outcomes["language"] == "sent"
        assert await setting_file.diff(watch, tables) == []
        again = [each.outcome async for each in setting_file.apply(watch, tables)]
        assert set(again) == {"unchanged"}
        again_text = await setting_file.dump(watch)
        assert again_text.splitlines()[2:] == text.splitlines()[2:]

    at(runner, second)


def test_a_set_up_without_alarms_takes_them_off(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        empty = await setting_file.dump(watch)
        assert "alarm = []" in empty
        await watch.alarms.add(Alarm())
        outcomes = [each async for each in setting_file.apply(watch, setting_file.parse(empty))]
        assert any(each.setting == "alarms" and each.outcome == "changed" for each in outcomes)
        assert await watch.alarms.list() == ()

    at(runner, job)


def test_what_a_watch_lacks_can_be_skipped(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        tables = setting_file.parse("[sleep-time]\non = true\n[goal]\nsteps = 4000")
        applied = [
            (each.setting, each.outcome)
            async for each in setting_file.apply(watch, tables, skip_missing=True)
        ]
        assert applied == [("goal", "sent"), ("sleep-time", "skipped")]

    at(runner, job)


def test_a_value_that_the_watch_snaps_is_reported(runner: asyncio.Runner) -> None:
    async def job(watch: OpenWatch) -> None:
        tables = setting_file.parse("[heart-rate]\nmode = 'interval'\ninterval_s = 290")
        (applied,) = [each async for each in setting_file.apply(watch, tables)]
        assert applied.outcome == "held_otherwise"
        assert applied.held == {"interval_s": (290, 300)}

    at(runner, job)
