"""What a fault run prints: times by kind of fault, and what was found of each invariant."""

from collections import defaultdict
from statistics import median

from rich.console import Console
from rich.table import Table

from faults.disturb import Fault
from faults.judge import Finding


def shown(findings: list[Finding], faults: list[Fault], console: Console) -> bool:
    """Print what was found; True when nothing was broken."""
    times: dict[str, list[float]] = defaultdict(list)
    for fault in faults:
        if fault.landed:
            times[fault.kind].append(fault.seconds)
    table = Table("fault", "landed", "work went on after (s): median", "longest")
    for kind, seconds in sorted(times.items()):
        table.add_row(kind, str(len(seconds)), f"{median(seconds):.1f}", f"{max(seconds):.1f}")
    console.print(table)
    table = Table("invariant", "checked", "violations")
    for finding in findings:
        table.add_row(finding.name, f"{finding.checked:,}", str(len(finding.violations)))
    console.print(table)
    for finding in findings:
        for words in finding.violations[:5]:
            console.print(f"{finding.name}: {words}", style="red", markup=False, highlight=False)
    return not any(finding.violations for finding in findings)
