"""Reads of scoring-svc over the accounts of a large tenant: pages of the portfolio, its counts, the health of one.

Pages are measured as they come, most of them remembered, and so that none is: each asks for something else.
"""

import argparse
import time

import httpx
from reads import TENANT, Path_, Reads, measure
from results import keep
from stacks import running, unlimited

SORTS = ("score", "-score", "change", "-change", "value", "-value", "priority", "-priority")
KINDS = ("meeting-held", "meeting-declined", "call-unreturned", "advice-sought", "order-placed", "scope-reduced")

STEPS = (
    """
    INSERT INTO account (tenant, account_id, version, removed, name, tier, owner_id, value_amount, value_currency,
                         known_since, industry, territory)
    SELECT %(tenant)s, CAST(md5('account-' || n) AS uuid), 1, false, 'Account ' || n,
           CASE WHEN n %% 10 = 0 THEN 'A' WHEN n %% 10 < 4 THEN 'B' ELSE 'C' END,
           CAST(md5('owner-' || n %% 250) AS uuid), round(CAST(exp(6 + n %% 997 / 200.0) AS numeric), 2), 'EUR',
           now() - interval '2 years', 'industry-' || n %% 17, 'territory-' || n %% 23
    FROM generate_series(1, %(accounts)s) AS n
    """,
    # How good an account is goes by its number: its evidence is more or less often of a good kind.
    """
    INSERT INTO evidence (tenant, evidence_id, account_id, observed_at, weight, magnitude, revision, dimension,
                          retracted, counted, kind)
    SELECT %(tenant)s, CAST(md5(concat_ws('/', 'evidence', n, e)) AS uuid), CAST(md5('account-' || n) AS uuid),
           now() - (hashtext(concat_ws('/', n, e)) & 65535) %% 300 * interval '1 day', 0, 1, 1, place / 2, false, true,
           (CAST(%(kinds)s AS text[]))[1 + place]
    FROM generate_series(1, %(accounts)s) AS n, generate_series(1, 12) AS e,
         LATERAL (SELECT CASE WHEN (hashtext(concat_ws('.', n, e)) & 65535) %% 10 < 2 + n %% 8
                  THEN (ARRAY[0, 3, 4])[1 + e %% 3] ELSE (ARRAY[1, 2, 5])[1 + e %% 3] END) AS k(place)
    """,
    """
    INSERT INTO measure (tenant, account_id, last_two_way_at)
    SELECT tenant, account_id, now() - (hashtext(name) & 65535) %% 40 * interval '1 day' FROM account
    """,
    """
    INSERT INTO account_health (tenant, account_id, evaluated_at, sequence, scorecard, scorecard_version, stale)
    SELECT tenant, account_id, now(), 0, 'default', 1, false FROM account
    """,
)


class Portfolio(Reads):
    """A scoring-svc of our own with many accounts, and what is asked of it."""

    service = "scoring"

    def evaluate(self, accounts: int) -> None:
        """Fill the tables, and let the worker evaluate every account from its evidence."""
        self._stack.halt("scoring-worker")
        for step in STEPS:
            self.db.execute(step, {"tenant": TENANT, "accounts": accounts, "kinds": list(KINDS)})
        self.db.execute("ANALYZE")
        headers = {"Authorization": f"Bearer {self._token}"}
        httpx.post(f"http://127.0.0.1:{self._port}/v1/health/rebuild", headers=headers).raise_for_status()
        started = time.perf_counter()
        self._stack.resume("scoring-worker")
        self._wait("SELECT count(*) FROM rescoring_run WHERE cause = 'rebuild' AND state = 'running'")
        print(f"rebuild: {accounts / (time.perf_counter() - started):,.0f} accounts/s, with the worker's start")
        self._stack.halt("scoring-worker")
        self.db.execute("VACUUM ANALYZE")
        for row in self.db.execute("SELECT band, count(*) FROM account_health GROUP BY band"):
            print(*row)

    def paths(self) -> dict[str, Path_]:
        """What is asked for, by name: a path made anew for each request."""
        owners = [row[0] for row in self.db.execute("SELECT DISTINCT owner_id FROM account")]
        accounts = [row[0] for row in self.db.execute("SELECT account_id FROM account LIMIT 5000")]
        return {
            "portfolio": lambda _: "/v1/health",
            "portfolio anew": lambda chance: f"/v1/health?min_confidence={chance.random() / 1_000:.9f}",
            "any order anew": lambda chance: (
                f"/v1/health?min_confidence={chance.random() / 1_000:.9f}&sort={chance.choice(SORTS)}"
            ),
            "an owner's": lambda chance: f"/v1/health?owner_id={chance.choice(owners)}&sort={chance.choice(SORTS)}",
            "summary": lambda _: "/v1/health/summary",
            "health": lambda chance: f"/v1/accounts/{chance.choice(accounts)}/health",
            "explanation": lambda chance: f"/v1/accounts/{chance.choice(accounts)}/health/explanation",
        }


def main() -> None:
    """Make the accounts, measure, print, and keep it in results.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=50_000)
    options.add_argument("--requests", type=int, default=3_000, help="of each route, each round")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with running("scoring", variables={"scoring-api": unlimited("scoring")}) as stack:
        reads = Portfolio(stack)
        reads.evaluate(given.accounts)
        rates, slowest = measure(reads, given.requests, given.rounds)
    rows: dict[str, tuple[list[float], list[float]]] = {}
    for row, route in (("page", "portfolio"), ("page anew", "portfolio anew"), ("health", "health")):
        rows |= {f"F8 {row}": (rates[route], rates["bare"]), f"F8 {row} p99": (slowest[route], [])}
    keep("portfolio", rows, **vars(given), rates=rates, p99_ms=slowest)


if __name__ == "__main__":
    main()
