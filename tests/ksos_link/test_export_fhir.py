"""FHIR: what a clinical program finds in the Bundle, and that each value is a stored one."""

import io
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.samples import METRICS, SleepStage
from ksos_link.errors import StoreError
from ksos_link.export.clinical_codes import (
    ASLEEP,
    DAY_ENERGY,
    DAY_MOST_BPM,
    DAY_STEPS,
    MEASURES,
    SLEEP_PARTS,
    STAGE,
    Coded,
)
from ksos_link.export.even_runs import LEAST_RUN, MOST_RUN, even_runs
from ksos_link.export.fhir import write_fhir
from ksos_link.export.identity import uid_of
from ksos_link.export.source import ExportDevice, Row
from tests.ksos_link.health_files import (
    NIGHT,
    SUMMER_ENDS,
    WATCH,
    BerlinSource,
    everything,
    of_metrics,
    row,
    seconds,
    stored,
)

if TYPE_CHECKING:
    from tests.ksos_link.conftest import CommandLine, SizeLimit

NO_PLACE = ("battery", "workout_point")
FIGURES = ("day_steps", "day_energy_kcal", "day_bpm_max")
Found = dict[tuple[str, str, int], dict[str, Any]]


def bundle_of(source: BerlinSource) -> dict[str, Any]:
    text = io.StringIO()
    write_fhir(source, text, now=lambda: 1_800_000_000.5)
    bundle: dict[str, Any] = json.loads(text.getvalue())
    Bundle.model_validate(bundle)
    return bundle


def resources(bundle: dict[str, Any], kind: str = "Observation") -> list[dict[str, Any]]:
    found = (entry["resource"] for entry in bundle["entry"])
    return [resource for resource in found if resource["resourceType"] == kind]


def own_code(concept: dict[str, Any]) -> str:
    (code,) = (each["code"] for each in concept["coding"] if each["system"].startswith("urn:ksos"))
    return str(code)


def loinc(observation: dict[str, Any]) -> list[str]:
    codes = observation["code"]["coding"]
    return [each["code"] for each in codes if each["system"] == "http://loinc.org"]


