"""Python runs this first in each process that has our folder on its path: it puts a sabotage in force, or ends all.

Python itself only prints what fails in here, and goes on.
"""

import os
import sys
import traceback


def _sabotage(name: str) -> None:
    from faults.sabotage.catalogue import SABOTAGES  # noqa: PLC0415 - only where there is something to sabotage
    from faults.sabotage.edits import put_in_force  # noqa: PLC0415

    try:
        put_in_force(SABOTAGES[name].edits)
    except Exception:  # noqa: BLE001 - whatever it is, the process must not run unharmed
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)


if name := os.environ.get("BELLWETHER_SABOTAGE"):
    _sabotage(name)
