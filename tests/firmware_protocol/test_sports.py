"""Sports: one neutral name each, for the ids of KS OS and for the codes of a family."""

import csv
import os
from pathlib import Path

import pytest

from firmware_protocol.families.ido import FAMILY
from firmware_protocol.families.ido.sports import code_of_sport, codes_of_sport, sport_name
from firmware_protocol.sports import KSOS_SPORTS, SPORT_NAMES, ksos_sport, sport_of_ksos

NOTES = Path(os.environ.get("KSOS_CAPTURES", Path(__file__).parents[3] / "shared/captures")).parent


def test_ksos_has_176_sports_in_its_blocks() -> None:
    blocks = [range(1), range(100, 153), range(200, 222), range(300, 330), range(400, 423)]
    blocks += [range(500, 518), range(600, 629)]
    assert list(KSOS_SPORTS) == [number for block in blocks for number in block]
    assert len(KSOS_SPORTS) == 176


def test_each_sport_is_as_the_domain_note_lists_it() -> None:
    path = NOTES / "domain/sports.csv"
    if not path.exists():
        pytest.skip("no list of sports here; set KSOS_CAPTURES")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(KSOS_SPORTS)
    for row in rows:
        sport = KSOS_SPORTS[int(row["id"])]
        told = (sport.title, sport.group, sport.strava_type or "", str(int(sport.outdoor)))
        assert told == (row["name_en"], row["group"], row["strava_type"], row["outdoor"])


def test_every_name_stands_for_one_sport() -> None:
    assert len(set(SPORT_NAMES)) == len(SPORT_NAMES)
    assert KSOS_SPORTS[306].title == KSOS_SPORTS[327].title == "Volleyball"
    assert KSOS_SPORTS[306].name != KSOS_SPORTS[327].name


def test_every_code_of_a_family_has_a_name_that_settings_take() -> None:
    assert set(FAMILY.sports.values()) <= set(SPORT_NAMES)


# name, id of KS OS, codes of IDO watches of which the first is written
@pytest.mark.parametrize(
    ("name", "ksos_id", "codes"),
    [
        ("outdoor_run", 200, (0x30,)),
        ("indoor_run", 100, (0x31,)),
        ("functional_strength", 135, (0x65,)),
        ("elliptical", 105, (0x0B,)),
        ("elliptical_machine", 105, (0x38,)),
        ("skydiving", 614, (0xC7,)),
        ("fitness", 121, (0x09,)),
        ("kayak", 619, (0xAD,)),
        ("kayaking", 619, (0xE5,)),
        ("riding", 218, (0x9D,)),
        ("equestrian", 218, (0xEA,)),
        ("tai_chi", 509, (0x78, 0xD9)),
        ("kickboxing", 517, (0x7B, 0xD7)),
        ("snowboard", 600, (0xA3, 0xD6)),
        ("lacrosse", 328, (0xE4, 0xFE)),
        ("aerobics", None, (0x11, 0x22)),
        ("stair_machine", None, (0x82, 0xEC)),
        ("beach_volleyball", None, (0xE1,)),
        ("chess", None, (0xEE,)),
        ("sumo", 511, ()),
        ("code_253", None, (253,)),
        ("nonsense", None, ()),
    ],
)
def test_a_name_leads_to_the_id_and_to_the_codes(
    name: str, ksos_id: int | None, codes: tuple[int, ...]
) -> None:
    sport = ksos_sport(name)
    assert (None if sport is None else sport.ksos_id) == ksos_id
    assert codes_of_sport(name) == codes
    assert code_of_sport(name) == (codes[0] if codes else None)


def test_codes_and_names_lead_back_to_each_other() -> None:
    for code, name in FAMILY.sports.items():
        assert code in codes_of_sport(name)
        assert sport_name(code) == name
    assert sum(len(codes_of_sport(name)) for name in SPORT_NAMES) == len(FAMILY.sports)


def test_numbers_of_ks_os_lead_to_sports() -> None:
    assert {sport_of_ksos(number) for number in KSOS_SPORTS} == set(KSOS_SPORTS.values())
    assert sport_of_ksos(9999) is None
