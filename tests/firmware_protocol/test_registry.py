"""Finding the family for a watch."""

from dataclasses import fields

from firmware_protocol import registry
from firmware_protocol.events import WatchInfo
from firmware_protocol.families.ido.gatt import SERVICE
from firmware_protocol.family import Advertisement, Family
from firmware_protocol.samples import METRICS


def test_families_by_name() -> None:
    names = [family.name for family in registry.FAMILIES]
    assert len(names) == len(set(names))
    assert [registry.family_named(name) for name in names] == list(registry.FAMILIES)
    assert registry.family_named("nobody") is None


def test_families_know_only_neutral_metrics() -> None:
    for family in registry.FAMILIES:
        assert family.metrics <= METRICS.keys()


def test_a_family_that_does_not_say_how_firmware_gets_in_refuses_it() -> None:
    known = {field.name: getattr(registry.FAMILIES[0], field.name) for field in fields(Family)}
    del known["update_path"]
    path = Family(**known).update_path(WatchInfo("new", "a watch"))
    assert path.transports == ()
    assert "of new is not known" in path.refusal


def test_an_advertisement_finds_its_family() -> None:
    found = registry.recognise(Advertisement("F9:24:12:00:00:01", "x", -50, frozenset((SERVICE,))))
    assert found is not None
    assert found.family == "ido"
    assert registry.recognise(Advertisement("F9:24:12:00:00:01", "x", -50)) is None