def named(bundle: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [one for one in resources(bundle) if own_code(one["code"]) == code]


def values_of(observation: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each sample of an observation: its instant, and its values by our names."""
    when = observation.get("effectiveDateTime") or observation["effectivePeriod"]["start"]
    start, code = seconds(when), own_code(observation["code"])
    if "valueSampledData" in observation:
        sampled = observation["valueSampledData"]
        for place, text in enumerate(sampled["data"].split()):
            yield start + place * sampled["period"] // 1000, {code: float(text)}
        return
    values = {
        own_code(part["code"]): part["valueQuantity"]["value"]
        for part in observation.get("component", ())
    }
    if "valueQuantity" in observation:
        values[code] = observation["valueQuantity"]["value"]
    if "valueCodeableConcept" in observation:
        values[code] = own_code(observation["valueCodeableConcept"])
    yield start, values


def samples_in(bundle: dict[str, Any]) -> Found:
    """Every sample in a Bundle by metric, device and UTC second; figures of days are left out."""
    aliases = {
        entry["fullUrl"]: entry["resource"]["deviceName"][0]["name"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Device"
    }
    found: Found = {}
    for observation in resources(bundle):
        code = own_code(observation["code"])
        if code in FIGURES:
            continue
        for start, values in values_of(observation):
            key = (code, aliases[observation["device"]["reference"]], start)
            assert key not in found
            found[key] = values
    return found


def check_sample(metric: str, values: dict[str, Any], sample: dict[str, Any]) -> None:
    """Nothing in the file that is not in the stored sample, and all of it."""
    columns = {name: sample[name] for name in METRICS[metric].column_names if name in sample}
    if metric == "sleep":
        assert SleepStage(int(values["sleep"])).name.lower() == columns["stage"]
        return
    if metric == "sleep_summary":
        asleep = values.pop("sleep_summary")
        assert asleep == sum(columns[f"{part}_min"] for part in ("light", "deep", "rem"))
    if metric == "workout":
        assert values.pop("workout") == columns.pop("sport")
        del columns["sport_code"]
    elif METRICS[metric].interval:
        del columns["duration_s"]
    if set(values) == {metric} or metric == "workout_split":
        assert list(values.values()) == list(columns.values())
    else:
        assert values == columns


@pytest.mark.parametrize("scenario", ["full-day", "runner", "month"])
def test_each_value_is_a_stored_one(ksos: "CommandLine", scenario: str, tmp_path: Path) -> None:
    assert ksos("watch", "pair", f"virtual:ido?scenario={scenario}", "--alias", "wrist").code == 0
    assert ksos("sync").code == 0
    samples = stored(ksos)
    said = ksos("export", "--format", "fhir", "--out", tmp_path)
    assert said.code == 0
    assert "ksos.fhir.json" in said.out
    bundle = json.loads((tmp_path / "ksos.fhir.json").read_text())
    Bundle.model_validate(bundle)
    found = samples_in(bundle)
    assert set(found) == of_metrics(samples, *NO_PLACE)
    for (metric, device, start), values in found.items():
        check_sample(metric, values, samples[metric, device, start])
    if scenario != "full-day":
        for figure in named(bundle, "day_steps"):
            begin, end = (seconds(figure["effectivePeriod"][each]) for each in ("start", "end"))
            steps = sum(
                sample["steps"]
                for (metric, _, start), sample in samples.items()
                if metric == "steps" and begin <= start < end
            )
            assert figure["valueQuantity"]["value"] == steps > 0
        assert len(named(bundle, "day_steps")) == (5 if scenario == "runner" else 28)
        assert any("valueSampledData" in one for one in named(bundle, "workout_heart_rate"))


def test_what_a_virtual_watch_never_has() -> None:
    bundle = bundle_of(everything())
    assert {(k[0], k[2]): v for k, v in samples_in(bundle).items() if k[0] == "rr_interval"} == {
        ("rr_interval", NIGHT): {"rr_interval": 812},
        ("rr_interval", NIGHT + 1): {"rr_interval": 823},
    }
    first, second = named(bundle, "heart_rate_variability")
    assert [own_code(part["code"]) for part in first["component"]] == ["sdnn_ms", "rmssd_ms"]
    assert [part["valueQuantity"]["value"] for part in second["component"]] == [41.0]
    wrist, body = named(bundle, "temperature")
    assert (wrist["bodySite"], wrist["valueQuantity"]["code"]) == ({"text": "wrist"}, "Cel")
    assert body["valueQuantity"]["value"] == 36.75
    (weight,) = named(bundle, "weight")
    assert (loinc(weight), weight["valueQuantity"]["value"]) == (["29463-7"], 61.25)
    (swim,) = named(bundle, "swim")
    assert [own_code(part["code"]) for part in swim["component"]] == ["distance_m", "laps"]


def test_a_reading_that_was_none_is_absent_and_zero_is_zero() -> None:
    bundle = bundle_of(everything())
    assert [one["valueQuantity"]["value"] for one in named(bundle, "heart_rate")] == [58, 59]
    assert [one["valueQuantity"]["value"] for one in named(bundle, "spo2")] == [97]
    assert [one["valueQuantity"]["value"] for one in named(bundle, "stress")] == [0]
    still, unknown = named(bundle, "activity")
    assert len(still["component"]) == 5
    assert [own_code(part["code"]) for part in unknown["component"]] == ["distance_m"]


def test_local_time_is_that_of_the_day() -> None:
    bundle = bundle_of(everything())
    (steps,) = named(bundle, "steps")  # over the end of summer time
    assert steps["effectivePeriod"] == {
        "start": "2026-10-25T02:45:00+02:00",
        "end": "2026-10-25T02:15:00+01:00",
    }
    (resting,) = named(bundle, "resting_heart_rate")  # a day of 25 hours
    assert resting["effectivePeriod"] == {
        "start": "2026-10-25T00:00:00+02:00",
        "end": "2026-10-26T00:00:00+01:00",
    }
    assert bundle["timestamp"] == "2027-01-15T08:00:00Z"


def test_how_sure_a_sample_is_stands_with_it() -> None:
    bundle = bundle_of(everything())
    sure, unsure = named(bundle, "heart_rate")
    assert (sure["status"], "note" in sure) == ("final", False)
    assert unsure["status"] == "preliminary"
    assert unsure["note"] == [{"text": "quality: provisional"}]


def test_the_patient_is_who_the_wearer_said() -> None:
    (patient,) = resources(bundle_of(everything()), "Patient")
    assert (patient["gender"], patient["birthDate"]) == ("female", "1988-02-29")
    nobody = BerlinSource(all_rows={"weight": [row("weight", NIGHT, 70.0)]})
    assert resources(bundle_of(nobody), "Patient") == [{"resourceType": "Patient"}]


def test_names_that_are_a_nuisance() -> None:
    device = ExportDevice("=w\x1b[2J\ud800\u0000", "K\u0007S", "ido")
    rows = {"weight": [row("weight", NIGHT, 70.0, device=device.alias)]}
    (found,) = resources(bundle_of(BerlinSource(devices=(device,), all_rows=rows)), "Device")
    assert found["deviceName"][0]["name"] == "=w[2J"
    assert found["modelNumber"] == "KS"


@pytest.mark.parametrize(("utc_s", "text"), [(0, "1970-01-01T02"), (4_102_444_799, "2100-01-01T0")])
def test_a_clock_far_off(utc_s: int, text: str) -> None:
    rows = {"heart_rate": [row("heart_rate", utc_s, 60)]}
    (one,) = named(bundle_of(BerlinSource(all_rows=rows)), "heart_rate")
    assert one["effectiveDateTime"].startswith(text)


def test_a_dense_series_is_one_observation_until_its_step_or_quality_changes() -> None:
    steps = [*range(0, 600, 5), *range(607, 650, 7)]
    beats = [row("heart_rate", NIGHT + s, 60 + s % 7, quality=s >= 300) for s in steps]
    bundle = bundle_of(BerlinSource(all_rows={"heart_rate": beats}))
    series = [one for one in named(bundle, "heart_rate") if "valueSampledData" in one]
    assert [one["status"] for one in series] == ["final", "preliminary"]
    assert series[0]["valueSampledData"]["period"] == 5000
    assert series[0]["effectivePeriod"]["start"] == "2026-10-25T01:00:00+02:00"
    assert series[0]["effectivePeriod"]["end"] == "2026-10-25T01:04:55+02:00"
    found = {key[2]: values["heart_rate"] for key, values in samples_in(bundle).items()}
    assert found == {each[1]: each[2] for each in beats}


@given(
    st.lists(st.tuples(st.sampled_from([1, 5, 5, 5, 5, 5, 300, 4000]), st.integers(0, 1))),
    st.integers(1, 40),
)
def test_runs_hold_all_samples_in_order(steps: list[tuple[int, int]], repeat: int) -> None:
    rows: list[Row] = []
    at = 0
    for step, quality in steps * repeat:
        at += step
        rows.append(row("heart_rate", at, 60, quality=quality))
    runs = list(even_runs(rows, 3))
    assert [each for run in runs for each in run] == rows
    for run in runs:
        assert len(run) == 1 or LEAST_RUN <= len(run) <= MOST_RUN
        starts = [int(each[1] or 0) for each in run]
        assert len({later - start for start, later in pairwise(starts)}) <= 1
        assert len({each[3] for each in run}) == 1


def test_a_long_series_is_cut() -> None:
    rows = [row("heart_rate", second, 60) for second in range(MOST_RUN + 20)]
    assert [len(run) for run in even_runs(rows, 3)] == [MOST_RUN, 20]


def test_only_whole_days_have_sums() -> None:
    midnight = SUMMER_ENDS - 10_800  # 25 October in Berlin, a day of 25 hours
    hours = range(-5, 30)
    rows = {
        "steps": [row("steps", midnight + hour * 3600, 3600, 10) for hour in hours],
        "activity": [
            row("activity", midnight + hour * 3600, 3600, None, None, None, energy, 0)
            for hour, energy in zip(hours, [70] * 20 + [None] + [70] * 20, strict=False)
        ],
        "heart_rate": [row("heart_rate", midnight + hour * 3600, 60 + hour) for hour in hours],
    }
    bundle = bundle_of(BerlinSource(all_rows=rows))
    (steps,) = named(bundle, "day_steps")
    assert (steps["valueQuantity"]["value"], loinc(steps)) == (250, ["41950-7"])
    assert steps["effectivePeriod"]["end"] == "2026-10-26T00:00:00+01:00"
    (most,) = named(bundle, "day_bpm_max")
    assert (most["valueQuantity"]["value"], loinc(most)) == (84, ["8873-2"])
    assert named(bundle, "day_energy_kcal") == []  # one hour has none


def test_names_stay_when_the_alias_changes_and_are_unique() -> None:
    first = bundle_of(everything())
    renamed = everything()
    renamed.devices = (ExportDevice("other", "KS Watch", "ido", uid=WATCH.uid),)
    renamed.all_rows = {"weight": [row("weight", NIGHT, 61.25, device="other")]}
    renamed.all_workouts = ()
    urls = [entry["fullUrl"] for entry in first["entry"]]
    assert len(set(urls)) == len(urls)
    assert {entry["fullUrl"] for entry in bundle_of(renamed)["entry"]} <= set(urls)
    kinds = (*METRICS, *FIGURES, "wearer", "device", "SleepSessionRecord", "ExerciseSessionRecord")
    assert len({uid_of(WATCH, kind)(5) for kind in kinds}) == len(kinds)
    assert uid_of(WATCH, "steps")(5) != uid_of(ExportDevice("wrist", "KS Watch", "ido"), "steps")(5)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, file_size_limit: "SizeLimit") -> None:
    beats = [row("heart_rate", NIGHT + s * s, 60) for s in range(1, 2000)]
    source = BerlinSource(all_rows={"heart_rate": beats})
    with file_size_limit(100_000), pytest.raises(StoreError, match="full"):
        write_fhir(source, tmp_path / "ksos.fhir.json")
    assert list(tmp_path.iterdir()) == []


# ---- codes and units: nothing checks these but us

CODES_AND_UNITS = {
    "8867-4": "/min",
    "40443-4": "/min",
    "8873-2": "/min",
    "55425-3": "/min",
    "55426-1": "/min",
    "2708-6": "%",
    "59408-5": "%",
    "55423-8": "{steps}",
    "41950-7": "{steps}",
    "41979-6": "kcal",
    "55424-6": "kcal",
    "55430-3": "m",
    "8310-5": "Cel",
    "29463-7": "kg",
    "80404-7": "ms",
    "93832-4": "min",
    "93831-6": "min",
    "93830-8": "min",
    "93829-0": "min",
    "55411-3": "s",
    "73985-4": "",
}
UCUM = {"/min", "%", "kcal", "m", "m/s", "Cel", "kg", "ms", "min", "s", "dB[SPL]", "mL/kg/min", ""}


def all_codes() -> list[Coded]:
    parts = [code for measure in MEASURES for code in (measure.components or {}).values()]
    days = [DAY_STEPS, DAY_ENERGY, DAY_MOST_BPM]
    return [*(m.code for m in MEASURES), *parts, ASLEEP, STAGE, *SLEEP_PARTS.values(), *days]


def test_each_code_has_its_unit() -> None:
    found = {code: coded.ucum for coded in all_codes() for code, _ in coded.loinc}
    assert found == CODES_AND_UNITS
    annotations = {coded.ucum for coded in all_codes() if coded.ucum.startswith("{")}
    assert annotations == {"{steps}", "{laps}", "{score}", "{level}"}
    assert {coded.ucum for coded in all_codes()} - annotations <= UCUM


@pytest.mark.parametrize("code", CODES_AND_UNITS)
def test_a_code_of_loinc_ends_in_its_check_digit(code: str) -> None:
    digits, check = code.split("-")  # modulus 10, as LOINC's manual gives it
    doubled = "".join(str(int(d) * (2 - i % 2)) for i, d in enumerate(reversed(digits)))
    assert -sum(map(int, doubled)) % 10 == int(check)


def test_every_metric_has_its_place_or_is_known_to_have_none() -> None:
    placed = {measure.metric for measure in MEASURES} | {"sleep", "sleep_summary"}
    assert placed | set(NO_PLACE) == set(METRICS)
    for measure in MEASURES:
        names = METRICS[measure.metric].column_names
        given_names = {measure.value} if measure.value else set(measure.components or {})
        assert given_names <= set(names)
