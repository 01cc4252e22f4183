"""Show a machine's memory, devices and the links between them, and what a policy makes of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from heapwire.cli.arguments import (
    add_json,
    add_platform,
    add_policy,
    add_schema,
    is_local,
    load_policy,
    untried_platform,
)
from heapwire.cli.pages import use_document, use_lines
from heapwire.cli.terminal import DONE, SCHEMA_VERSION, documents, show, slip, texts
from heapwire.compositor_plugin import ClientRule, Policy, allocatable_heaps
from heapwire.kernel.description import Device, Platform, quantity_name, shipped, usage_name
from heapwire.kernel.discovery import DeviceRecord, TrialStore, ask_devices, with_records
from heapwire.kernel.discovery.reports import platform_data
from heapwire.kernel.video import v4l2_format_name
from heapwire.protocol.explain import Document, Json, pair_name
from heapwire.protocol.solver import requirement
from heapwire.protocol.values import Provenance, Source, Usage, fourcc_name

_SAID = ("engine", "app", "instance")  # what a sandbox says of its clients


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `heapwire list`."""
    add_platform(parser)
    add_policy(parser)
    parser.add_argument(
        "--probe",
        action="store_true",
        help="ask the devices again which memory they take, cameras too: each is opened, and set "
        "to a format for a moment; and the planes of displays that no compositor has",
    )
    parser.add_argument("--names", action="store_true", help="only name the shipped platforms")
    add_json(parser)
    add_schema(parser, "list")


def run(options: argparse.Namespace) -> int:
    """Show the platform."""
    if options.names:
        names: Document = {"schema_version": SCHEMA_VERSION, "platforms": list(shipped())}
        show(names, lambda document: "\n".join(shipped()), as_json=options.json)
        return DONE
    policy = load_policy(options.policy)
    platform = untried_platform(options.platform)
    records: dict[str, DeviceRecord] = {}
    if is_local(options.platform):
        records = ask_devices(platform, TrialStore.of_user(), again=options.probe)
        platform = with_records(platform, records)
    elif options.probe:
        raise slip(options, f"{platform.name} is simulated: --probe has nothing to ask")
    show(
        list_document(platform, records, policy=policy),
        partial(render, whole=options.verbose),
        as_json=options.json,
    )
    return DONE


def list_document(
    machine: Platform,
    records: Mapping[str, DeviceRecord] | None = None,
    *,
    policy: Policy | None = None,
) -> Document:
    """A platform for programs: `platform`, `heaps`, `devices`, `links`, and what was tried.

    With a policy of a file, it is the platform as the policy leaves it, and there is
    `policy` as well.
    """
    platform = machine if policy is None else policy.apply(machine)
    document: Document = {
        "schema_version": SCHEMA_VERSION,
        "platform": platform.name,
        "title": platform.title,
        "simulated": platform.simulated,
        "heaps": [_source_document(source) for source in platform.sources],
        "devices": [_device_document(platform, device) for device in platform.devices],
        "links": [
            {
                "device": link.device,
                "source": link.source,
                "rank": link.rank,
                "kind": link.kind.value,
                "provenance": link.provenance.name.lower(),
            }
            for link in platform.links
        ],
        "trials": [
            {
                "device": device,
                "plane": verdict.plane or None,
                "source": verdict.source,
                "taken": verdict.taken,
                "reason": verdict.said,
                "formats": [*sorted({fourcc_name(pair.fourcc) for pair in verdict.pairs})],
            }
            for device, record in (records or {}).items()
            for verdict in record.verdicts
        ],
        "notes": [*platform.notes, *platform.remarks],
        "description": platform_json(platform),
    }
    if policy is not None and policy.file:
        document["policy"] = _policy_document(policy, machine, platform)
    return document


def platform_json(platform: Platform) -> Json:
    """The platform as its file would have it, which `--platform FILE.json` reads."""
    data: Json = json.loads(json.dumps(platform_data(platform)))
    return data


