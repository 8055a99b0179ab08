"""Finding the family for a watch."""

from firmware_protocol import registry
from firmware_protocol.families.ido.gatt import SERVICE
from firmware_protocol.family import Advertisement
from firmware_protocol.samples import METRICS


def test_families_by_name() -> None:
    names = [family.name for family in registry.FAMILIES]
    assert len(names) == len(set(names))
    assert [registry.family_named(name) for name in names] == list(registry.FAMILIES)
    assert registry.family_named("nobody") is None


def test_families_know_only_neutral_metrics() -> None:
    for family in registry.FAMILIES:
        assert family.metrics <= METRICS.keys()


def test_an_advertisement_finds_its_family() -> None:
    found = registry.recognise(Advertisement("F9:24:12:00:00:01", "x", -50, frozenset((SERVICE,))))
    assert found is not None
    assert found.family == "ido"
    assert registry.recognise(Advertisement("F9:24:12:00:00:01", "x", -50)) is None
