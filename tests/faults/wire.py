"""The invariants of what went out and of how the processes bore it: topics, receivers, tenants, stops, refusals."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from faults import gentle
from faults.evidence import Evidence, Verdict
from faults.load import CANARY, TENANTS
from faults.poison import Spot
from faults.readers import SERVICES
from faults.sizes import grown


class Identified(NamedTuple):
    """An event on a topic."""

    topic: str
    key: str
    id: str
    sequence: int | None


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
    opened = {id_ for (id_,) in evidence.outside.rows("scoring", expected, list(TENANTS))}
    return len(ids), broken + [f"{alert}: nobody was told" for alert in sorted(opened - heard)]


def published(evidence: Evidence) -> Verdict:
    """I6: every outbox is empty, all that was in one is on its topic, and nothing else is."""
    on_topics = {line.id for line in events(evidence)}
    buried = {_burial(line.topic, line.headers) for line in evidence.lines if line.topic.endswith("-dlq")}
    decided: set[str] = set()
    graves: set[tuple[str, ...]] = set()
    broken = []
    for service in SERVICES:
        for event_id, topic, headers, is_published in evidence.outside.rows(service, _OUTBOX):
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
    counted = Counter(event.id for event in events(evidence))
    since = "SELECT event_id::text FROM outbox WHERE id > %s AND value IS NOT NULL AND topic NOT LIKE '%%-dlq'"
    ids = [id_ for name, last in evidence.calm.items() for (id_,) in evidence.outside.rows(name, since, last)]
    return len(ids), [f"{id_} is on its topic {counted[id_]} times" for id_ in ids if counted[id_] > 1]


def events(evidence: Evidence) -> Iterator[Identified]:
    """Records that are events of ours: neither poison nor tombstones nor dead letters."""
    laid = {each.spot for each in evidence.poison}
    for line in evidence.lines:
        if line.id is not None and (line.topic, line.partition, line.offset) not in laid:
            yield Identified(line.topic, line.key, line.id, line.sequence)


def _burial(topic: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Which record a dead letter is of, and who could not read it."""
    return topic, *(headers[f"dlq_{name}"] for name in ("consumer", "original_partition", "original_offset"))


def ordered(evidence: Evidence) -> Verdict:
    """I7, I3: of each key, the first occurrences of sequence numbers are 1, 2, 3…"""
    last: dict[tuple[str, str], int] = {}
    broken = []
    for event in events(evidence):
        key, number = (event.topic, event.key), event.sequence or 0
        if number > last.get(key, 0) + 1:
            broken.append(f"{key}: {number} comes after {last.get(key, 0)}")
        last[key] = max(last.get(key, 0), number)
    return len(last), broken


def poison(evidence: Evidence) -> Verdict:
    """I9: each record that a service can't read lies among its dead letters once, and on the topic for them."""
    kept: Counter[tuple[str, Spot]] = Counter()
    for service in SERVICES:
        for topic, partition, offset in evidence.outside.rows(
            service, 'SELECT topic, partition, "offset" FROM dead_letter'
        ):
            kept[service, (topic, partition, offset)] += 1
    copies = {_burial(line.topic, line.headers) for line in evidence.lines if line.topic.endswith("-dlq")}
    broken, expected = [], set()
    for each in evidence.poison:
        topic, partition, offset = each.spot
        for service in each.readers:
            expected.add((service, each.spot))
            if kept[service, each.spot] != 1:
                broken.append(f"{each.kind} {each.spot}: {kept[service, each.spot]} dead letters of {service}")
            if (f"{topic}-dlq", service, str(partition), str(offset)) not in copies:
                broken.append(f"{each.kind} {each.spot}: none of {service} on the topic of dead letters")
    return len(expected), broken + [f"{place} is no poison" for place in sorted(kept.keys() - expected)]


def replays(evidence: Evidence) -> Verdict:
    """I9: dead letters that were tried again twice, and still can't be read, changed nothing and are there once."""
    return evidence.replayed


def committed(evidence: Evidence) -> Verdict:
    """I8: no group was ever seen to have committed past what it had done, and in the end none has anything left."""
    lag = [f"{place}: {behind} records are not committed" for place, behind in evidence.lags.items() if behind]
    return evidence.lookout.checked + len(evidence.lags), [*evidence.lookout.broken, *lag]


def tenants(evidence: Evidence) -> Verdict:
    """I11: nobody is shown, and nothing is kept for a tenant, what another one said."""
    broken, checked = [], 0
    for tenant in (CANARY, *TENANTS):
        said = {external_id for owner, external_id in evidence.told.sent if owner == tenant}
        shown = {each["external_id"] for each in evidence.outside.pages("metrics", "activities", tenant)}
        checked += len(shown)
        broken += [f"{tenant} is shown {name}" for name in sorted(shown - said)]
        accounts = {each["account_id"] for each in evidence.outside.pages("scoring", "health", tenant)}
        own = {each["id"] for each in evidence.outside.pages("profile", "accounts", tenant)}
        broken += [f"{tenant} is shown the health of {name}" for name in sorted(accounts - own)]
    return checked, broken


def recovered(evidence: Evidence) -> Verdict:
    """I12, I13: after each fault work went on in time, and who was asked to stop did so within 15 seconds, well."""
    broken = [f"{fault.kind} of {fault.target}: {fault.odd}" for fault in evidence.faults if fault.odd]
    return len(evidence.faults), broken


def refusals(evidence: Evidence) -> Verdict:
    """I13: what was refused was refused with 503 and when to come again (or 429), and with nothing else."""
    posts = sum(evidence.told.outcomes.values()) + sum(evidence.edited.outcomes.values())
    broken = [*evidence.told.odd, *evidence.edited.odd]
    allowed = [gentle.ANSWERS[fault.kind] for fault in evidence.faults if fault.kind in gentle.ANSWERS]
    if allowed and len(allowed) == len(evidence.faults):
        ends = Counter(evidence.told.outcomes) + Counter(evidence.edited.outcomes)
        broken += [f"{number} posts ended {end}" for end, number in ends.items() if end not in set.union(*allowed)]
    return posts, broken


def at_rest(evidence: Evidence) -> Verdict:
    """I12, in the end: nothing is left to send, to read or to do."""
    return 2, list(evidence.restless)


def stops(evidence: Evidence) -> Verdict:
    """I13: whoever was asked to stop in the end did so in time and said that all is well."""
    return len(evidence.ends), [f"{name}: {how}" for name, how in evidence.ends if how != "exit status 0"]


def sizes(evidence: Evidence) -> Verdict:
    """I14: memory, threads, open files and connections are back to what they were, but for a stated slack."""
    return len(evidence.after.processes) + len(evidence.after.connections), grown(evidence.before, evidence.after)
