"""Whether what is on record for a tenant is what deriving its whole history anew would give. Nothing is written."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from bellwether.client import Client

PAGE = 50
PAUSE = 2.0
SHOWN = 20


@dataclass(slots=True)
class Comparison:
    """How much was compared, evidence by kind as it stands and as it would be derived now, and where they differ.

    ``unsettled`` accounts wait for a timer, ``too_long`` ones have too many activities: neither is compared.
    """

    accounts: int = 0
    activities: int = 0
    now: Counter[str] = field(default_factory=Counter)
    then: Counter[str] = field(default_factory=Counter)
    differences: list[dict[str, Any]] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    too_long: list[str] = field(default_factory=list)

    @property
    def proves(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return not (self.differences or self.unsettled or self.too_long)

    def add(self, page: dict[str, Any]) -> None:
        """Take what one answer says."""
        self.accounts += page["accounts"]
        self.activities += page["activities"]
        self.now.update({kind["kind"]: kind["now"] for kind in page["kinds"]})
        self.then.update({kind["kind"]: kind["then"] for kind in page["kinds"]})
        self.differences += page["differences"]
        self.unsettled += page["unsettled"]
        self.too_long += page["too_long"]


def compare(client: Client, pause: float = PAUSE) -> Comparison:
    """Derive every account's history anew under the rules in force and compare it with what is on record.

    What differs or was not settled is asked for again after ``pause`` seconds: a deadline may have passed, or an
    activity come in, between the two. Only what is so still is reported.
    """
    found, again = Comparison(), Comparison()
    for page in _pages(client):
        found.add(page)
    uncounted = set(found.unsettled)
    doubtful = dict.fromkeys([difference["account_id"] for difference in found.differences] + found.unsettled)
    if doubtful:
        time.sleep(pause)
    for account in doubtful:
        for page in _pages(client, account_id=account):
            again.add(page)
            if account in uncounted:
                found.add({**page, "accounts": 0})
    found.differences, found.unsettled = again.differences, again.unsettled
    return found


def _pages(client: Client, **narrowed: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = client.ask("metrics", "derivation/preview", {"rules": None, **narrowed}, limit=PAGE, **cursor)
        yield page
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def print_comparison(console: Console, found: Comparison) -> None:
    """Say it, in reading order."""
    console.print(f"{found.accounts:,} accounts, {found.activities:,} activities")
    table = Table("evidence", "on record", "from scratch", header_style="bold")
    for kind in sorted(found.now | found.then):
        table.add_row(kind, f"{found.now[kind]:,}", f"{found.then[kind]:,}")
    table.add_row("all", f"{found.now.total():,}", f"{found.then.total():,}", style="bold")
    console.print(table)
    for each in found.differences[:SHOWN]:
        console.print(
            f"  {each['change']:<8} {each['kind']} of {each['observed_at']}, magnitude {each['magnitude']},"
            f" account {each['account_id']}, from {', '.join(each['activity_ids']) or 'no activity'}"
        )
    if len(found.differences) > SHOWN:
        console.print(f"  … and {len(found.differences) - SHOWN:,} more")
    for why, accounts in (("wait for a timer", found.unsettled), ("have too long a history", found.too_long)):
        if accounts:
            console.print(
                f"[yellow]{len(accounts):,} accounts {why}[/] and were not compared: {', '.join(accounts[:5])}"
            )
    if found.differences:
        console.print(f"[red]{len(found.differences):,} differences[/]: what is on record is not what activities give.")
    elif found.proves:
        console.print("[green]No difference[/]: what is on record is what deriving everything anew gives.")
