"""Whatever happens, in whatever order: score, confidence and band are those of a straight sum over what stands."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
import straight_sum as reference

from bellwether_kit.db import Database
from bellwether_kit.events import Received
from bellwether_kit.ids import uuid7
from scoring_svc.consumed import EvidenceRecorded
from scoring_svc.evaluation.handlers import follow

ACCOUNT = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d01")
OTHER = UUID("0199f3a0-5c1e-7a10-8f43-2b6f0a1c9d02")
EXACT = 1e-9


class Crash(Exception):
    """The process dies before it commits."""


@dataclass
class History:
    """A random history of two accounts, told to the service and to the reference."""

    world: Any
    saying: Any
    database: Database
    chance: random.Random
    standing: reference.Standing = field(default_factory=reference.Standing)
    told: dict[UUID, reference.Told] = field(default_factory=lambda: {a: reference.Told() for a in (ACCOUNT, OTHER)})
    bands: dict[UUID, str | None] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)

    def piece(self, **more: Any) -> Any:
        """Any evidence: of yesterday, of years ago, of days to come, of a kind nobody knows."""
        chance = self.chance
        kind = chance.choice([*reference.WORTH, "smoke-signal"])
        days = chance.choice([0, chance.uniform(0, 200), chance.uniform(0, 6_000), -chance.uniform(0, 9)])
        fields = {"account_id": chance.choice([ACCOUNT, ACCOUNT, OTHER]), "magnitude": chance.choice([1.0, 0.37, 11.0])}
        return self.world.evidence(kind, ago=timedelta(days=days), **fields | more)

    def some(self) -> list[Any]:
        """A batch: news, corrections (also to another account), retractions, repeats, in any order."""
        batch = [self.piece() for _ in range(self.chance.randrange(1, 6))]
        for known in self.chance.sample(self.said, min(len(self.said), 3)):
            revision = known.revision + self.chance.randrange(3)
            corrected = self.piece(evidence_id=known.evidence_id, revision=revision + 1)
            batch.append(self.chance.choice([known, corrected, self.saying.retraction(known, revision + 1)]))
        self.said += [said for said in batch if hasattr(said, "kind")]
        self.chance.shuffle(batch)
        return batch

    async def tell(self, batch: list[Any]) -> None:
        """Deliver a batch, now and then after a crash that came before its commit, now and then twice."""
        if self.chance.random() < 0.3:
            with pytest.raises(Crash):
                await self._die_over(batch)
        await self.world.tell(*batch, times=self.chance.choice([1, 2]))
        for said in batch:
            self.standing.hear(said)

    async def _die_over(self, batch: list[Any]) -> None:
        heard = [_received(said) for said in batch if hasattr(said, "kind")]
        async with self.database.unit_of_work(None) as uow:
            await follow(uow, heard)
            raise Crash

    async def report(self) -> None:
        """Another service reports a measure, of now or of some days ago."""
        at = self.world.clock.now() - timedelta(days=self.chance.choice([0, 0, 40]))
        told, value = self.told[ACCOUNT], round(self.chance.uniform(0, 100), 2)
        match self.chance.randrange(3):
            case 0:
                told.report("coverage", at, value)
                await self.world.tell(self.saying.coverage(value, at))
            case 1:
                told.report("plan", at, 75.0)
                await self.world.tell(self.saying.plan(1, at))
            case _:
                told.contact = at
                await self.world.tell(self.saying.touch(at))

    async def agrees(self) -> None:
        """The service says what the reference says, at the instant of the service's last look."""
        for account_id in (ACCOUNT, OTHER):
            answer = await self.world.get(f"/accounts/{account_id}/health")
            if answer.status_code == 404:
                assert not self.standing.of(account_id)
                continue
            found = answer.json()
            at = datetime.fromisoformat(found["evaluated_at"])
            expected = reference.health(self.standing.of(account_id), self.told[account_id], at)
            measures = {name: value for name, value in found["measures"].items() if value is not None}
            assert measures == pytest.approx(expected.measures, abs=EXACT)
            assert found["score"] == pytest.approx(expected.score, abs=EXACT)
            assert found["confidence"] == pytest.approx(expected.confidence, abs=EXACT)
            before = self.bands.get(account_id)
            self.bands[account_id] = reference.band(expected.score, expected.confidence, before)
            assert found["band"] == self.bands[account_id]


def _received(said: Any) -> Received[EvidenceRecorded]:
    data = msgspec.json.decode(msgspec.json.encode(said), type=EvidenceRecorded)
    envelope = ("client.evidence.recorded.v1", "acme", str(said.account_id), f"acme/{said.account_id}")
    return Received(uuid7(), *envelope, said.observed_at, 1, None, None, "client-evidence", 0, 1, data)


@pytest.mark.parametrize("seed", range(8))
async def test_score_confidence_and_band_are_those_of_a_straight_sum(
    world: Any, saying: Any, database: Database, seed: int
) -> None:
    history = History(world, saying, database, random.Random(seed))
    for step in range(24):
        await history.tell(history.some())
        await history.agrees()
        if history.chance.random() < 0.4:
            await history.report()
            await history.agrees()
        # A landmark is left behind after sixty half-lives: ten years for the heart, thirty for the wallet.
        leap = 12_000.0 if step in {8, 16} else history.chance.uniform(0, 30)
        await world.days_pass(leap)
        await history.agrees()


async def test_what_is_told_of_an_account_that_is_gone_counts_when_it_comes_back(
    world: Any, saying: Any, database: Database
) -> None:
    history = History(world, saying, database, random.Random(1))
    kept, wrong = world.evidence("order-placed"), world.evidence("not-invited")
    await world.tell(saying.account(tier=None))
    await history.tell([kept, wrong])
    await world.tell(saying.account_gone(2))
    await history.tell([world.evidence("meeting-held"), saying.retraction(wrong)])
    await world.days_pass(3)
    await world.tell(saying.account(tier=None, version=3))
    await history.agrees()


async def test_any_number_of_unknown_kinds_hides_nothing_known(world: Any, saying: Any, database: Database) -> None:
    """A memory is read back from the newest pieces: those that count nothing must not crowd out the others."""
    history = History(world, saying, database, random.Random(1))
    known = [world.evidence("meeting-held", ago=timedelta(days=9)) for _ in range(4)]
    noise = [world.evidence("smoke-signal", dimension="heart") for _ in range(70)]
    await history.tell([*known, *noise])
    await history.tell([saying.retraction(known[0])])
    await history.agrees()
