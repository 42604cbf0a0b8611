"""Dead letters tried again, twice: what still can't be read changes nothing, and stays one dead letter."""

from collections.abc import Mapping
from typing import Any, Final

from bellwether.operations.letters import Letters, Wanted, letters
from bellwether.settle import settle
from bellwether.stack import Stack
from bellwether_kit.clock import ReplayClock
from bellwether_kit.events.replays import Ask
from faults.readers import SERVICES
from faults.world import rows

TIMES: Final = 2
KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "metrics": ("activity", "evidence"),
    "scoring": ("evidence", "stakeholder", "account"),
    "plan": ("account", "alert_seen"),
    "profile": ("account",),
    "stakeholder": ("account", "person"),
}
"""What time alone does not change, by service; besides, what every service has."""
EVERYWHERE: Final = ("inbox", '(SELECT id, topic, partition, "offset" FROM dead_letter)')
_WHOLE: Final = "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {what} AS t"
Kept = dict[tuple[str, str], Any]


def kept(stack: Stack) -> Kept:
    """How many rows each of those tables has, and a sum over all of them."""
    return {
        (service, what): rows(stack, service, _WHOLE.format(what=what))[0]
        for service in SERVICES
        for what in (*KEPT[service], *EVERYWHERE)
    }


def replayed(stack: Stack, patience: float) -> tuple[int, list[str]]:
    """Have every dead letter tried again twice; gives how often any was, and what changed by it."""
    urls = {service: stack.layout.database_url(service, "worker") for service in SERVICES}
    before, asked = kept(stack), 0
    for _ in range(TIMES):
        now = ReplayClock(stack.home.clock).now()
        asked += len(Letters(urls, letters(urls, Wanted())).ask(Ask("fault run", "whether it changes anything", now)))
        settle(stack, patience)
    open_ = 'SELECT topic, partition, "offset", replay_tries FROM dead_letter WHERE replay_tries <> %s'
    odd = [f"{service}: {row}" for service in SERVICES for row in rows(stack, service, open_, TIMES)]
    return asked, changes(before, kept(stack)) + odd


def changes(before: Kept, after: Kept) -> list[str]:
    """What is no longer as it was, in words."""
    return [f"{place}: {was} became {after[place]}" for place, was in before.items() if after[place] != was]