def render(document: Document, *, whole: bool = False) -> str:
    """The list for people; with `whole` each format has a line of its own with its modifiers."""
    return "\n".join(_lines(document, whole=whole))


def _source_document(source: Source) -> Document:
    return {
        "kind": source.id.kind.name.lower(),
        "name": source.name,
        "major": source.id.major,
        "minor": source.id.minor,
        "contiguous": source.contiguous,
        "address_range": None if source.address_range is None else list(source.address_range),
        "capacity": source.capacity,
        "cached": source.cached,
        "protected": source.protected,
        "mappable": source.mappable,
        "numa_node": source.numa_node,
        "substitutes_for": list(source.substitutes_for),
        "area": source.area,
        "rows_only": source.rows_only,
        "provenance": {
            fact: provenance.name.lower() for fact, provenance in source.provenance.items()
        },
    }


def _device_document(platform: Platform, device: Device) -> Document:
    return {
        "name": device.name,
        "kind": device.kind.value,
        "driver": device.driver,
        "major": device.id.major if device.id else None,
        "minor": device.id.minor if device.id else None,
        "iommu": device.iommu,
        "usages": [use_document(platform, device, Usage(usage)) for usage in device.sets],
        "bitstreams": [v4l2_format_name(code) for code in device.bitstreams],
        "planes": [plane.name for plane in device.planes],
        "tearing": {
            plane.name: [pair_name(pair) for pair in plane.tearing]
            for plane in device.planes
            if plane.tearing is not None
        },
    }


def _policy_document(policy: Policy, machine: Platform, applied: Platform) -> Document:
    renderer = applied.first_sampler
    names = applied.source_names
    stated = dict.fromkeys(
        requirement(f"{device.name}:{usage_name(Usage(usage))}", constraint, names)
        for device in applied.devices
        for usage, sets in device.sets.items()
        for alternative in sets
        for constraint in alternative.constraints
        if constraint.provenance is Provenance.USER
    )
    return {
        "file": policy.file,
        "withheld": [
            source.name for source in machine.sources if source.name not in policy.offered
        ],
        "allocates_from": [heap.name for heap in allocatable_heaps(applied, policy.allocated)],
        "budget": policy.budget,
        "share": policy.share,
        "reserve": policy.reserve,
        "clients": [_rule_document(rule, policy, applied) for rule in policy.clients],
        "renderer": None if renderer is None else renderer.name,
        "debounce": policy.debounce,
        "stated": list(stated),
    }


def _rule_document(rule: ClientRule, policy: Policy, applied: Platform) -> Document:
    """A rule: what it is about, and what its clients are given where nothing else is said."""
    apps = rule.sandboxed is True or bool(rule.engines or rule.apps or rule.instances)
    without = policy.user_grant.for_app() if apps else policy.user_grant
    grant = rule.grant(without)
    heaps = allocatable_heaps(applied, policy.allocated)
    return {
        "sandboxed": rule.sandboxed,
        "uid": rule.uid,
        "gid": rule.gid,
        "engine": list(rule.engines),
        "app": list(rule.apps),
        "instance": list(rule.instances),
        "allocates_from": [heap.name for heap in heaps if grant.permits(heap)],
        "budget": grant.budget,
        "share": grant.share,
    }


