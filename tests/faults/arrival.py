"""Whether work goes on: something that is said now arrives at the far end, through all that lies between."""

import asyncio
import time
from typing import Final

from bellwether.stack import Stack
from faults.load import Load
from faults.world import rows

_DERIVED: Final = "SELECT evidence_id::text FROM evidence WHERE tenant = 'canary' AND %s::uuid = ANY(activity_ids)"
_COUNTED: Final = "SELECT 1 FROM evidence WHERE evidence_id = %s::uuid"


async def arrived(stack: Stack, load: Load, within: float) -> str:
    """Post an activity and wait for its evidence in scoring's ledger; words when it is not there in time (seconds)."""
    deadline = time.monotonic() + within
    try:
        async with asyncio.timeout(within):
            activity = await load.beacon()
    except TimeoutError:
        return f"nothing was taken for {within:.0f} s"
    while time.monotonic() < deadline:
        if await asyncio.to_thread(_is_there, stack, activity):
            return ""
        await asyncio.sleep(0.1)
    return f"activity {activity} is not counted after {within:.0f} s"


def _is_there(stack: Stack, activity: str) -> bool:
    derived = rows(stack, "metrics", _DERIVED, activity)
    return bool(derived) and bool(rows(stack, "scoring", _COUNTED, derived[0][0]))
