"""What a backtest reports of the accounts it looked at: one part per date, one pooled, and the verdicts in them.

Pure. A ranking is a number per case, higher for the likelier loss. What a chance is learnt from was over before the
date for which it is foretold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from scoring_svc.proof.rules import Estimate, Learnt, Verdict, advantage, judge, learnt, too_few
from scoring_svc.retrospect.rules import ACTS, Seen
from scoring_svc.scorecards.rules import DAY

SCORECARD: Final = "scorecard"
FITTED: Final = "fitted-scorecard"
BASELINES: Final = ("days-since-last-act", "number-of-acts", "bg-nbd")

LONGEST_HORIZON: Final = 730
SHORTEST_HORIZON: Final = 7
MOST_DATES: Final = 24
MOST_CASES: Final = 20_000
"""An account at a date is a case. Where there would be more, only every second, third … account is looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a backtest is asked for. `dates` rise; an account is looked at as it was when each of them (UTC) began.

    An account is lost when an outcome says so within the horizon, or by silence: no act within it. `act` is the one
    kind of act that counts, for silence, for `min_acts` and for the baselines; None: every act of the client's.
    """

    dates: tuple[date, ...]
    horizon_days: int
    lost_by: str
    act: str | None
    min_acts: int
    scorecard: str
    fit: bool

    @property
    def counted(self) -> frozenset[str]:
        """The kinds of evidence that count as acts."""
        return ACTS if self.act is None else frozenset({self.act})

    @property
    def until(self) -> date:
        """The day on which the last horizon is over."""
        return self.dates[-1] + timedelta(days=self.horizon_days)

    def became_lost(self, day: date, history: Sequence[Seen], losses: Sequence[date]) -> bool | None:
        """Whether an account of a date was lost within the horizon; None when it had been lost before."""
        if self.lost_by == "outcomes":
            if any(lost < day for lost in losses):
                return None
            return any(lost < day + timedelta(days=self.horizon_days) for lost in losses)
        start = midnight(day)
        end, counted = start + self.horizon_days * DAY, self.counted
        return not any(start <= piece.observed < end and piece.kind in counted for piece in history)


def midnight(day: date) -> float:
    """When a day begins, UTC, in epoch seconds."""
    return datetime.combine(day, time(), UTC).timestamp()


class Case(NamedTuple):
    """An account at a date: what became of it, and by each ranking how risky it looked."""

    account: str
    day: date
    lost: bool
    risks: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a ranking was worth. `advantage` is the scorecard's AUC less this one's, `is_beaten` what that says.

    `mean_auc` is that over the dates from which anything may be concluded.
    """

    name: str
    verdict: Verdict
    advantage: Estimate | None = None
    is_beaten: str | None = None
    mean_auc: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Cases of one date (or, without one, of all dates) and what rankings foretold of them.

    `inconclusive` says why there are no rankings: too few accounts were lost, or kept.
    """

    day: date | None
    cases: int
    accounts: int
    lost: int
    inconclusive: str | None
    rankings: tuple[Ranking, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A weight that a fitted scorecard has, and the one it had before."""

    of: str
    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of fitting: learnt from the first dates, tested on later ones; without changes, why not."""

    refused: str | None
    learnt_from: tuple[date, ...]
    cases: int
    lost: int
    changes: tuple[Change, ...] = ()
    tested_on: tuple[date, ...] = ()
    tested: Part | None = None
    draft_version: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that a backtest found. Of `one_in` accounts one was looked at."""

    pooled: Part
    dates: tuple[Part, ...]
    one_in: int = 1
    fit: Fit | None = None


def one_in(accounts: int, dates: int) -> int:
    """Of how many accounts one is looked at, so that there are not too many cases."""
    return max(1, -(-accounts * dates // MOST_CASES))


def report(cases: Sequence[Case], dates: Sequence[date], horizon_days: int, sampled: int = 1) -> Report:
    """Judge what was seen at each date, and all of it together."""
    before = {day: _before(cases, day, horizon_days) for day in dates}
    parts = tuple(part(day, [case for case in cases if case.day == day], before) for day in dates)
    return Report(pooled(cases, parts, before), parts, sampled)


def part(day: date | None, cases: Sequence[Case], before: Mapping[date, Mapping[str, Learnt | None]]) -> Part:
    """Judge the rankings that all these cases have."""
    lost, accounts = [case.lost for case in cases], [case.account for case in cases]
    counts = (day, len(cases), len(set(accounts)), sum(lost))
    why = too_few(lost, accounts)
    if why is not None:
        return Part(*counts, why)
    ours = [case.risks[SCORECARD] for case in cases]
    rankings = []
    for name in _shared(cases):
        risk = [case.risks[name] for case in cases]
        verdict = judge(risk, lost, accounts, [before.get(case.day, {}).get(name) for case in cases])
        ahead = None if name == SCORECARD else advantage(ours, risk, lost, accounts)
        rankings.append(Ranking(name, verdict, ahead, None if ahead is None else beaten(ahead)))
    return Part(*counts, None, tuple(rankings))


def pooled(cases: Sequence[Case], parts: Sequence[Part], before: Mapping[date, Mapping[str, Learnt | None]]) -> Part:
    """Judge the cases of all dates together; beside it, the mean of the dates' AUCs."""
    whole = part(None, cases, before)
    found: dict[str, list[float]] = {}
    for each in parts:
        for ranking in each.rankings:
            found.setdefault(ranking.name, []).append(ranking.verdict.auc.value)
    means = {name: sum(values) / len(values) for name, values in found.items()}
    rankings = tuple(Ranking(r.name, r.verdict, r.advantage, r.is_beaten, means.get(r.name)) for r in whole.rankings)
    return Part(None, whole.cases, whole.accounts, whole.lost, whole.inconclusive, rankings)


def beaten(ahead: Estimate) -> str:
    """Whether the scorecard beats a ranking: `yes`, `no` (it is beaten), or `undecided` while 0 is in the interval."""
    if ahead.low > 0.0:
        return "yes"
    return "no" if ahead.high < 0.0 else "undecided"


def _shared(cases: Sequence[Case]) -> list[str]:
    """The rankings that know every case: others can't be compared with them."""
    return [name for name in cases[0].risks if all(name in case.risks for case in cases)]


def _before(cases: Sequence[Case], day: date, horizon_days: int) -> dict[str, Learnt | None]:
    """What each ranking had taught by a date: of cases whose horizon was over then."""
    return taught([case for case in cases if case.day + timedelta(days=horizon_days) <= day])


def taught(known: Sequence[Case]) -> dict[str, Learnt | None]:
    """What each ranking teaches of the chance of loss, by cases that are over."""
    if not known:
        return {}
    lost, accounts = [case.lost for case in known], [case.account for case in known]
    return {name: learnt([case.risks[name] for case in known], lost, accounts) for name in _shared(known)}
