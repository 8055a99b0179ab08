"""Settings on the command line: what is set is shown, and what cannot be is refused before."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.registry import FAMILIES
from firmware_protocol.settings import SETTINGS, Alarm, Setting, setting_fields
from firmware_protocol.settings.kinds import (
    Choice,
    Day,
    Days,
    Kind,
    Names,
    Number,
    Switch,
    TimeOfDay,
)
from firmware_protocol.settings.person import LANGUAGES
from firmware_protocol.settings.setting import SettingField
from ksos_link.cli.language_command import language_named
from ksos_link.cli.run import GLOBAL_SWITCHES, GLOBAL_WITH_VALUE
from ksos_link.cli.setting_options import checked_values, meaning_of, option_of
from ksos_link.errors import UsageError
from tests.ksos_link.command_results import cells, objects
from tests.ksos_link.lasting_watch import WATCH

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, Said

IDO = FAMILIES[0]
SETS = {  # a setting: the words that show it, the words that set it
    "goal": ("goal show", "goal set"),
    "unit": ("unit show", "unit set"),
    "dnd": ("dnd show", "dnd set"),
    "sleep-time": ("sleep-time show", "sleep-time set"),
    "sitting": ("reminder show sitting", "reminder set sitting"),
    "walking": ("reminder show walking", "reminder set walking"),
    "drinking": ("reminder show drinking", "reminder set drinking"),
    "heart-rate": ("measure show heart-rate", "measure set heart-rate"),
    "heart-rate-zones": ("measure show zones", "measure set zones"),
    "heart-rate-alarm": ("measure show heart-rate-alarm", "measure set heart-rate-alarm"),
    "spo2": ("measure show spo2", "measure set spo2"),
    "stress": ("measure show stress", "measure set stress"),
    "sport-detection": ("sport autodetect show", "sport autodetect set"),
    "brightness": ("display show brightness", "display set brightness"),
    "raise-to-wake": ("display show raise-to-wake", "display set raise-to-wake"),
    "orientation": ("display show orientation", "display set orientation"),
    "wrist": ("display show wrist", "display set wrist"),
    "shortcut": ("display show shortcut", "display set shortcut"),
}
ENDS = ("least", "most")


def one_object(said: "Said") -> dict[str, Any]:
    (found,) = objects(said)
    assert isinstance(found, dict)
    return found


def end_of(kind: Kind, end: str) -> str:
    """The text of one end of what a field takes."""
    first = end == "least"
    match kind:
        case Switch():
            return "off" if first else "on"
        case Number(least, most):
            return f"{least if first else most:g}"
        case TimeOfDay():
            return "00:00" if first else "23:59"
        case Choice(names) | Names(names):
            return names[0] if first else names[-1]
        case Days():
            return "none" if first else "sunday"
        case Day(first_day, last_day):
            return str(first_day if first else last_day)
    raise AssertionError(kind)


def options(kind: type[Setting], end: str) -> list[str]:
    texts = {each.name: end_of(each.kind, end) for each in setting_fields(kind)}
    texts.update(RISING.get((kind.NAME, end), {}))
    return [word for name, text in texts.items() for word in (option_of(name), text)]


_ZONES = ("minimum", "warm_up", "fat_burn", "aerobic", "anaerobic", "extreme", "maximum")
RISING = {  # ends that go together
    ("heart-rate-zones", "least"): {
        f"{name}_bpm": bpm
        for name, bpm in zip(_ZONES, ("0", "30", "40", "50", "60", "70", "100"), strict=True)
    },
    ("heart-rate-zones", "most"): {
        f"{name}_bpm": bpm
        for name, bpm in zip(_ZONES, ("100", "200", "210", "220", "230", "240", "240"), strict=True)
    },
}


COARSER = {  # what the watch keeps of an end
    ("heart-rate", "most"): {"interval_s": {"asked": 65535, "held": 1800}},
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", SETS)
def test_what_is_set_is_shown(wrist: "CommandLine", name: str, end: str) -> None:
    kind, (show, put) = SETTINGS[name], SETS[name]
    asked = options(kind, end)
    done = one_object(wrist(*put.split(), *asked, "--json", "--experimental"))
    shown = one_object(wrist(*show.split(), "--json", "--experimental"))
    fields = {each.name for each in setting_fields(kind)}
    assert done["setting"] == shown["setting"] == name
    now = done["sent"] if done["held"] is None else done["held"]
    assert done["differences"] == COARSER.get((name, end), {})
    assert {key: shown[key] for key in fields if key in now} == now
    assert shown["source"] == ("watch" if IDO.settings[kind].readable else "sent")


def test_every_setting_of_the_family_has_a_command() -> None:
    elsewhere = {"alarms", "wearer", "language", "sport-order", "cycle"}
    other_nouns = {"notices", "find-phone", "music", "weather", "sos", "phone-volume"}
    assert {kind.NAME for kind in IDO.settings} <= {*SETS, *elsewhere, *other_nouns}
    for kind in SETTINGS.values():
        for each in setting_fields(kind):
            assert option_of(each.name) not in (*GLOBAL_WITH_VALUE, *GLOBAL_SWITCHES)


# ---- what is refused before anybody connects

NOBODY = "virtual:tcp:127.0.0.1:1"  # exit 4 for who tries
BAD: dict[type[Kind], tuple[str, ...]] = {
    Switch: ("maybe", "2", ""),
    Number: ("-1", "1e9", "nan", "inf", "many", ""),
    TimeOfDay: ("24:00", "7", "7:60", "half past", "-1:00", ""),
    Choice: ("nothing-like-it", ""),
    Days: ("someday", "mo", "monday;friday"),
}
FIELDS = [(put, each) for name, (_, put) in SETS.items() for each in setting_fields(SETTINGS[name])]


@pytest.mark.parametrize(
    ("put", "each"), FIELDS, ids=[f"{put} {each.name}" for put, each in FIELDS]
)
def test_a_value_out_of_range_is_refused_with_the_range(
    ksos: "CommandLine", put: str, each: SettingField
) -> None:
    for text in BAD[type(each.kind)]:
        said = ksos(*put.split(), f"{option_of(each.name)}={text}", "--device", NOBODY)
        assert (said.code, said.out) == (2, ""), text
        assert said.err.startswith(f"error: {option_of(each.name)} must be {each.kind.describes}")
        assert "Traceback" not in said.err


EVERY_FIELD = [
    (kind, each) for kind in (*SETTINGS.values(), Alarm) for each in setting_fields(kind)
]
ODD = st.one_of(
    st.text(max_size=12),
    st.sampled_from(("9" * 400, "1e400", "\ud800", "07:07:07", "٣", "none", "-0", "0x10", ",,")),
)


@given(st.sampled_from(EVERY_FIELD), ODD)
def test_any_text_is_a_value_within_the_range_or_a_usage_error(
    one: tuple[type[Setting], SettingField], text: str
) -> None:
    kind, each = one
    told = ""
    try:
        value = checked_values(kind, {each.name: text})[each.name]
        assert value is None or each.kind.check(value) is None  # it raises otherwise
    except UsageError as error:
        told = str(error)
    assert not told or told.startswith(f"{option_of(each.name)} must be ")


@pytest.mark.parametrize("name", SETS)
def test_at_least_one_field_is_needed(ksos: "CommandLine", name: str) -> None:
    said = ksos(*SETS[name][1].split(), "--device", NOBODY)
    assert said.code == 2
    for each in setting_fields(SETTINGS[name]):
        assert option_of(each.name) in said.err


@pytest.mark.parametrize(
    "words",
    [
        "sport order set outdoor_run jumping-to-conclusions",
        "sport order set outdoor_run code_999",
        f"sport order set code_{'1' * 5000}",
        "language set klingon",
        "measure show steps",
        "measure now steps",
        "display show colours",
        "goal set --steps",
        "goal set --jumps 7",
    ],
)
def test_what_does_not_exist_is_refused(ksos: "CommandLine", words: str) -> None:
    said = ksos(*words.split(), "--device", NOBODY)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: ")


def test_fields_that_do_not_fit_each_other_are_refused(wrist: "CommandLine") -> None:
    before = wrist("measure", "show", "zones", "--json").out
    said = wrist("measure", "set", "zones", "--warm-up-bpm", "170")
    assert said.code == 2
    assert "zones must rise from minimum_bpm to maximum_bpm" in said.err
    assert wrist("measure", "show", "zones", "--json").out == before


# ---- what is said


def test_a_change_leaves_the_other_fields(wrist: "CommandLine") -> None:
    assert wrist("dnd", "set", "--night", "on", "--start", "23:00", "--end", "7:00").code == 0
    done = one_object(wrist("dnd", "set", "--days", "mon,fri", "--json"))
    assert done["before_source"] == "watch"
    shown = one_object(wrist("dnd", "show", "--json"))
    assert (shown["night"], shown["start"], shown["end"]) == (
        True,
        "23:00",
        "07:00",
    )  # past midnight
    assert shown["days"] == ["monday", "friday"]
    assert cells(wrist("dnd", "show"))[:5] == [
        ["field", "value"],
        ["night", "on"],
        ["start", "23:00"],
        ["end", "07:00"],
        ["days", "mon,fri"],
    ]


def test_what_a_watch_cannot_tell_is_shown_as_it_was_sent(wrist: "CommandLine") -> None:
    said = wrist("goal", "show")
    assert said.err == "source     usual values; what this watch holds is not known\n"
    said = wrist("goal", "set", "--steps", "8000")
    assert ["steps", "not known", "8000"] in cells(said)
    assert "The watch took it; it cannot be asked what it holds.\n" in said.out
    assert "usual values went out with it" in said.err
    said = wrist("goal", "show")
    assert ["steps", "8000"] in cells(said)
    assert said.err.startswith("source     as sent on 20")
    said = wrist("goal", "set", "--steps", "9000")
    assert cells(said)[:2] == [["field", "before", "after"], ["steps", "8000", "9000"]]
    assert said.err == ""
    shown = one_object(wrist("goal", "show", "--json"))
    assert shown["source"] == "sent"
    assert shown["sent_utc"].endswith("Z")


def test_a_watch_that_was_never_paired_is_set_and_forgotten(ksos: "CommandLine") -> None:
    assert ksos("goal", "set", "--steps", "8000", "--device", WATCH).code == 0
    assert not ksos.home.exists()


def test_strict_fails_where_the_watch_holds_less(wrist: "CommandLine") -> None:
    words = ("measure", "set", "heart-rate", "--mode", "interval", "--interval-s", "7000")
    said = wrist(*words)
    assert said.code == 0
    assert "The watch holds interval_s 1800 instead of 7000.\n" in said.out
    said = wrist(*words, "--strict")
    assert said.code == 6
    assert "The watch holds interval_s 1800" in said.out
    assert "otherwise than what was asked" in said.err
    assert wrist(*words, "--strict", "--json").code == 6
    assert wrist("display", "set", "brightness", "--level-pct", "50", "--strict").code == 0


def test_a_field_that_the_watch_does_not_tell_is_named(wrist: "CommandLine") -> None:
    said = wrist("dnd", "set", "--all-day", "on")
    assert said.code == 0
    assert said.out.endswith("The watch holds the rest so; it does not tell all_day.\n")


def test_a_setting_that_the_watch_does_not_list_is_named(wrist: "CommandLine") -> None:
    said = wrist("display", "set", "orientation", "--orientation", "portrait")
    assert said.code == 6
    assert "display_mode" in said.err
    assert (
        wrist("display", "set", "orientation", "--orientation=portrait", "--experimental").code == 0
    )
    said = wrist("display", "show")
    assert "absent     orientation: this watch does not list display_mode\n" in said.err
    assert {row[0] for row in cells(said)} == {"setting", "brightness", "raise-to-wake", "wrist"}


def test_several_settings_are_shown_as_json_lines(wrist: "CommandLine") -> None:
    said = wrist("measure", "show", "--json")
    listed = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == ""
    assert [each["setting"] for each in listed][:2] == ["heart-rate", "heart-rate-zones"]
    one = one_object(wrist("measure", "show", "heart-rate", "--json"))
    assert one == listed[0]


def test_reminders_are_listed_each_in_one_line(wrist: "CommandLine") -> None:
    words = "reminder set walking --on on --hourly-steps 250 --quiet-time on --days weekend"
    assert wrist(*words.split()).code == 0
    said = wrist("reminder", "list")
    walking = next(row for row in cells(said) if row[0] == "walking")
    assert walking == ["walking", "on", "09:00", "21:00", "", "250", "weekend", "sent"]
    listed = [json.loads(line) for line in wrist("reminder", "list", "--json").out.splitlines()]
    assert next(each for each in listed if each["setting"] == "walking")["quiet"] is True


def test_a_language_has_a_name_and_a_code(wrist: "CommandLine") -> None:
    for word, name in (("german", "german"), ("pt-BR", "brazilian_portuguese")):
        done = one_object(wrist("language", "set", word, "--json"))
        assert done["asked"] == {"language": name}
        assert one_object(wrist("language", "show", "--json"))["language"] == name
    listed = [json.loads(line) for line in wrist("language", "list", "--json").out.splitlines()]
    assert len({each["code"] for each in listed}) == len(listed) == len(LANGUAGES)
    for each in listed:
        assert language_named(each["code"]) == language_named(each["language"]) == each["language"]
    assert cells(wrist("language", "list"))[2] == ["en", "english"]


def test_sports_are_listed_and_ordered(wrist: "CommandLine") -> None:
    listed = [json.loads(line) for line in wrist("sport", "list", "--json").out.splitlines()]
    assert len({each["ksos_id"] for each in listed} - {None}) == 176
    run = next(each for each in listed if each["name"] == "outdoor_run")
    assert (run["ksos_id"], run["title"], run["group"]) == (200, "Outdoor Run", "outdoor")
    assert [IDO.sports[code] for code in run["codes"]["ido"]] == ["outdoor_run"] * len(
        run["codes"]["ido"]
    )
    assert run["codes"]["ido"]
    assert cells(wrist("sport", "list"))[0] == ["ksos_id", "name", "title", "group", "codes"]
    order = ["pool_swim", "outdoor_run", "yoga"]
    done = one_object(wrist("sport", "order", "set", *order, "--json"))
    assert done["asked"]["sports"] == order
    assert one_object(wrist("sport", "order", "show", "--json"))["sports"] == order


def test_the_last_heart_rate_is_shown(ksos: "CommandLine") -> None:
    watch = "virtual:ido?scenario=full-day"
    found = one_object(ksos("measure", "now", "--json", "--device", watch))
    assert 30 < found["bpm"] < 220
    assert (found["metric"], found["started"]) == ("heart_rate", False)
    said = ksos("measure", "now", "--device", watch)
    assert said.out == f"{found['bpm']} bpm, the watch's last reading\n"


def test_what_nobody_can_measure_is_refused(ksos: "CommandLine") -> None:
    said = ksos("measure", "now", "--device", WATCH)
    assert (said.code, said.out) == (3, "")
    assert "no heart rate yet" in said.err
    for metric in ("spo2", "stress"):
        said = ksos("measure", "now", metric, "--device", WATCH, "--experimental")
        assert (said.code, said.out) == (6, "")


# ---- on a terminal


def on_terminal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sys.stdout, "isatty", lambda: True)
    patch.setenv("COLUMNS", "60")


def test_a_setting_stands_in_two_columns(
    wrist: "CommandLine", monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    said = wrist("goal", "show")
    assert said.out.startswith("steps         10000\nenergy_kcal   500\n")
    shown = wrist("display", "show").out
    assert shown.startswith("brightness  (the watch)\n  level_pct        15\n")
    assert "\n\nwrist  (usual values; what this watch holds is not known)\n  wrist  left\n" in shown


def test_a_change_shows_both_values(wrist: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    said = wrist("display", "set", "brightness", "--level-pct", "70", "--screen-on-s", "9")
    assert said.out == "level_pct    15 -> 70\nscreen_on_s  5  -> 9\nThe watch holds it so.\n"
    said = wrist("display", "set", "brightness", "--level-pct", "70")
    assert said.out == "The watch holds it so.\n"


def test_long_values_are_wrapped(wrist: "CommandLine", monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    names = ("outdoor_run", "outdoor_walk", "outdoor_cycle", "pool_swim", "yoga", "pilates")
    said = wrist("sport", "order", "set", *names)
    assert said.out.startswith("sports\n  before  not known\n  after   outdoor_run, outdoor_walk,")
    assert max(map(len, said.out.splitlines())) <= 60
    assert said.err == ""  # all of it was said; nothing usual went out with it


# ---- watches that do not answer


@pytest.mark.parametrize(
    "words", ["goal set --steps 8000", "dnd show", "alarm list", "measure show"]
)
def test_a_silent_watch_ends_with_six_and_the_next_command_works(
    wrist: "CommandLine", words: str
) -> None:
    said = wrist(*words.split(), "--device", f"{WATCH}&fault=silent")
    assert said.code == 6, said.err
    assert said.out == ""
    assert wrist(*words.split()).code == 0


def test_a_watch_of_nobody_is_refused(ksos: "CommandLine") -> None:
    said = ksos("goal", "set", "--steps", "8000", "--device", "virtual:ido?scenario=never-bound")
    assert said.code == 6
    assert "ksos watch pair" in said.err


def test_several_watches_need_a_name(wrist: "CommandLine") -> None:
    assert wrist("watch", "pair", f"{WATCH}&seed=2", "--alias", "ankle").code == 0
    said = wrist("goal", "show")
    assert said.code == 2
    assert "wrist, ankle" in said.err
    assert wrist("goal", "set", "--steps", "7000", "--device", "ankle").code == 0
    assert one_object(wrist("goal", "show", "--device", "wrist", "--json"))["source"] == "default"
    assert one_object(wrist("goal", "show", "--device", "ankle", "--json"))["steps"] == 7000


# ---- the manual

MANUAL = Path(__file__).parents[2] / "docs" / "manual.md"


@pytest.mark.parametrize("name", SETS)
def test_help_and_manual_say_the_same_of_a_field(ksos: "CommandLine", name: str) -> None:
    put = SETS[name][1]
    section = MANUAL.read_text("utf-8").partition(f"\n## ksos {put}\n")[2].partition("\n## ")[0]
    shown = " ".join(ksos(*put.split(), "--help").out.split())
    for each in setting_fields(SETTINGS[name]):
        meaning = meaning_of(each)
        assert f"{option_of(each.name)} " in shown
        assert meaning in shown
        assert re.search(
            rf"(?mi)^\| `{option_of(each.name)} [^`]+` \| {re.escape(meaning[:-1])} \|$", section
        )


@pytest.mark.parametrize(
    "words",
    [
        *("goal show", "goal set --steps 8000", "measure show", "measure now", "reminder list"),
        *("language list", "sport list", "alarm add --at 7:30", "alarm list", "clock show"),
        *("setting list", "wearer set --height-cm 168", "wearer push", "wearer show"),
        *("display set brightness --level-pct 50", "reminder remove cycle", "clock set"),
    ],
)
def test_every_name_of_json_stands_in_the_manual(wrist: "CommandLine", words: str) -> None:
    text = MANUAL.read_text("utf-8")
    assert wrist("wearer", "set", "--height-cm", "170", "--no-push").code == 0
    watch = ("--device", "virtual:ido?scenario=full-day") if words == "measure now" else ()
    said = wrist(*words.split(), *watch, "--json")
    assert said.code == 0, said.err
    heading = next(
        part
        for length in (3, 2)
        if (part := f"\n## ksos {' '.join(words.split()[:length])}\n") in text
    )
    parts = [text.partition(each)[2].partition("\n## ")[0] for each in (heading, "\n## Settings\n")]
    for line in said.out.splitlines():
        found = json.loads(line)
        setting = SETTINGS.get(found.get("setting", ""))
        fields = {each.name for each in setting_fields(setting)} if setting else set()
        assert {key for key in found if f"`{key}`" not in "".join(parts)} <= fields


# ---- completion


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("ksos dnd set --all-day ", ["on", "off", "none"]),
        ("ksos unit set --distance m", ["mile"]),
        ("ksos dnd set --days monday,sat", ["monday,saturday"]),
        ("ksos language set ger", ["german"]),
        ("ksos display show bri", ["brightness"]),
        ("ksos sport order set pool", ["pool_swim"]),
        ("ksos measure now sp", ["spo2"]),
    ],
)
def test_a_shell_completes_values(
    ksos: "CommandLine", monkeypatch: pytest.MonkeyPatch, words: str, wanted: list[str]
) -> None:
    monkeypatch.setenv("_KSOS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    assert ksos().out.split() == wanted
