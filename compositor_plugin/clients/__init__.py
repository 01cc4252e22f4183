"""Who may have what of the compositor's: policies, quotas, and who has how much of them."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.clients.accounts import Accounts as Accounts, Charge as Charge
    from heapwire.compositor_plugin.clients.client_use import (
        ClientUse as ClientUse,
        ClientUses as ClientUses,
    )
    from heapwire.compositor_plugin.clients.policy import (
        DEBOUNCE as DEBOUNCE,
        Policy as Policy,
        PolicyFileError as PolicyFileError,
    )
    from heapwire.compositor_plugin.clients.quota import (
        DEFAULT_BUDGET as DEFAULT_BUDGET,
        DEFAULT_RESERVE as DEFAULT_RESERVE,
        DEFAULT_SHARE as DEFAULT_SHARE,
        Allowance as Allowance,
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
            "client_use": "ClientUse ClientUses",
            "policy": "DEBOUNCE Policy PolicyFileError",
            "quota": "DEFAULT_BUDGET DEFAULT_RESERVE DEFAULT_SHARE Allowance Holder Quota Shortage",
            "selection": "EVERYTHING NOTHING Selection",
        },
    )
