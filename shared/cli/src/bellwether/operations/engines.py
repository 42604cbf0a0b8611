"""What `bellwether doctor` asks the engines and the workers: versions, clocks, topics, migrations, backlogs."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from alembic.script import ScriptDirectory

from bellwether.contracts.catalogue import Topic
from bellwether.errors import EngineFailed
from bellwether.operations.backlog import Backlog, TopicLag, backlog, topic_lags
from bellwether.operations.databases import connected
from bellwether.operations.finding import Finding, graded
from bellwether.topics import compare_topics, no_answer, wanted_topics
from bellwether_kit.clock import Clock, ReplayClock
from bellwether_kit.db.migrations import config

POSTGRES = 18
"""What we test with; older ones may work."""
SMALL_SKEW, LARGE_SKEW = timedelta(seconds=1), timedelta(seconds=30)
LONG_LAG = 10_000
OLD_OUTBOX, SHEDDING_OUTBOX = 60, 900
"""Seconds: unusual, and from where APIs refuse writes."""

_MENDED = "docs/operations.md says what each of these means"


def postgres(service: str, url: str) -> list[Finding]:
    """The version and the clock of the server behind a service's database."""
    what = f"postgres of {service}"
    try:
        with connected(service, url) as connection:
            version = connection.info.server_version // 10_000
            row = connection.execute("SELECT clock_timestamp() AS now").fetchone()
    except EngineFailed as error:
        return [Finding(what, "bad", str(error), "Start the database, or correct its address and role.")]
    assert row is not None
    advice = f"We test with PostgreSQL {POSTGRES}: upgrade."
    return [graded(what, f"version {version}", warn=version < POSTGRES, advice=advice), clocks(service, row.now)]


def clocks(service: str, theirs: datetime) -> Finding:
    """Whether the database's clock and ours agree: leases, retries and retention go by both."""
    skew = abs(datetime.now(UTC) - theirs)
    told = f"{skew.total_seconds():.1f} s between this machine and the database of {service}"
    return graded("clock", told, bad=skew > LARGE_SKEW, warn=skew > SMALL_SKEW, advice="Let NTP set both clocks.")


def replay_clock(clock: Clock) -> Finding:
    """Whether time was moved: right for a trial, wrong for anything else."""
    moved = clock.now() - datetime.now(UTC)
    is_moved = isinstance(clock, ReplayClock) and abs(moved) > SMALL_SKEW
    told = f"moved by {moved}" if is_moved else "the true time"
    return graded("time of the stack", told, warn=is_moved, advice="`bellwether clock reset`, if this is no trial.")


def migrations(service: str, url: str, folder: Path) -> Finding:
    """Whether the database has the newest form that ``folder`` knows."""
    what = f"migrations of {service}"
    if not folder.is_dir():
        return Finding(what, "warn", "they are not here to compare with", "Look from a clone.")
    head = ScriptDirectory.from_config(config(url, folder)).get_current_head()
    try:
        with connected(service, url) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except EngineFailed as error:
        if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
            return Finding(what, "warn", "this role may not see them", "Ask with the owner's address.")
        return Finding(what, "bad", str(error), "Start the database; where it is new, `bellwether migrate`.")
    found = row.version_num if row else "none"
    return graded(what, f"at {found}, newest {head}", bad=found != head, advice="Run the migration job.")


def kafka(options: Mapping[str, Any], files: Sequence[Topic]) -> list[Finding]:
    """Whether the broker answers, and its topics are as their files say."""
    try:
        brokers = asyncio.run(_brokers(options))
        missing, differing = asyncio.run(compare_topics(options, wanted_topics(list(files))))
    except EngineFailed as error:
        return [Finding("kafka", "bad", str(error), "Start the broker, or correct BELLWETHER_KAFKA_BOOTSTRAP.")]
    wrong = [*(f"{name} is missing" for name in missing), *differing]
    told = "; ".join(wrong) or f"{2 * len(files)} as their files say"
    advice = "`bellwether topics apply` makes what is missing; settings are changed with Kafka's own tools."
    return [
        graded("kafka", f"{brokers} brokers"),
        graded("topics", told, bad=bool(missing), warn=bool(differing), advice=advice),
    ]


async def _brokers(options: Mapping[str, Any]) -> int:
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        return len((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError) as error:
        raise no_answer(options, error) from error
    finally:
        await admin.close()


def reading(options: Mapping[str, Any], files: Sequence[Topic]) -> list[Finding]:
    """How far behind each group is."""
    try:
        lags = topic_lags(options, files)
    except EngineFailed as error:
        return [Finding("lag", "bad", str(error), "Start the broker, or correct BELLWETHER_KAFKA_BOOTSTRAP.")]
    groups = sorted({each.group for each in lags})
    return [of_group(group, [each for each in lags if each.group == group]) for group in groups]


def of_group(group: str, lags: Sequence[TopicLag]) -> Finding:
    """How far behind one group is, over its topics."""
    behind = sum(max(0, each.lag) for each in lags)
    advice = f"Does {group}-svc's worker run? {_MENDED}."
    return graded(f"lag of {group}", f"{behind:,} records", warn=behind > LONG_LAG, advice=advice)


def working(service: str, url: str, worker: str | None) -> list[Finding]:
    """What a service's database and worker tell of work that is not done."""
    try:
        return of_backlog(backlog(service, url, worker), asked=worker is not None)
    except EngineFailed as error:
        return [Finding(f"outbox of {service}", "bad", str(error), "Start the database, or run its migrations.")]


def of_backlog(kept: Backlog, *, asked: bool) -> list[Finding]:
    """The same of what was told; ``asked`` says whether a worker could have answered."""
    name, oldest = kept.service, kept.outbox_oldest
    found = [
        graded(
            f"outbox of {name}",
            f"{kept.outbox_unsent:,} unsent, the oldest {oldest:.0f} s",
            bad=oldest > SHEDDING_OUTBOX,
            warn=oldest > OLD_OUTBOX,
            advice="Does Kafka answer, does a worker run, are all topics there?",
        ),
        graded(
            f"dead letters of {name}",
            f"{kept.dead_letters_open:,} open",
            warn=kept.dead_letters_open > 0,
            advice=f"`bellwether dlq list --service {name}`; mend the cause, then `bellwether dlq replay`.",
        ),
    ]
    if asked:
        silent = kept.timers_due is None
        told = kept.halted or ("does not answer" if silent else "works")
        advice = "Read its log." if silent else "Too many dead letters: mend the cause, restart it, replay them."
        found.append(graded(f"worker of {name}", told, bad=silent or kept.halted is not None, advice=advice))
    return found
