"""The invariants of what the services keep: rows, evidence, scores, alerts, projections."""

from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import Any, Final

from reference.straight_sum import Told, health

from bellwether.stack import Stack
from faults import journal
from faults.evidence import Evidence, Verdict
from faults.load import CANARY, TENANTS
from faults.world import asked, rows

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
    for tenant, external_id, revision in rows(
        evidence.stack, "metrics", "SELECT tenant, external_id, revision FROM activity"
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
            page = asked(evidence.stack, "metrics", f"derivation/preview?limit=50{cursor}", tenant, {"rules": None})
            checked += page["activities"]
            broken += [f"{tenant}: {each}" for each in page["differences"]]
            broken += [f"{tenant}: unsettled {each}" for each in page["unsettled"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    return checked, broken


def ledgers(evidence: Evidence) -> Verdict:
    """I3, I10: scoring's ledger holds what stands in metrics-svc, each piece once."""
    ours = Counter(rows(evidence.stack, "metrics", _STANDING.format(stands="retracted_for IS NULL")))
    theirs = Counter(rows(evidence.stack, "scoring", _STANDING.format(stands="NOT retracted")))
    broken = [f"{n} more in metrics: {row}" for row, n in sorted((ours - theirs).items(), key=str)]
    broken += [f"{n} more in scoring: {row}" for row, n in sorted((theirs - ours).items(), key=str)]
    return ours.total(), broken


def scores(evidence: Evidence) -> Verdict:
    """I4: every score is the plain sum over what stands, with the last contact that metrics-svc knows."""
    pieces, told = _pieces(evidence.stack), _told(evidence.stack)
    kept = """
        SELECT tenant, account_id::text, score, confidence, evaluated_at FROM account_health WHERE score IS NOT NULL
    """
    checked, broken = 0, []
    for tenant, account, score, confidence, at in rows(evidence.stack, "scoring", kept):
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
    seen = {tenant: (drifted, drift) for tenant, drifted, drift in rows(evidence.stack, "scoring", ended)}
    broken = [f"{tenant}: an audit mended {n} accounts, by {by} at most" for tenant, (n, by) in seen.items() if n]
    return len(seen), broken + [f"{tenant} was not audited" for tenant in {*TENANTS, CANARY} - seen.keys()]


def _pieces(stack: Stack) -> dict[Account, list[Any]]:
    """What stands of each account, as the plain sum takes it."""
    stands = """
        SELECT tenant, account_id::text, kind, magnitude, observed_at, (ARRAY['heart', 'mind', 'wallet'])[dimension + 1]
        FROM evidence WHERE NOT retracted
    """
    found: dict[Account, list[Any]] = defaultdict(list)
    for tenant, account, kind, magnitude, observed, dimension in rows(stack, "scoring", stands):
        piece = SimpleNamespace(kind=kind, magnitude=magnitude, observed_at=observed, dimension=dimension)
        found[tenant, account].append(piece)
    return found


def _told(stack: Stack) -> dict[Account, Told]:
    """What other services know of each account: its tier, the last contact, how well it is covered."""
    tiers = "SELECT tenant, id::text, tier FROM account"
    found = {(t, account): Told(cadence=CADENCE[tier]) for t, account, tier in rows(stack, "profile", tiers)}
    contacts = "SELECT tenant, account_id::text, max(last_two_way_at) FROM touch GROUP BY tenant, account_id"
    for tenant, account, at in rows(stack, "metrics", contacts):
        found[tenant, account].contact = at
    covered = "SELECT tenant, account_id::text, coverage_at, coverage FROM measure WHERE coverage IS NOT NULL"
    for tenant, account, at, value in rows(stack, "scoring", covered):
        found[tenant, account].report("coverage", at, value)
    return found


def alerts(evidence: Evidence) -> Verdict:
    """I5: one unresolved alert per account and kind, and a fresh look at the account would change nothing."""
    broken = [
        f"{row}: several unresolved"
        for row in rows(
            evidence.stack,
            "scoring",
            "SELECT tenant, account_id::text, kind, count(*) FROM alert WHERE status <> 'resolved' GROUP BY 1, 2, 3"
            " HAVING count(*) > 1",
        )
    ]
    accounts = rows(evidence.stack, "scoring", "SELECT DISTINCT tenant, account_id::text FROM alert")
    for tenant, account in accounts:
        seen = asked(evidence.stack, "scoring", f"accounts/{account}/health/what-if", tenant, {})
        broken += [f"{tenant}/{account}: would be {each}" for each in seen["alerts"]]
    return len(accounts), broken


def projections(evidence: Evidence) -> Verdict:
    """I10: every service knows the accounts as profile-svc has them."""
    whole = set(rows(evidence.stack, "profile", "SELECT tenant, id::text, version FROM account"))
    broken = []
    for service in ("metrics", "scoring", "plan", "stakeholder"):
        name = "id" if service == "stakeholder" else "account_id"
        known = set(rows(evidence.stack, service, f"SELECT tenant, {name}::text, version FROM account"))
        broken += [f"{service}: {row}" for row in sorted(whole ^ known)]
    return len(whole), broken
