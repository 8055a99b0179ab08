"""Workouts out: GPX and FIT against what their floors take for the same, in one process.

Run: .venv/bin/python bench/bench_workouts.py [--quick]
"""

import argparse
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from garmin_fit_sdk import Encoder, Profile
from lxml import etree
from report import Row, at_most, finish

from firmware_protocol.samples import METRICS, Quality
from ksos_link.export.fit import fit_bytes
from ksos_link.export.gpx import GPX, POINT, write_gpx
from ksos_link.export.instants import utc_text
from ksos_link.export.source import ExportDevice, Workout
from ksos_link.imports import fit, gpx
from ksos_link.imports.importer import SourceFile

START = 1_793_000_000
WATCH = ExportDevice("wrist", "KS Watch", "ido")
SEMICIRCLES = 2**31 / 180


def made_up(seconds: int) -> Workout:
    """A run with a place, height, speed, cadence and heart rate each second."""
    values = dict.fromkeys(METRICS["workout"].column_names)
    return Workout(
        "wrist",
        START,
        7200,
        values | {"duration_s": seconds, "sport": "outdoor_run", "sport_code": 1},
        Quality.PROVEN,
        heart_rate=[(START + at, 100 + at % 60) for at in range(seconds)],
        points=[
            ("wrist", START + at, 47 + at / 1e6, 8.5, 400.2, 3.0 * at, 3.0, 170, 0)
            for at in range(seconds)
        ],
    )


def floor_gpx(workout: Workout, file: io.BytesIO) -> None:
    """The same document by lxml's xmlfile alone."""
    beats = dict(workout.heart_rate)
    with etree.xmlfile(file, encoding="utf-8") as xml:
        xml.write_declaration()
        with (
            xml.element(f"{{{GPX}}}gpx", {"version": "1.1"}, nsmap={None: GPX, "tpx": POINT}),
            xml.element(f"{{{GPX}}}trk"),
            xml.element(f"{{{GPX}}}trkseg"),
        ):
            for _, at, lat, lon, height, _, speed, cadence, _ in workout.points:
                with xml.element(f"{{{GPX}}}trkpt", {"lat": repr(lat), "lon": repr(lon)}):
                    with xml.element(f"{{{GPX}}}ele"):
                        xml.write(repr(height))
                    with xml.element(f"{{{GPX}}}time"):
                        xml.write(utc_text(int(at or 0)))
                    with (
                        xml.element(f"{{{GPX}}}extensions"),
                        xml.element(f"{{{POINT}}}TrackPointExtension"),
                    ):
                        for name, value in (
                            ("hr", beats[int(at or 0)]),
                            ("cad", int(cadence or 0) // 2),
                            ("speed", speed),
                        ):
                            with xml.element(f"{{{POINT}}}{name}"):
                                xml.write(str(value))


def our_gpx(workout: Workout) -> bytes:
    text = io.TextIOWrapper(io.BytesIO(), "utf-8")
    write_gpx(None, workout, text)  # type: ignore[arg-type]  # a route needs no more
    return text.buffer.getvalue()  # type: ignore[attr-defined]


def floor_fit(workout: Workout) -> bytes:
    """The same records by Garmin's encoder."""
    encoder = Encoder()
    begin = datetime.fromtimestamp(START, UTC)
    number = Profile["mesg_num"]
    encoder.write_mesg(
        {
            "mesg_num": number["FILE_ID"],
            "type": "activity",
            "manufacturer": 255,
            "time_created": begin,
        }
    )
    beats = dict(workout.heart_rate)
    for _, at, lat, lon, height, metres, speed, cadence, _ in workout.points:
        encoder.write_mesg(
            {
                "mesg_num": 20,
                "timestamp": datetime.fromtimestamp(at, UTC),
                "position_lat": round(lat * SEMICIRCLES),
                "position_long": round(lon * SEMICIRCLES),
                "enhanced_altitude": height,
                "distance": metres,
                "enhanced_speed": speed,
                "cadence": cadence // 2,
                "fractional_cadence": cadence % 2 / 2,
                "heart_rate": beats[at],
            }
        )
    encoder.write_mesg({"mesg_num": number["SESSION"], "start_time": begin, "sport": "running"})
    return encoder.close()


def fit_tool_s(workout: Workout, records: int) -> float:
    """What fit-tool's own way takes for a record, in seconds."""
    from fit_tool.fit_file_builder import FitFileBuilder
    from fit_tool.profile.messages.record_message import RecordMessage

    began = time.process_time()
    builder = FitFileBuilder()
    beats = dict(workout.heart_rate)
    for _, at, lat, lon, height, metres, speed, _, _ in workout.points[:records]:
        message = RecordMessage()
        message.timestamp = 1000 * at
        message.position_lat, message.position_long = lat, lon
        message.enhanced_altitude, message.distance = height, metres
        message.enhanced_speed, message.heart_rate = speed, beats[at]
        builder.add(message)
    builder.build_bytes()
    return (time.process_time() - began) / records


def best_s(runs: int, *jobs: Callable[[], object]) -> list[float]:
    """The least processor time of each job; they take turns, so that a busy machine meets all."""
    took: list[list[float]] = [[] for _ in jobs]
    for _ in range(runs):
        for job, times in zip(jobs, took, strict=True):
            began = time.process_time()
            job()
            times.append(time.process_time() - began)
    return [min(times) for times in took]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the points, fewer runs")
    quick = parser.parse_args().quick
    runs = 2 if quick else 3
    route, run = made_up(10_000 if quick else 100_000), made_up(4 * 3600)
    ours_gpx, ours_fit = our_gpx(route), fit_bytes(WATCH, run)
    ours, floor = best_s(runs, lambda: our_gpx(route), lambda: floor_gpx(route, io.BytesIO()))
    rows = [
        at_most(
            f"GPX of {len(route.points):,} points against xmlfile",
            f"{ours:.2f} s",
            ours / floor,
            1.5,
        )
    ]
    ours, floor = best_s(runs, lambda: fit_bytes(WATCH, run), lambda: floor_fit(run))
    rows.append(
        at_most("FIT of 4 h at 1 Hz against Garmin's SDK", f"{ours:.2f} s", ours / floor, 2.0)
    )
    per_record = fit_tool_s(run, 1000)
    whole = per_record * len(run.points)
    rows.append(
        Row("the same by fit-tool's own encoder", f"{whole:.1f} s", round(whole / floor, 2))
    )
    for name, importer, data in (
        ("FIT", fit.FIT_IMPORTER, ours_fit),
        ("GPX", gpx.GPX_IMPORTER, ours_gpx),
    ):
        (took,) = best_s(runs, lambda: list(importer.read(_source(data))))  # noqa: B023 called at once
        rows.append(
            Row(f"{name} read back as samples", f"{took:.2f} s of {len(data) / 1e6:.1f} MB")
        )
    finish("workouts", rows)


def _source(data: bytes) -> SourceFile:
    return SourceFile(Path("made-up"), io.BytesIO(data))


if __name__ == "__main__":
    main()
