"""The invariants of what went out and of how the processes bore it: topics, receivers, tenants, stops, refusals."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from records import Record, in_order

from faults.evidence import SERVICES, Evidence, Verdict, connections
from faults.load import CANARY, TENANTS
from faults.world import pages, rows

_OUTBOX = "SELECT event_id::text, topic, headers, published_at IS NOT NULL FROM outbox WHERE value IS NOT NULL"


def told(evidence: Evidence) -> Verdict:
    """I5, at the receiver: an alert opens, and resolves, once per episode, in one message; each alert was told of."""
    ids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message, alert, change in evidence.sink.told:
        ids[alert, change].add(message)
    once = {key: m for key, m in ids.items() if key[1].split()[0] in {"alert.opened", "alert.resolved"}}
    broken = [f"{alert} {change}: {len(m)} messages" for (alert, change), m in once.items() if len(m) > 1]
    heard = {alert for alert, _ in ids}
    # Held ones wait for a person; of one that was over before anybody could be told, nobody is.
    expected = """
        SELECT id::text FROM alert AS a WHERE tenant = ANY(%s) AND NOT EXISTS (
            SELECT FROM held_alert AS h WHERE h.tenant = a.tenant AND h.alert_id = a.id
        ) AND NOT EXISTS (
            SELECT FROM notification AS n
            WHERE n.tenant = a.tenant AND n.alert_id = a.id AND n.status = 'overtaken' AND a.status = 'resolved'
        )
    """
    opened = {id_ for (id_,) in rows(evidence.stack, "scoring", expected, list(TENANTS))}
    return len(ids), broken + [f"{alert}: nobody was told" for alert in sorted(opened - heard)]


def published(evidence: Evidence) -> Verdict:
    """I6: every outbox is empty, all that was in one is on its topic, and nothing else is."""
    on_topics = {record.event["id"] for record in evidence.records if _is_event(record)}
    buried = {_burial(record.topic, record.header) for record in evidence.records if record.topic.endswith("-dlq")}
    decided: set[str] = set()
    graves: set[tuple[str, ...]] = set()
    broken = []
    for service in SERVICES:
        for event_id, topic, headers, is_published in rows(evidence.stack, service, _OUTBOX):
            if not is_published:
                broken.append(f"{service}: {event_id} is not published")
            if topic.endswith("-dlq"):
                graves.add(_burial(topic, headers))
            else:
                decided.add(event_id)
    broken += [f"{event_id} is on no topic" for event_id in sorted(decided - on_topics)]
    broken += [f"{event_id} was never decided" for event_id in sorted(on_topics - decided)]
    broken += [f"dead letter {each} is on one side only" for each in sorted(graves ^ buried)]
    return len(decided) + len(graves), broken


def published_once(evidence: Evidence) -> Verdict:
    """I6, when nothing fails: what was decided after the last fault is on its topic once, for one relay is active."""
    counted = Counter(record.event["id"] for record in evidence.records if _is_event(record))
    since = "SELECT event_id::text FROM outbox WHERE id > %s AND value IS NOT NULL AND topic NOT LIKE '%%-dlq'"
    ids = [id_ for name, last in evidence.calm.items() for (id_,) in rows(evidence.stack, name, since, last)]
    return len(ids), [f"{id_} is on its topic {counted[id_]} times" for id_ in ids if counted[id_] > 1]


def _is_event(record: Record) -> bool:
    try:
        return not record.topic.endswith("-dlq") and isinstance(record.event.get("id"), str)
    except (ValueError, TypeError):
        return False


def _burial(topic: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Which record a dead letter is of, and who could not read it."""
    return topic, *(headers[f"dlq_{name}"] for name in ("consumer", "original_partition", "original_offset"))


def ordered(evidence: Evidence) -> Verdict:
    """I7, I3: of each key, the first occurrences of sequence numbers are 1, 2, 3…"""
    by_key: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in evidence.records:
        if _is_event(record):
            by_key[record.topic, record.key].append(record)
    return len(by_key), [f"{key} is out of order" for key, found in by_key.items() if not in_order(found)]


def poison(evidence: Evidence) -> Verdict:
    """I9: each poisonous record lies among the dead letters of each of its readers once."""
    kept = Counter(
        (topic, partition, offset)
        for topic, partition, offset in rows(
            evidence.stack, "scoring", 'SELECT topic, partition, "offset" FROM dead_letter'
        )
    )
    broken = [f"{place}: {kept[place]} dead letters" for place in evidence.poison if kept[place] != 1]
    return len(evidence.poison), broken + [f"{place} is no poison" for place in kept.keys() - set(evidence.poison)]


def tenants(evidence: Evidence) -> Verdict:
    """I11: nobody is shown, and nothing is kept for a tenant, what another one said."""
    broken, checked = [], 0
    for tenant in (CANARY, *TENANTS):
        said = {external_id for owner, external_id in evidence.told.sent if owner == tenant}
        shown = {each["external_id"] for each in pages(evidence.stack, "metrics", "activities", tenant)}
        checked += len(shown)
        broken += [f"{tenant} is shown {name}" for name in sorted(shown - said)]
        accounts = {each["account_id"] for each in pages(evidence.stack, "scoring", "health", tenant)}
        own = {each["id"] for each in pages(evidence.stack, "profile", "accounts", tenant)}
        broken += [f"{tenant} is shown the health of {name}" for name in sorted(accounts - own)]
    return checked, broken


def recovered(evidence: Evidence) -> Verdict:
    """I12, I13: after each fault all was ready again in time, and who was asked to stop did so within 15 seconds."""
    broken = [f"{fault.kind} of {fault.target}: {fault.odd}" for fault in evidence.faults if fault.odd]
    return len(evidence.faults), broken


def at_rest(evidence: Evidence) -> Verdict:
    """I12, in the end: nothing is left to send, to read or to do."""
    return 2, list(evidence.restless)


def refusals(evidence: Evidence) -> Verdict:
    """I13: what was refused was refused with 503 and when to come again (or 429), and with nothing else."""
    return sum(evidence.told.outcomes.values()), list(evidence.told.odd)


def sizes(evidence: Evidence) -> Verdict:
    """I14: connections are back to what they were."""
    now = connections(evidence.stack)
    broken = [
        f"{name}: {count} connections, {evidence.baseline.get(name, 0)} before"
        for name, count in now.items()
        if count > evidence.baseline.get(name, 0) + 12
    ]
    return len(now), broken
