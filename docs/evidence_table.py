"""The catalogue of client evidence as a page: `write` makes docs/evidence.md anew from the code, `check` compares.

What a kind comes from is found by looking: who names the kinds that a rule may give, and which signals are default.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from metrics_svc.buying.rules import KINDS as BUYING
from metrics_svc.derivation.api import PolicyBody
from metrics_svc.derivation.rules import Policy, Signal, Window
from metrics_svc.evidence.rules import CATALOGUE, Kind
from metrics_svc.expectations.rules import KINDS as EXPECTATIONS
from metrics_svc.meetings.rules import KINDS as MEETINGS
from metrics_svc.scope.rules import KINDS as SCOPE

PAGE = Path(__file__).parent / "evidence.md"
PATHS = {"expectations": EXPECTATIONS, "meetings": MEETINGS, "buying": BUYING, "scope": SCOPE}
HEAD = """# Client evidence

<!-- Written by `make evidence-table` from the code; a test compares. -->

Every kind of evidence, what it speaks of, and the paths by which it comes in. Activities are posted to
`/v1/activities`, or to an adapter, which turns a system's own words into the same activities. Any kind can also be
said by a person: `POST /v1/evidence`; where no other path is given, that is the only one. A tenant adds kinds of its
own, and signals that make its activities evidence, with `PUT /v1/derivation-rules`; `POST /v1/derivation/preview` shows
first what that would have made of the past. What a piece is worth is the scorecard's business.

| kind | family | dimension | | path |
|---|---|---|---|---|
"""
NUMBERS = """
## Numbers

The defaults of a tenant's rules. All can be changed, with author and reason, from now on or from a past moment on.

| name | default | what |
|---|---|---|
"""
SCOPE_NOTE = """
## Scope

Looked at whenever a month begins (UTC): the orders of the last `scope_days` days against the same days a year before,
or the days just before them when the account is younger. Orders that were cancelled do not count, credit notes take
off. Amounts are those of the currency with most purchases; what may only have moved from or to another currency is no
change. A change by `scope_threshold` or more is evidence once, until three months have begun without it. Its magnitude
is the change in thresholds, up to `scope_limit`. It follows from the orders alone, whenever they arrive.
"""


def paths(kind: Kind) -> Iterator[str]:
    """Yield in words every path by which a kind comes in."""
    for rule, made in PATHS.items():
        if kind.code in made:
            yield f"{rule}: {made[kind.code]}"
    yield from (f"signal: {words(signal)}" for signal in Policy().signals if signal.kind == kind.code)


def words(signal: Signal) -> str:
    """The activity that a signal asks for."""
    named = [f"`{signal.type}`", *(f"`{part}`" for part in (signal.outcome, signal.direction) if part)]
    return " ".join([*named, *(f"with `{name}: {str(value).lower()}`" for name, value in signal.attributes.items())])


def shown(value: object) -> str:
    """A default as a reader writes it."""
    if isinstance(value, Window):
        return f"{value.business_days} business days" if value.business_days else f"{value.seconds} s"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {shown(part)}" for name, part in value.items()) or "none"
    if isinstance(value, tuple):
        return f"{len(value)} (above)" if value else "none"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def page() -> str:
    """The whole page."""
    rows = [
        f"| `{kind.code}` | {kind.family} | {kind.dimension} | {'+' if kind.polarity > 0 else '-'} | "
        f"{'; '.join(paths(kind)) or 'said by a person'} |"
        for kind in CATALOGUE.values()
    ]
    numbers = [
        f"| `{name}` | {shown(getattr(Policy(), name))} | {field.description} |"
        for name, field in PolicyBody.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n" + NUMBERS + "\n".join(numbers) + "\n" + SCOPE_NOTE


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/evidence.md is not what the code says: run `make evidence-table`")
