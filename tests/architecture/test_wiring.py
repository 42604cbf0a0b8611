"""The tables that wire a service: handlers live in handlers.py, models in consumed.py, errors in one table."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bellwether_kit.errors import DomainError
from bellwether_kit.events import Subscription

Verdict = Callable[[Iterable[object]], None]

CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")


def of_subscriptions(rows: Sequence[Subscription]) -> Iterator[str]:
    """Yield rows that name one type twice, a handler outside handlers.py or a model outside consumed.py."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.topic, row.type) in seen:
            yield f"{row.type} is listed twice: one row per type, one handler per row"
        seen.add((row.topic, row.type))
        if row.handler and not row.handler.__module__.endswith(".handlers"):
            yield f"{row.type}: its handler is in {row.handler.__module__}: move it to the feature's handlers.py"
        if row.model and not row.model.__module__.endswith(".consumed"):
            yield f"{row.type}: its model is in {row.model.__module__}: what we hear is defined in consumed.py"


def of_timers(timers: Sequence[Any]) -> Iterator[str]:
    """Yield timers with one name, or with a handler outside handlers.py."""
    names = [timer.name for timer in timers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"timer {name} is listed twice: give each its own name"
    for timer in timers:
        if not timer.handle.__module__.endswith(".handlers"):
            yield f"timer {timer.name}: its handler is in {timer.handle.__module__}: move it to handlers.py"


def of_errors(errors: Mapping[type[Exception], tuple[int, str]]) -> Iterator[str]:
    """Yield entries of the error table that do not answer a caller's mistake with a stable code."""
    for error, (status, code) in errors.items():
        if not 400 <= status < 500:
            yield f"{error.__name__}: {status} is no answer to a broken rule: domain errors are 4xx"
        if not CODE.fullmatch(code):
            yield f"{error.__name__}: code {code!r} must be words joined by hyphens"


def of_domain_errors(module: ModuleType | SimpleNamespace) -> Iterator[str]:
    """Yield domain errors that the service's error table forgets."""
    for error in vars(module).values():
        domain = isinstance(error, type) and issubclass(error, DomainError) and error is not DomainError
        if domain and not issubclass(error, tuple(module.ERRORS)):
            yield f"{error.__name__} is not in ERRORS: it would be answered as our own failure"


def wrong(package: str) -> list[str]:
    """Return everything that is wired wrongly in one service."""
    subscriptions, errors = import_module(f"{package}.subscriptions"), import_module(f"{package}.errors")
    found = [
        *of_subscriptions(subscriptions.SUBSCRIPTIONS),
        *of_timers(subscriptions.TIMERS),
        *of_errors(errors.ERRORS),
        *of_domain_errors(errors),
    ]
    return [f"{package}: {line}" for line in found]


def test_every_service_is_wired_by_its_tables(services: Sequence[Path], nothing: Verdict) -> None:
    nothing(line for service in services for line in wrong(service.name.replace("-", "_")))


class Heard:
    pass


async def react(*_: object) -> None:
    pass


class Broken(DomainError):
    pass


ROW = Subscription("accounts", "a.b.v1", Heard, react)


@pytest.mark.parametrize(
    ("found", "mend"),
    [
        (of_subscriptions([ROW]), "move it to the feature's handlers.py"),
        (of_subscriptions([ROW]), "is defined in consumed.py"),
        (of_subscriptions([ROW, ROW]), "one row per type"),
        (of_timers([SimpleNamespace(name="due", handle=react)]), "move it to handlers.py"),
        (of_timers([SimpleNamespace(name="due", handle=react)] * 2), "give each its own name"),
        (of_errors({Broken: (500, "broken")}), "domain errors are 4xx"),
        (of_errors({Broken: (404, "Broken_Thing")}), "joined by hyphens"),
        (of_domain_errors(SimpleNamespace(ERRORS={}, Broken=Broken)), "is not in ERRORS"),
    ],
)
def test_a_wrong_row_is_told_its_mend(found: Iterator[str], mend: str) -> None:
    assert any(mend in line for line in found)
