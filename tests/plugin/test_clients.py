"""Who may what: clients as policies know them, and what is allocated for which of them."""

from __future__ import annotations

import os
import textwrap

import pytest
from stage import Allocator, Stage

from heapwire.compositor_plugin import ClientIdentity, Policy, PolicyFileError, SecurityContext
from heapwire.compositor_plugin.clients.grant import DEFAULT_BUDGET, DEFAULT_SHARE, Grant
from heapwire.compositor_plugin.clients.quota import Holder
from heapwire.compositor_plugin.clients.selection import MOST_PATTERNS, Selection
from heapwire.kernel.description import Platform
from heapwire.protocol.wire import Access
from heapwire.protocol.wire.bindings import AllocationReason

FLATPAK = SecurityContext("org.flatpak", "org.example.Player", "1234")
OUTSIDE = ClientIdentity(1000, 100, 1)
INSIDE = ClientIdentity(1000, 100, 1, FLATPAK)


def policy(text: str) -> Policy:
    return Policy.parse(textwrap.dedent(text), file="policy.toml")


def is_about(rule: str, client: ClientIdentity) -> bool:
    (read,) = policy(f"[[client]]\n{rule}").clients
    return read.is_about(client)


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("", True, True),
        ("sandboxed = true", True, False),
        ("sandboxed = false", False, True),
        ("uid = 1000", True, True),
        ("uid = 1001", False, False),
        ("gid = 100", True, True),
        ("gid = 0", False, False),
        ('engine = "org.flatpak"', True, False),
        ('engine = "*"', True, False),
        ('engine = ["io.snapcraft", "org.flat*"]', True, False),
        ('engine = "flatpak"', False, False),
        ('app = "org.example.*"', True, False),
        ('app = "org.example"', False, False),
        ('instance = "12??"', True, False),
        ('instance = "12?"', False, False),
        ('engine = "org.flatpak"\napp = "org.other"', False, False),
        ('engine = "org.flatpak"\napp = "org.*"\nuid = 1000', True, False),
        ('app = "org.*"\nuid = 0', False, False),
    ],
)
def test_a_rule_is_about_clients_of_which_all_of_it_is_true(rule, inside, outside) -> None:
    assert is_about(rule, INSIDE) is inside
    assert is_about(rule, OUTSIDE) is outside


def test_what_a_sandbox_did_not_say_is_empty() -> None:
    silent = ClientIdentity(1000, 100, 1, SecurityContext())
    assert is_about("sandboxed = true", silent)
    assert is_about('app = "*"', silent)
    assert not is_about('app = "?*"', silent)


def test_the_first_rule_that_is_about_a_client_holds() -> None:
    rules = policy(
        """
        [allocation]
        budget = "100 MiB"
        share = 30
        [[client]]
        app = "org.example.*"
        only = ["linux,cma", "system"]
        budget = "10 MiB"
        [[client]]
        sandboxed = true
        share = 5
        [[client]]
        uid = 0
        never = ["*"]
        """
    )
    assert rules.grant(INSIDE) == Grant(
        allocated=Selection(only=("linux,cma", "system")), budget=10 << 20, share=15
    ), "what it does not say is as it is for apps"
    other = ClientIdentity(1000, 100, 1, SecurityContext("io.snapcraft", "other", ""))
    assert rules.grant(other) == Grant(scarce=False, budget=50 << 20, share=5)
    assert rules.grant(OUTSIDE) == Grant(budget=100 << 20, share=30)
    root = rules.grant(ClientIdentity(0, 0, 1))
    assert not any(root.permits(source) for source in Platform.load("raspberry-pi-4").sources)


def test_without_rules_an_app_has_half_of_what_users_have_and_nothing_scarce() -> None:
    assert Policy().grant(OUTSIDE) == Grant()
    assert Policy().grant(INSIDE) == Grant(
        scarce=False, budget=DEFAULT_BUDGET // 2, share=DEFAULT_SHARE // 2
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[client]", "1: client: this is a list of tables: write [[client]]"),
        ('[[client]]\nappid = "a"', "2: client[0].appid: this key is unknown here: did you mean "),
        ("[[client]]\nuid = -1", "2: client[0].uid: -1 is not a whole number from 0 to 4294967294"),
        ('[[client]]\nuid = "root"', "2: client[0].uid: 'root' is not a whole number "),
        ("[[client]]\n[[client]]\nshare = 101", "3: client[1].share: percent, from 1 to 100"),
        ("[[client]]\nbudget = 0", "2: client[0].budget: a budget of 0 bytes: "),
        ("[[client]]\nonly = []", "2: client[0].only: an empty list permits nothing: "),
        (
            '[[client]]\nsandboxed = false\napp = "a"',
            "2: client[0].sandboxed: no client is outside of sandboxes and in this one: ",
        ),
        (
            f"[[client]]\napp = {['a'] * (MOST_PATTERNS + 1)}",
            "2: client[0].app: there are 257 entries: 256 is the most",
        ),
    ],
)
def test_a_fault_of_a_rule_is_told_with_its_line_and_key(text, complaint) -> None:
    with pytest.raises(PolicyFileError) as caught:
        policy(text)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"policy.toml:{complaint}")


