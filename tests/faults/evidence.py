"""What a fault run leaves for the judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faults import journal
from faults.disturb import Fault
from faults.lookout import Lookout
from faults.poison import Poison
from faults.sizes import Sizes
from faults.topics import Line
from faults.world import Outside, Sink

Verdict = tuple[int, list[str]]
"""How much was looked at, and what of it broke the promise."""


@dataclass
class Evidence:
    """All that the judge goes by.

    `outside` is how it looks at services; `told` is what was said of activities, `edited` of accounts and people;
    `lags` are those of groups in the end, by group, topic and partition; `ends` say how processes that were asked to
    stop ended; `before` and `after` are sizes. `calm` is, of each service, the last id in its outbox when all faults
    were over: what came later, nothing disturbed. `restless` says what did not come to rest in the end. `replayed` is
    how many dead letters were tried again, and what changed by that.
    """

    outside: Outside
    told: journal.Account
    edited: journal.Account
    faults: Sequence[Fault]
    poison: Sequence[Poison]
    sink: Sink
    lines: Sequence[Line]
    lookout: Lookout
    lags: Mapping[tuple[str, str, int], int]
    ends: Sequence[tuple[str, str]]
    before: Sizes
    after: Sizes
    calm: Mapping[str, int]
    restless: Sequence[str]
    replayed: Verdict
