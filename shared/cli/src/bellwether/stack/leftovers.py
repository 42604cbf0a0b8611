"""Processes of a stack whose supervisor was killed: found by the pids they noted, ended only if they are ours."""

import signal
from contextlib import suppress

from bellwether.home import Home

MARK = "BELLWETHER_STACK_HOME"
PATIENCE = 10  # seconds


def end_leftovers(home: Home) -> int:
    """End what still runs from this home without a supervisor; how many there were."""
    noted = list(home.run.glob("*.pid"))
    if not noted:
        return 0
    import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with the engines' extra

    found = []
    for file in noted:
        with suppress(psutil.Error, ValueError):
            process = psutil.Process(int(file.read_text()))
            if process.environ().get(MARK) == str(home.path):
                found.append(process)
        file.unlink(missing_ok=True)
    for process in found:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    for process in psutil.wait_procs(found, PATIENCE)[1]:
        with suppress(psutil.Error):
            process.kill()
    return len(found)