def _lines(document: Document, *, whole: bool) -> Iterator[str]:
    title = document["title"] or ""
    simulated = " (simulated)" if document["simulated"] else ""
    yield f"{document['platform']}{simulated}: {title}".rstrip(": ")
    heaps = documents(document["heaps"])
    yield "memory" if heaps else "no memory: this machine has no DMA heap"
    for heap in heaps:
        pair = f"{heap['major']}:{heap['minor']}"
        yield f"    {heap['name']} ({heap['kind']} {pair}){_traits(heap, _twins(heap, heaps))}"
    devices = documents(document["devices"])
    if not any(device["kind"] != "cpu" for device in devices):
        yield "no display, GPU, codec or camera"
    yield "devices"
    for device in devices:
        pair = "" if device["major"] is None else f" {device['major']}:{device['minor']}"
        yield f"    {device['name']} ({device['kind']}{pair})"
        for usage in documents(device["usages"]):
            for line in use_lines(device, usage, whole=whole):
                yield f"        {line}"
        if bitstreams := texts(device["bitstreams"]):
            yield f"        bitstreams: {', '.join(bitstreams)}"
    links = documents(document["links"])
    yield "links" if links else "no links between devices and memory"
    for link in links:
        yield f"    {link['device']} -> {link['source']} ({link['kind']}, {link['provenance']})"
    for trial in documents(document["trials"]):
        verdict = "takes" if trial["taken"] else "refuses"
        formats = ", ".join(texts(trial["formats"]))
        which = f" for {formats}" if formats else ""
        why = f" ({trial['reason']})" if trial["reason"] else ""
        where = f"{trial['plane']} of " if trial["plane"] else ""
        yield f"tried: {where}{trial['device']} {verdict} {trial['source']}{which}{why}"
    if isinstance(policy := document.get("policy"), dict):
        yield from _policy_lines(policy)
    for note in texts(document["notes"]):
        yield f"note: {note}"


def _policy_lines(policy: Document) -> Iterator[str]:
    yield f"policy {policy['file']}"
    yield f"    not offered: {', '.join(texts(policy['withheld'])) or 'nothing'}"
    yield f"    allocated for clients: {_given(policy)}"
    if texts(policy["allocates_from"]):
        yield f"    all together leave {policy['reserve']} % of a heap"
    for rule in documents(policy["clients"]):
        yield f"    for {_described(rule)}: {_given(rule)}"
    yield f"    composites: {policy['renderer'] or 'no device'}"
    yield f"    a change for the better is told after {policy['debounce']} ms"
    for sentence in texts(policy["stated"]):
        yield f"    {sentence}"


def _given(rule: Document) -> str:
    heaps, budget = ", ".join(texts(rule["allocates_from"])), rule["budget"]
    if not heaps or not isinstance(budget, int):
        return "nothing"
    return f"from {heaps}, up to {quantity_name(budget)} and {rule['share']} % of a heap each"


def _described(rule: Document) -> str:
    """The clients that a rule is about."""
    said = [f"{key} {' or '.join(names)}" for key in _SAID if (names := texts(rule[key]))]
    said += [f"{key} {rule[key]}" for key in ("uid", "gid") if rule[key] is not None]
    kinds = {True: "sandboxed clients", False: "clients outside of sandboxes", None: "clients"}
    kind = rule["sandboxed"]
    who = kinds[kind if isinstance(kind, bool) else None]
    return f"{who} with {', '.join(said)}" if said else who


def _twins(heap: Document, heaps: Iterable[Document]) -> list[str]:
    """The names of what else is the same area."""
    area, name = heap["area"], heap["name"]
    return [
        str(other["name"])
        for other in heaps
        if area and other["area"] == area and other["name"] != name
    ]


def _traits(heap: Document, twins: Iterable[str]) -> str:
    traits = []
    if heap["contiguous"] is not None:
        traits.append("contiguous" if heap["contiguous"] else "not contiguous")
    if heap["protected"] is not False:
        traits.append("protected" if heap["protected"] else "protected or not: unknown")
    if heap["mappable"] is False:
        traits.append("mapped by no CPU")
    if heap["cached"] is False:
        traits.append("uncached")
    capacity = heap["capacity"]
    if isinstance(capacity, int):
        traits.append(f"{capacity >> 20} MiB")
    bounds = heap["address_range"]
    if isinstance(bounds, list):
        traits.append(f"at {bounds[0]:#x} to {bounds[1]:#x}")
    if same := ", ".join(twins):
        traits.append(f"the same memory as {same}")
    return f": {', '.join(traits)}" if traits else ""