def test_a_heap_of_a_rule_that_is_not_there_is_noted() -> None:
    stated = policy('[[client]]\nuid = 1\n[[client]]\nonly = ["sistem"]')
    assert stated.apply(Platform.load("raspberry-pi-4")).notes == (
        "policy.toml:4: client[1].only[0]: 'sistem' matches no memory here: did you mean 'system'?",
    )


# What clients are given.


def sandboxed(stage, context=FLATPAK) -> Allocator:
    """A client in a sandbox, which has asked for plans and can open nothing."""
    stage.host.contexts = [context]
    return Allocator(stage)


def test_without_a_policy_nothing_scarce_is_allocated_for_a_sandboxed_client() -> None:
    with Stage() as stage:
        stage.candidate()
        inside, outside = sandboxed(stage), Allocator(stage)
        assert "linux,cma" not in inside.client.given_from()
        assert "system" in inside.client.given_from()
        assert "linux,cma" in outside.client.given_from()
        assert inside.plan.scanout, "one that can open the heap is told of it"
        assert inside.batch.offers[0].access == (Access.CLIENT,)
        assert inside.reason() is AllocationReason.NOT_ALLOCATABLE
        assert stage.platform.memory.live() == 0
        assert outside.allocate()[1][-1] == ("done",)


def test_a_sandboxed_client_that_can_open_nothing_is_offered_what_it_may_have() -> None:
    with Stage() as stage:
        stage.candidate()
        stage.host.contexts = [FLATPAK]
        client = stage.client()
        negotiation = client.negotiation(client.thing("surface"))
        client.request(negotiation, "set_openable", b"")
        client.ask(negotiation)
        batch = client.batches(negotiation)[-1]
        system, cma = (stage.platform.source(name).id for name in ("system", "linux,cma"))
        sources = {one.source for offer in batch.offers for one in offer.plan.layout.objects}
        assert sources == {system}
        assert {access for offer in batch.offers for access in offer.access} == {Access.COMPOSITOR}
        [why] = [one.text for one in batch.refusals if one.source == cma]
        assert why == "none of linux,cma is allocated for this client"


def test_a_rule_gives_an_app_what_is_scarce_up_to_what_it_says() -> None:
    rule = '[[client]]\napp = "org.example.*"\nonly = ["linux,cma"]\nbudget = "1 MiB"'
    with Stage(policy=policy(rule)) as stage:
        stage.candidate()
        allocator = sandboxed(stage)
        [entry] = allocator.plan.layout.objects
        assert entry.source == stage.platform.source("linux,cma").id
        assert entry.size <= 1 << 20 < 3 * entry.size
        assert allocator.allocate()[1][-1] == ("done",)
        assert allocator.allocate()[1][-1] == ("done",)
        assert allocator.reason() is AllocationReason.OVER_BUDGET
        other = sandboxed(stage, SecurityContext("org.flatpak", "com.other.Game", "5"))
        assert other.reason() is AllocationReason.NOT_ALLOCATABLE


def test_memory_is_charged_to_the_app_and_to_its_user() -> None:
    rule = '[allocation]\nshare = 1\n[[client]]\nsandboxed = true\nonly = ["*"]\nshare = 1'
    with Stage(policy=policy(rule)) as stage:  # 2.56 MiB of the area
        stage.candidate()
        allocator = sandboxed(stage)
        allocator.allocate_all()
        again = sandboxed(stage)
        assert again.reason() is AllocationReason.OVER_BUDGET, "another connection is the same app"
        other = sandboxed(stage, SecurityContext("org.flatpak", "com.other.Game", "5"))
        assert other.reason() is AllocationReason.OVER_BUDGET, "another app is the same user's"
        state = stage.plugin._state
        assert {charge.holder for charge in state.accounts._charges} == {
            Holder(os.getuid(), "org.flatpak:org.example.Player")
        }


def test_a_host_that_fails_to_say_who_a_client_is_does_not_make_it_trusted(caplog) -> None:
    with Stage() as stage:
        stage.candidate()

        def fail(client):
            raise ZeroDivisionError("a fault")

        stage.host.security_context = fail
        allocator = Allocator(stage)
        assert allocator.reason() is AllocationReason.NOT_ALLOCATABLE
        assert [record.message for record in caplog.records] == ["the host failed to answer"]


def test_a_client_is_asked_about_once() -> None:
    with Stage() as stage:
        stage.candidate()
        asked = []
        stage.host.security_context = asked.append
        allocator = Allocator(stage)
        for cookie in range(2, 6):
            allocator.allocate()
            allocator.commit(cookie)
        assert len(asked) == 1
