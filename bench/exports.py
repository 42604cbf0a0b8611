"""Exports: all evidence of a large tenant over one connection, and what the API's process holds of memory meanwhile."""

import argparse
import http.client
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import psycopg
from results import keep
from stacks import memory, running

TENANT = "bench"
ACCOUNTS = 50_000
PATH = "/v1/evidence"
WARMING = 10_000  # rows, before memory is looked at

FILL = """
    INSERT INTO evidence (tenant, evidence_id, account_id, rule, anchor, kind, family, dimension, polarity, magnitude,
                          observed_at, recorded_at, revision, source, contact_ids, owner_id, activity_ids)
    SELECT %(tenant)s, CAST(md5('evidence-' || n) AS uuid), CAST(md5('account-' || n %% %(accounts)s) AS uuid), 'calls',
           n, (ARRAY['call-returned', 'call-unreturned', 'meeting-held'])[1 + n %% 3],
           (ARRAY['calls-and-emails', 'calls-and-emails', 'meetings'])[1 + n %% 3], 'heart',
           (ARRAY[1, -1, 1])[1 + n %% 3], 1, now() - n / 3 * interval '3 minutes', now(), 1, 'crm',
           ARRAY[CAST(md5('contact-' || n) AS uuid)],
           CAST(md5('owner-' || n %% 250) AS uuid), ARRAY[CAST(md5('activity-' || n) AS uuid)]
    FROM generate_series(1, %(rows)s) AS n
"""


@dataclass(slots=True)
class Watch:
    """MiB that a process holds, looked at ten times a second."""

    pid: int
    seen: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Look until it is over."""
        while not self.over.wait(0.1):
            self.seen.append(memory(self.pid))


def fill(db: psycopg.Connection, rows: int) -> None:
    """Give the tenant so many pieces of evidence, three every third minute, in the empty database of a metrics-svc."""
    db.execute("SET synchronous_commit = off")
    db.execute(FILL, {"tenant": TENANT, "accounts": ACCOUNTS, "rows": rows})
    db.execute("VACUUM ANALYZE evidence")


def streamed(port: int, token: str, **query: str) -> tuple[int, int]:
    """Export evidence, and throw it away; gives lines and bytes. http.client raises IncompleteRead when it is cut."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/x-ndjson"}
    connection.request("GET", f"{PATH}?{urlencode(query)}", headers=headers)
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise RuntimeError(answer.read().decode())
    lines = size = 0
    while part := answer.read(65_536):
        lines += part.count(b"\n")
        size += len(part)
    connection.close()
    return lines, size


def measure(port: int, pid: int, token: str, rows: int) -> dict[str, float]:
    """Rows and MiB a second of one export of all rows, and MiB of the process before, at the highest and after.

    Raises RuntimeError when a row is missing.
    """
    streamed(port, token, **{"from": (datetime.now(UTC) - timedelta(minutes=WARMING)).isoformat()})
    before, watch = memory(pid), Watch(pid)
    looking = threading.Thread(target=watch.look)
    looking.start()
    started = time.perf_counter()
    lines, size = streamed(port, token)
    seconds = time.perf_counter() - started
    watch.over.set()
    looking.join()
    if lines != rows:
        raise RuntimeError(f"{lines:,} of {rows:,} rows came")
    return {
        "rows_per_second": lines / seconds,
        "mib_per_second": size / seconds / 2**20,
        "seconds": seconds,
        "before_mib": before,
        "highest_mib": max(watch.seen, default=before),
        "after_mib": memory(pid),
    }


def shown(found: dict[str, float]) -> str:
    """What was found, in a line."""
    held = [found[f"{when}_mib"] for when in ("before", "highest", "after")]
    return (
        f"{found['rows_per_second']:,.0f} rows/s, {found['mib_per_second']:.1f} MiB/s, {found['seconds']:.1f} s; "
        f"the API held {held[0]} MiB before, {held[1]} at the highest, {held[2]} after"
    )


def main() -> None:
    """Make the rows, export them, print, and keep it in results.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=2, help="exports, one after the other")
    given = options.parse_args()
    with running("metrics") as stack:
        stack.halt("metrics-worker")
        with psycopg.connect(stack.layout.postgres_url.rpartition("/")[0] + "/metrics", autocommit=True) as db:
            fill(db, given.rows)
        port, pid = stack.layout.ports["metrics-api"], stack.pid("metrics-api")
        rounds = []
        for _ in range(given.rounds):
            rounds.append(measure(port, pid, stack.token(TENANT), given.rows))
            print(shown(rounds[-1]), flush=True)
    keep("exports", {}, **vars(given), rounds=rounds)


if __name__ == "__main__":
    main()
