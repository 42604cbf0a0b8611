"""The invariants of what the services keep: rows, evidence, scores, alerts, projections."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from types import SimpleNamespace
from typing import Any, Final

from reference.straight_sum import Told, health

from faults import journal
from faults.evidence import Evidence, Verdict
from faults.load import CANARY, TENANTS
from faults.projections import differences

CADENCE: Final = {"A": 7, "B": 14, "C": 30}
CLOSE: Final = 1e-6
Account = tuple[str, str]
"""Tenant and account id."""
_STANDING = """
    SELECT tenant, evidence_id::text, account_id::text, kind, magnitude, observed_at, revision
    FROM evidence WHERE {stands}
"""


def rows_of_posts(evidence: Evidence) -> Verdict:
    """I1, I2: what was taken has one row of its newest revision; nothing else has one."""
    found: dict[journal.Name, list[int]] = defaultdict(list)
    for tenant, external_id, revision in evidence.outside.rows(
        "metrics", "SELECT tenant, external_id, revision FROM activity"
    ):
        found[tenant, external_id].append(revision)
    broken = []
    for name, sent in evidence.told.sent.items():
        kept = found.pop(name, [])
        if sent.taken and len(kept) != 1:
            broken.append(f"{name}: taken, has {len(kept)} rows")
        elif len(kept) > 1 or (kept and not sent.taken <= kept[0] <= sent.tried):
            broken.append(f"{name}: revisions {kept}, taken {sent.taken}, tried {sent.tried}")
    return len(evidence.told.sent), broken + [f"{name}: a row without a post" for name in found]


def derived(evidence: Evidence) -> Verdict:
    """I3, in metrics-svc: evidence is what deriving all activities from scratch gives."""
    checked, broken = 0, []
    for tenant in (*TENANTS, CANARY):
        cursor: str | None = ""
        while cursor is not None:
            page = evidence.outside.asked("metrics", f"derivation/preview?limit=50{cursor}", tenant, {"rules": None})
            checked += page["activities"]
            broken += [f"{tenant}: {each}" for each in page["differences"]]
            broken += [f"{tenant}: unsettled {each}" for each in page["unsettled"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    return checked, broken


def ledgers(evidence: Evidence) -> Verdict:
    """I3, I10: scoring's ledger holds what stands in metrics-svc, each piece once."""
    ours = evidence.outside.rows("metrics", _STANDING.format(stands="retracted_for IS NULL"))
    theirs = evidence.outside.rows("scoring", _STANDING.format(stands="NOT retracted"))
    return len(ours), differences("the ledger", ours, theirs)


def retractions(evidence: Evidence) -> Verdict:
    """I3: what was taken back is so in scoring's ledger, of several kinds; a run in which nothing was shows nothing."""
    gone = "SELECT tenant, evidence_id::text, kind, revision FROM evidence WHERE {gone}"
    ours = evidence.outside.rows("metrics", gone.format(gone="retracted_for IS NOT NULL"))
    # A piece that came and went before scoring-svc heard of it never had a kind there.
    theirs = {row[:2]: row[3] for row in evidence.outside.rows("scoring", gone.format(gone="retracted"))}
    broken = [f"{row} stands in scoring" for row in ours if theirs.get(row[:2]) != row[3]]
    kinds = {row[2] for row in ours}
    few = [] if len(kinds) > 1 else [f"retracted kinds: {sorted(kinds)}: the load takes too little back"]
    return len(ours), broken + few


def scores(evidence: Evidence) -> Verdict:
    """I4: every score is the plain sum over what stands, with the last contact that metrics-svc knows."""
    pieces, told = _pieces(evidence), _told(evidence)
    kept = """
        SELECT tenant, account_id::text, score, confidence, evaluated_at FROM account_health WHERE score IS NOT NULL
    """
    checked, broken = 0, []
    for tenant, account, score, confidence, at in evidence.outside.rows("scoring", kept):
        expected = health(pieces[tenant, account], told[tenant, account], at)
        checked += 1
        if abs(expected.score - score) > CLOSE or abs(expected.confidence - confidence) > CLOSE:
            right = f"should be {expected.score} sure {expected.confidence}"
            broken.append(f"{tenant}/{account}: {score} sure {confidence}, {right}")
    return checked, broken


def audits(evidence: Evidence) -> Verdict:
    """I4, before days passed: the daily audit, which sums balances anew and mends them, had nothing to mend."""
    ended = """
        SELECT tenant, sum(drifted), max(drift) FROM rescoring_run WHERE cause = 'audit' AND state = 'done'
        GROUP BY tenant
    """
    seen = {tenant: (drifted, drift) for tenant, drifted, drift in evidence.outside.rows("scoring", ended)}
    broken = [f"{tenant}: an audit mended {n} accounts, by {by} at most" for tenant, (n, by) in seen.items() if n]
    return len(seen), broken + [f"{tenant} was not audited" for tenant in {*TENANTS, CANARY} - seen.keys()]


def _pieces(evidence: Evidence) -> dict[Account, list[Any]]:
    """What stands of each account, as the plain sum takes it."""
    stands = """
        SELECT tenant, account_id::text, kind, magnitude, observed_at, (ARRAY['heart', 'mind', 'wallet'])[dimension + 1]
        FROM evidence WHERE NOT retracted
    """
    found: dict[Account, list[Any]] = defaultdict(list)
    for tenant, account, kind, magnitude, observed, dimension in evidence.outside.rows("scoring", stands):
        piece = SimpleNamespace(kind=kind, magnitude=magnitude, observed_at=observed, dimension=dimension)
        found[tenant, account].append(piece)
    return found


def _told(evidence: Evidence) -> dict[Account, Told]:
    """What other services know of each account: its tier, the last contact, how well it is covered."""
    tiers = "SELECT tenant, id::text, tier FROM account"
    found = {(t, account): Told(cadence=CADENCE[tier]) for t, account, tier in evidence.outside.rows("profile", tiers)}
    contacts = "SELECT tenant, account_id::text, max(last_two_way_at) FROM touch GROUP BY tenant, account_id"
    for tenant, account, at in evidence.outside.rows("metrics", contacts):
        found[tenant, account].contact = at
    covered = "SELECT tenant, account_id::text, coverage_at, coverage FROM measure WHERE coverage IS NOT NULL"
    for tenant, account, at, value in evidence.outside.rows("scoring", covered):
        found[tenant, account].report("coverage", at, value)
    return found


def alerts(evidence: Evidence) -> Verdict:
    """I5: one unresolved alert per account and kind, and a fresh look at the account would change nothing."""
    broken = [
        f"{row}: several unresolved"
        for row in evidence.outside.rows(
            "scoring",
            "SELECT tenant, account_id::text, kind, count(*) FROM alert WHERE status <> 'resolved' GROUP BY 1, 2, 3"
            " HAVING count(*) > 1",
        )
    ]
    accounts = evidence.outside.rows("scoring", "SELECT DISTINCT tenant, account_id::text FROM alert")

    def anew(tenant: str, account: str) -> list[str]:
        seen = evidence.outside.asked("scoring", f"accounts/{account}/health/what-if", tenant, {})
        return [f"{tenant}/{account}: would be {each}" for each in seen["alerts"]]

    with ThreadPoolExecutor(4) as pool:
        return len(accounts), broken + list(chain.from_iterable(pool.map(lambda each: anew(*each), accounts)))
