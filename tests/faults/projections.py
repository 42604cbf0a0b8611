"""I10: what each service knows from others equals what those have."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from faults import journal
from faults.evidence import Evidence, Verdict


def differences(name: str, source: Iterable[tuple[Any, ...]], copy: Iterable[tuple[Any, ...]]) -> list[str]:
    """What is in one of both only, or more often than in the other, in words."""
    ours, theirs = Counter(source), Counter(copy)
    broken = [f"{name}: {n} more in the source: {row}" for row, n in sorted((ours - theirs).items(), key=str)]
    return broken + [f"{name}: {n} more in the copy: {row}" for row, n in sorted((theirs - ours).items(), key=str)]


_EDITED = """
    SELECT tenant, '{what} ' || split_part(external_id, '-', 2), {what}.name
    FROM {what}_external_id JOIN {what} USING (tenant) WHERE {what}.id = {what}_id AND external_id LIKE '{called}-%'
"""


def edited(evidence: Evidence) -> Verdict:
    """I1, I2 of accounts and people: each has one row, and it says what was taken last or may have come later."""
    found: dict[journal.Name, list[int]] = defaultdict(list)
    for service, what, called in (("profile", "account", "company"), ("stakeholder", "person", "person")):
        statement = _EDITED.format(what=what, called=called)
        for tenant, name, says in evidence.outside.rows(service, statement):
            found[tenant, name].append(int(says.rpartition(" v")[2]) if " v" in says else 0)
    broken = []
    for name, sent in evidence.edited.sent.items():
        kept = found.get(name, [])
        if len(kept) > 1 or not all(map(sent.may_be_last, kept)) or (sent.taken and not kept):
            broken.append(f"{name}: says {kept}, last taken {sent.taken}, perhaps {sorted(sent.maybe)}")
    return len(evidence.edited.sent), broken


def accounts(evidence: Evidence) -> Verdict:
    """Every service knows the accounts as profile-svc has them: name and tier where it keeps them."""
    full = evidence.outside.rows("profile", "SELECT tenant, id::text, version, name, tier FROM account")
    broken = []
    for service, columns in {
        "metrics": "account_id::text, version, name, tier",
        "scoring": "account_id::text, version, name, tier",
        "plan": "account_id::text, version, name, tier",
        "stakeholder": "id::text, version, name",
    }.items():
        known = evidence.outside.rows(service, f"SELECT tenant, {columns} FROM account")
        broken += differences(f"{service}'s accounts", (row[: len(known[0]) if known else 5] for row in full), known)
    return len(full), broken


def people(evidence: Evidence) -> Verdict:
    """scoring-svc knows people as stakeholder-svc has them, and the newest coverage of each account."""
    person = "SELECT tenant, {id}::text, account_id::text, version, sentiment, veto FROM {table}"
    whole = evidence.outside.rows("stakeholder", person.format(id="id", table="person"))
    known = evidence.outside.rows("scoring", person.format(id="stakeholder_id", table="stakeholder"))
    broken = differences("scoring's people", whole, known)
    coverage = "SELECT tenant, account_id::text, {at}, coverage FROM {table} WHERE coverage IS NOT NULL"
    said = evidence.outside.rows("stakeholder", coverage.format(at="assessed_at", table="coverage"))
    heard = evidence.outside.rows("scoring", coverage.format(at="coverage_at", table="measure"))
    return len(whole) + len(said), broken + differences("scoring's coverage", said, heard)


_TOUCHED = (
    "SELECT tenant, account_id::text, max(last_two_way_at) FROM touch GROUP BY 1, 2 HAVING count(last_two_way_at) > 0"
)
_HEARD = "SELECT tenant, account_id::text, last_two_way_at FROM measure WHERE last_two_way_at IS NOT NULL"


def contacts(evidence: Evidence) -> Verdict:
    """scoring-svc knows the last contact with each account as metrics-svc has it."""
    said = evidence.outside.rows("metrics", _TOUCHED)
    heard = evidence.outside.rows("scoring", _HEARD)
    return len(said), differences("scoring's contacts", said, heard)


_TOLD = """
    SELECT tenant, id::text, status <> 'resolved' FROM alert AS a
    WHERE NOT EXISTS (SELECT FROM held_alert AS h WHERE h.tenant = a.tenant AND h.alert_id = a.id)
"""
"""Of alerts that a storm holds nobody hears until a person decides; at the end days pass, and sources are silent."""


def healths(evidence: Evidence) -> Verdict:
    """profile-svc shows the health that scoring-svc last published, and plan-svc has seen each alert as it is."""
    health = "SELECT tenant, account_id::text, sequence, band FROM account_health WHERE sequence > 0"
    said = evidence.outside.rows("scoring", health)
    broken = differences("profile's health", said, evidence.outside.rows("profile", health))
    alerts = evidence.outside.rows("scoring", _TOLD)
    seen = evidence.outside.rows("plan", "SELECT tenant, alert_id::text, open FROM alert_seen")
    return len(said) + len(alerts), broken + differences("plan's alerts", alerts, seen)
