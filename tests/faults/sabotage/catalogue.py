"""The promises that can be broken on purpose, each where its guard really stands, with the faults that make it bite.

Most handlers refuse a repeat by a natural key, beside the inbox or in its place. Where breaking one guard changes
nothing because the next one holds, the sabotage is of the one that holds; its `why` says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from faults.asked import Targets
from faults.sabotage.edits import Edit

CONSUMER: Final = "bellwether_kit.events.consumer"
KAFKA: Final = "bellwether_kit.events.kafka"
RELAY: Final = "bellwether_kit.events.relay"
UNIT: Final = "bellwether_kit.db.unit_of_work"
LEDGER: Final = "scoring_svc.ledger.store"
EVALUATION: Final = "scoring_svc.evaluation.handlers"

AFTER_COMMIT: Final = ("before-offset-commit",)
IN_WORK: Final = ("before-write", "after-write")
SCORING: Final = Targets(workers=("scoring-worker",), senders=("metrics",))


@dataclass(frozen=True)
class Sabotage:
    """What is broken. `statements` (database, SQL) run as superuser on the running stack, before the load."""

    why: str
    edits: tuple[Edit, ...] = ()
    statements: tuple[tuple[str, str], ...] = ()
    processes: tuple[str, ...] = ("*",)
    kinds: tuple[str, ...] = ("crash-worker", "kill-worker", "send-again")
    targets: Targets = SCORING
    replicas: Mapping[str, int] = field(default_factory=dict)


def _dying(*crashes: str) -> Targets:
    return Targets(SCORING.workers, crashes, SCORING.senders, hits=2)


_HANDLE: Final = "        bad = await self._process(lanes_of(polled))\n"
_COMMIT: Final = (
    "        await self._commit(consumer, {tp: part[-1].offset + 1 for tp, part in polled.items()}, generation)\n"
)
_ENTRIES: Final = "    entries = [_entry(event, accounts, books, uow.now.timestamp()) for event in told.evidence]\n"
_REPEAT_COUNTS: Final = (
    Edit(
        LEDGER,
        "(EXCLUDED.revision, EXCLUDED.retracted) > (known.revision, known.retracted)",
        "(EXCLUDED.revision, EXCLUDED.retracted) >= (known.revision, known.retracted)",
    ),
    Edit(
        LEDGER,
        "AS key, old.retracted, old.counted",
        "AS key, old.retracted OR old.revision = new.revision, old.counted",
    ),
)
"""A revision that the ledger has already is news to it, and replaces nothing."""

SABOTAGES: Final[Mapping[str, Sabotage]] = {
    "auto-commit": Sabotage(
        "the client commits offsets in the background, every 10 ms, of whatever was polled",
        (
            Edit(KAFKA, '"enable_auto_commit": False', '"enable_auto_commit": True, "auto_commit_interval_ms": 10'),
            Edit(CONSUMER, _COMMIT, ""),
        ),
        kinds=("crash-worker",),
        targets=_dying(*IN_WORK),
    ),
    "offset-before-commit": Sabotage(
        "offsets are committed before the transaction is",
        (Edit(CONSUMER, _COMMIT, ""), Edit(CONSUMER, _HANDLE, _COMMIT + _HANDLE)),
        kinds=("crash-worker",),
        targets=_dying(*IN_WORK),
    ),
    "no-inbox-key": Sabotage(
        "neither the inbox nor the ledger has a key. The inbox alone changes nothing, as every handler has a natural"
        " key; for evidence that key is the inbox",
        (
            Edit(
                LEDGER,
                "ON CONFLICT (tenant, evidence_id) DO",
                "ON CONFLICT (tenant, evidence_id) WHERE revision < 0 DO",
            ),
        ),
        (
            ("scoring", "ALTER TABLE inbox DROP CONSTRAINT inbox_pkey"),
            ("scoring", "ALTER TABLE evidence DROP CONSTRAINT evidence_pkey"),
            ("scoring", "CREATE UNIQUE INDEX evidence_never ON evidence (tenant, evidence_id) WHERE revision < 0"),
        ),
        kinds=("send-again",),
    ),
    "publish-before-commit": Sabotage(
        "workers send events to their topics before the transaction that decided them is committed",
        (
            Edit(
                UNIT,
                "        self._entries.clear()\n",
                "        from faults.sabotage.early import publish\n\n"
                "        await publish(self.session, self.settings, source, [entry.id for entry in self._entries])\n"
                "        self._entries.clear()\n",
            ),
        ),
        processes=("metrics-worker", "scoring-worker"),
        kinds=("crash-worker",),
        targets=_dying("after-outbox"),
    ),
    "relay-by-cursor": Sabotage(
        "the relay goes on after the highest id it published; a lower one that was committed later waits for ever."
        " COMMITs take their time here, as on a busy disk",
        (
            Edit(
                RELAY,
                "WHERE published_at IS NULL AND topic",
                "WHERE id > (SELECT coalesce(max(id), 0) FROM outbox WHERE published_at IS NOT NULL) AND topic",
            ),
            Edit(
                UNIT,
                "            emitted = await unit.flush(self.source)\n",
                "            emitted = await unit.flush(self.source)\n"
                "            from faults.sabotage.early import linger\n\n"
                "            await linger()\n",
            ),
        ),
        processes=("metrics-api", "metrics-worker"),
        kinds=("kill-worker", "cut-connections"),
    ),
    "two-relays": Sabotage(
        "two workers of a service publish at once. Of each key the order of first occurrences holds all the same;"
        " what is seen is that everything is published twice while nothing fails",
        (Edit(RELAY, "SELECT pg_try_advisory_lock(hashtext('bellwether-relay'))", "SELECT true"),),
        kinds=("kill-worker",),
        replicas={"metrics-worker": 2, "scoring-worker": 2},
    ),
    "no-alert-index": Sabotage(
        "alerts have no unique index, and are read as they were five seconds ago. The index alone changes nothing, as"
        " the account is locked while it is judged: it is there for a judgement that reads too early",
        (
            Edit(
                "scoring_svc.evaluation.store",
                "    changed, changes = [], []\n",
                "    alerts = {\n"
                "        key: {kind: held for kind, held in of.items() if held.alert.opened_at < now - 5}\n"
                "        for key, of in alerts.items()\n"
                "    }\n"
                "    changed, changes = [], []\n",
            ),
        ),
        (
            ("scoring", "DROP INDEX alert_one_unresolved"),
            ("scoring", "DROP INDEX alert_one_current"),
        ),
        kinds=("kill-worker", "send-again"),
    ),
    "latest": Sabotage(
        "a group without a committed offset starts at the end of its topics",
        (Edit(KAFKA, '"auto_offset_reset": "earliest"', '"auto_offset_reset": "latest"'),),
        kinds=("stop-worker", "kill-worker"),
    ),
    "swallowed-poison": Sabotage(
        "what cannot be read is skipped, with a line in the log",
        (
            Edit(
                "bellwether_kit.events.batches",
                "batch.rejected.append(Rejected(record, error.kind, str(error)))",
                'log.warning("record.skipped", kind=error.kind)',
            ),
        ),
        kinds=("stop-worker",),
    ),
    "memory-only": Sabotage(
        "a repeat is known by the process that took it first, and by nothing else: after that the ledger adds it again",
        (
            *_REPEAT_COUNTS,
            Edit(EVALUATION, "Heard = Received", "_SEEN: set[Any] = set()\nHeard = Received"),
            Edit(
                EVALUATION,
                _ENTRIES,
                "    said = {(e.tenant, e.data.evidence_id, _place(e)): e for e in told.evidence}\n"
                "    fresh = [event for key, event in said.items() if key not in _SEEN]\n"
                "    _SEEN.update(said)\n" + _ENTRIES.replace("told.evidence", "fresh"),
            ),
        ),
        kinds=("crash-worker", "send-again"),
        targets=_dying(*AFTER_COMMIT),
    ),
    "ignored-retraction": Sabotage(
        "evidence that is taken back goes on counting",
        (Edit(EVALUATION, _ENTRIES, _ENTRIES.replace("]", " if isinstance(event.data, EvidenceRecorded)]")),),
        kinds=("send-again",),
    ),
    "delta-twice": Sabotage(
        "the ledger adds a revision to the score that it has added already",
        _REPEAT_COUNTS,
        kinds=("send-again", "crash-worker"),
        targets=_dying(*AFTER_COMMIT),
    ),
}
