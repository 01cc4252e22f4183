"""Who may have what of the compositor's: policies, quotas, and who has how much of them."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.clients.accounts import Accounts as Accounts, Charge as Charge
    from heapwire.compositor_plugin.clients.allocatable import (
        allocatable_heaps as allocatable_heaps,
    )
    from heapwire.compositor_plugin.clients.client_log import ClientLog as ClientLog
    from heapwire.compositor_plugin.clients.client_rule import ClientRule as ClientRule
    from heapwire.compositor_plugin.clients.client_use import (
        ClientUse as ClientUse,
        ClientUses as ClientUses,
    )
    from heapwire.compositor_plugin.clients.grant import (
        Grant as Grant,
    )
    from heapwire.compositor_plugin.clients.holdings import (
        ClientHolding as ClientHolding,
        HeapHolding as HeapHolding,
        HolderHolding as HolderHolding,
        Holdings as Holdings,
        client_holding as client_holding,
    )
    from heapwire.compositor_plugin.clients.identity import (
        ClientIdentity as ClientIdentity,
        SecurityContext as SecurityContext,
    )
    from heapwire.compositor_plugin.clients.policy import (
        Policy as Policy,
        PolicyFileError as PolicyFileError,
    )
    from heapwire.compositor_plugin.clients.quota import (
        Allowance as Allowance,
        Bound as Bound,
        Holder as Holder,
        Quota as Quota,
        Shortage as Shortage,
    )
    from heapwire.compositor_plugin.clients.selection import (
        EVERYTHING as EVERYTHING,
        NOTHING as NOTHING,
        Selection as Selection,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "accounts": "Accounts Charge",
            "allocatable": "allocatable_heaps",
            "client_log": "ClientLog",
            "client_use": "ClientUse ClientUses",
            "client_rule": "ClientRule",
            "grant": "Grant",
            "holdings": "ClientHolding HeapHolding HolderHolding Holdings client_holding",
            "identity": "ClientIdentity SecurityContext",
            "policy": "Policy PolicyFileError",
            "quota": "Allowance Bound Holder Quota Shortage",
            "selection": "EVERYTHING NOTHING Selection",
        },
    )
