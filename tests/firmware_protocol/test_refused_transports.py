"""Firmware transports that are named and refused: by what shows them, and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_protocol.registry import FAMILIES
from firmware_protocol.updates.refused import REFUSED, refused_transport
from firmware_protocol.updates.registry import TRANSPORTS, transport_named

BASE = "-0000-1000-8000-00805F9B34FB"


@pytest.mark.parametrize(
    ("uuid", "name"),
    [  # as the references write them
        ("00010203-0405-0607-0809-0A0B0C0D1912", "telink"),
        ("00010203-0405-0607-0809-0A0B0C0D2B12", "telink"),
        (f"0000AE00{BASE}", "jieli"),
        (f"0000AE30{BASE}", "jieli"),
        ("02F00000-0000-0000-0000-00000000FE00", "freqchip"),
        (f"00000FF0{BASE}", "starmax"),
        (f"00000800{BASE}", "bes"),
        ("5833FF01-9B8B-5191-6142-22A4536EF123", "phyplus"),
        ("F000FFC0-0451-4000-B000-000000000000", "beken"),
        (f"0000FEF5{BASE}", "dialog-suota"),
        ("8082CAA8-41A6-4021-91C6-56F9B954CC34", "dialog-suota"),
        ("457871E8-D516-4CA1-9116-57D0B17B9CB2", "dialog-suota"),
        ("5F78DF94-798C-46F5-990A-B3EB6A065C88", "dialog-suota"),
    ],
)
def test_a_foreign_scheme_is_told_by_its_services(uuid: str, name: str) -> None:
    for shown in (uuid, uuid.lower()):
        found = refused_transport([f"00001800{BASE}", shown])
        assert found is not None
        assert found.name == name
        assert found.reason


@pytest.mark.parametrize(("advertised", "name"), [("tlwota", "telink"), ("JLOTA", "jieli")])
def test_a_foreign_loader_is_told_by_its_name(advertised: str, name: str) -> None:
    found = refused_transport([], advertised)
    assert found is not None
    assert found.name == name
    assert refused_transport([], f"my {advertised}") is None


def test_what_is_spoken_is_not_refused() -> None:
    spoken = [transport.gatt for transport in TRANSPORTS] + [family.gatt for family in FAMILIES]
    for gatt in spoken:
        assert refused_transport([gatt.service_uuid, *gatt.notify_uuids]) is None
    assert all(transport_named(each.name) is None for each in REFUSED)
    assert len({each.name for each in REFUSED}) == len(REFUSED)


@given(st.lists(st.text(max_size=40)), st.one_of(st.none(), st.text(max_size=20)))
def test_noise_is_nothing(uuids: list[str], name: str | None) -> None:
    found = refused_transport(uuids, name)
    assert found is None or found.name in {each.name for each in REFUSED}
