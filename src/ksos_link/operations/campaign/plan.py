"""From what a file names to watches with addresses: aliases looked up, rules asked of the air."""

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ksos_link.errors import NotFoundError, UsageError
from ksos_link.operations.campaign.model import CampaignFile, NamedWatch, Radio, ScanRule
from ksos_link.operations.discover import WatchSeen, discover
from ksos_link.operations.route import LinkOptions
from ksos_link.operations.target import BluetoothTarget, is_address, parse_target
from ksos_link.store.campaigns import CampaignWatch
from ksos_link.store.database import Store
from ksos_link.store.devices import Device


async def find_watches(
    file: CampaignFile, store: Store | None, options: LinkOptions
) -> list[CampaignWatch]:
    """The watches of a campaign. A rule looks at every radio, nearest watches first.

    Without a store there are no aliases.

    Raises:
        UsageError: aliases that nobody knows, two names of one watch, or watches that must be
            paired first: all of them at once.
        NotFoundError: no watch answers the rule.
        BluetoothError: a radio cannot be used.
    """
    devices = store.devices() if store is not None else []
    watches = _named(file.watches, devices)
    if file.scan is not None:
        watches += await _in_range(file.scan, file.radios, options, watches, devices)
    if not watches:
        raise NotFoundError(
            "No watch in range answers the rule of the campaign.", "See: ksos watch scan"
        )
    if any(step.do == "sync" for step in file.steps):
        _check_paired(watches, devices)
    found = [
        CampaignWatch(number, watch.name, watch.address, watch.radio)
        for number, watch in enumerate(watches)
    ]
    _check_work(file, found)
    return found


def _check_work(file: CampaignFile, watches: Sequence[CampaignWatch]) -> None:
    """Every watch has a step, and every step a watch: else something is misspelt."""
    steps = [step.kept for step in file.steps]
    idle = [watch.name for watch in watches if not any(step.is_for(watch) for step in steps)]
    empty = [step.label for step in steps if not any(map(step.is_for, watches))]
    told = [f"no step is for {name}" for name in idle]
    told += [f"no watch is for the step {label}" for label in dict.fromkeys(empty)]
    if told:
        raise UsageError(f"The campaign does not add up: {'; '.join(told)}.", "See `only`.")


def _named(named: Sequence[NamedWatch], devices: Sequence[Device]) -> list[NamedWatch]:
    by_alias = {device.alias.casefold(): device for device in devices}
    by_address = {device.address.casefold(): device for device in devices}
    unknown, watches = [], dict[str, NamedWatch]()
    for watch in named:
        if is_address(watch.address):
            known = by_address.get(watch.address.casefold())
            address = watch.address
        else:
            known = by_alias.get(watch.address.casefold())
            address = known.address if known else ""
            if known is None:
                unknown.append(watch.address)
                continue
        name = watch.name or (known.alias if known else address)
        if address.casefold() in watches:
            raise UsageError(f"{name} and {watches[address.casefold()].name} are one watch.")
        watches[address.casefold()] = NamedWatch(address, name, watch.radio)
    if unknown:
        raise UsageError(
            f"There are no watches of these names: {', '.join(unknown)}.",
            "`ksos watch list` names yours.",
        )
    return list(watches.values())


async def _in_range(
    rule: ScanRule,
    radios: Iterable[Radio],
    options: LinkOptions,
    taken: Sequence[NamedWatch],
    devices: Sequence[Device],
) -> list[NamedWatch]:
    names = {device.address.casefold(): device.alias for device in devices}
    known = {watch.address.casefold() for watch in taken}
    best: dict[str, tuple[int, NamedWatch]] = {}
    for radio in radios:
        looking = replace(options, adapter=radio.adapter, timeout_s=rule.for_s)
        async for seen in discover(looking):
            key = seen.address.casefold()
            if key in known or not matches(rule, seen):
                continue
            if key not in best or seen.rssi_dbm > best[key][0]:
                name = names.get(key, seen.address)
                best[key] = seen.rssi_dbm, NamedWatch(seen.address, name, radio.name)
    nearest = sorted(best.values(), key=lambda found: -found[0])
    return [watch for _, watch in nearest[: rule.most]]


def matches(rule: ScanRule, seen: WatchSeen) -> bool:
    """Whether a watch answers a rule."""
    found = seen.recognised
    return (
        found is not None
        and (not rule.product or rule.product.casefold() == found.product.casefold())
        and (rule.model_code is None or rule.model_code == found.model_code)
        and (not rule.name or fnmatch.fnmatchcase(seen.name or "", rule.name))
        and (rule.rssi_dbm_at_least is None or seen.rssi_dbm >= rule.rssi_dbm_at_least)
    )


def _check_paired(watches: Sequence[NamedWatch], devices: Sequence[Device]) -> None:
    paired = {device.address.casefold() for device in devices}
    strange = [
        watch.name
        for watch in watches
        if isinstance(parse_target(watch.address), BluetoothTarget)
        and watch.address.casefold() not in paired
    ]
    if strange:
        raise UsageError(
            f"These watches are not paired, so they cannot be synced: {', '.join(strange)}.",
            "Pair each: ksos watch pair ADDRESS",
        )
