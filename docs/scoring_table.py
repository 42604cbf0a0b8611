"""What scores and alerts go by, as a page: `write` makes docs/scoring.md anew from the code, `check` compares.

The numbers are those of the code; what each means is said here, and a number without a meaning stops the page.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from scoring_svc.alert_rules.rules import DEFAULT_RULES, LONGEST_WINDOWS, REFUSALS, RuleConfig
from scoring_svc.caps.rules import REASONS
from scoring_svc.scorecards.rules import CADENCE_DAYS, DEFAULT, MEASURES, UNTIERED_CADENCE_DAYS, Scorecard

PAGE = Path(__file__).parent / "scoring.md"
HEAD = """# Scores and alerts: the defaults

<!-- Written by `make scoring-table` from the code; a test compares. -->

Every number that a score or an alert goes by. All of them are configuration of a tenant: a scorecard is drafted, tried
and published, a rule is changed with `PUT /v1/alert-rules/{rule}`, each with author and reason.

## What evidence is worth

Points of one piece of magnitude 1 at the moment it is observed; its dimension forgets it by half in each half-life.

| kind | worth |
|---|---|
"""
MEASURED: Mapping[str, str] = {
    "heart": "meetings, calls and e-mails, introductions, service: 100 / (1 + e^(-B/c)) of the balance B",
    "mind": "advice, timing, inside information: as heart",
    "wallet": "scope and pace of buying: as heart",
    "engagement": "silence against the cadence: full within it, then falling in a line to 0 at three cadences",
    "coverage": "decision roles covered by people we know",
    "responsiveness": "decayed share of our approaches that were answered: 100 (R + 2) / (R + U + 4)",
    "satisfaction": "CSAT in per cent, or NPS spread over 0 to 100",
    "plan": "share of the plan's actions that are done or not due yet",
}
MEANINGS: Mapping[str, str] = {
    "half_life_days": "days in which heart, mind and wallet forget half",
    "responsiveness_half_life_days": "days in which returned and unreturned approaches are forgotten by half",
    "scale": "c: the balance at which a dimension stands at 73",
    "coverage_validity_days": "days for which a coverage counts; then it is missing",
    "satisfaction_validity_days": "days for which a satisfaction counts",
    "plan_validity_days": "days for which a plan's progress counts",
    "engaged": "engagement while silence is within the cadence: as expected is good, not glowing",
    "enough_evidence": "pieces within two half-lives from which a dimension counts fully for confidence",
    "healthy_from": "score from which an account is healthy",
    "watch_from": "score from which an account is to be watched; below it is at risk",
    "hysteresis": "points by which an edge must be passed to leave a band",
    "min_confidence": "confidence below which the band is unknown: never a false green or red",
    "cap_renewal_declined": f"cap: {REASONS['renewal-declined']}",
    "cap_champion_gone": f"cap: {REASONS['champion-gone']}",
    "cap_veto_holder_detractor": f"cap: {REASONS['veto-holder-detractor']}",
}
RULES: Mapping[str, tuple[str, str]] = {
    "health-below": ("score < {fire:g}, confidence ≥ {min_confidence:g}", "score ≥ {clear:g}"),
    "health-drop": (
        "{fire:g} points below the best of {window_days:g} days",
        "{clear:.0%} of the fall recovered, or {window_days:g} days without another fall",
    ),
    "evidence-burst": ("{fire:g} refusals within {window_days:g} days", "{clear:g} within {window_days:g} days"),
    "decisive-evidence": (
        "one of its kinds within {window_days:g} days",
        "the opposite kind, or acknowledged and {window_days:g} days pass",
    ),
    "going-dark": ("silence > {fire:g} cadences", "a two-way contact (silence ≤ {clear:g} cadences)"),
    "pattern-break": (
        "more negatives in {window_days:g} days than in the 180 before: Fisher p < {fire:g}, {min_pieces:g} pieces",
        "p > {clear:g}",
    ),
    "renewal-risk": (
        "renewal within {window_days:g} days and score < {fire:g}, confidence ≥ {min_confidence:g}",
        "score ≥ {clear:g}, or renewed",
    ),
    "champion-lost": ("{fire:g} champion gone and no other there", "another champion, or the same again"),
    "detractor-with-veto": ("{fire:g} detractor who holds a veto", "none any more"),
    "single-threaded": ("{fire:g} % of the influence by one thread", "≤ {clear:g} %"),
    "plan-slipping": ("{fire:g} actions late for more than {window_days:g} days", "{clear:g} late"),
    "growth-opportunity": (
        "score ≥ {fire:g} and rising, or whitespace ≥ {min_whitespace:,.0f} and mind ≥ {min_mind:g}",
        "score < {clear:g} and no such whitespace",
    ),
}
RULES_HEAD = """
## Alert rules

A rule that holds fires again when it gets worse by a step. A condition must last for its hold before it fires; what
fires again within the cool-down reopens the same alert. Severity is one step higher for tier A and one for 1,000,000
and more at stake. By default a rule is for all accounts and told as routes say; it can be for a segment (`tiers`,
`industries`, `territories`: one of each that is named) and name `channels` that are told at once besides.
`POST /v1/alert-rules/{rule}/preview` says what a change would have raised in 90 days, and from when on it knows.
"""
DERIVED = {"name", "version", "kind_weights", "measure_weights", "half_lives", "daily_loss", "total_weight"}
"""Fields of a scorecard that have tables of their own, or follow from the others."""


def shown(value: object) -> str:
    """A default as a reader writes it."""
    return ", ".join(f"{part:g}" for part in value) if isinstance(value, tuple) else f"{value:g}"


def named(kinds: Iterable[str]) -> str:
    """Kinds of evidence in a sentence."""
    return ", ".join(f"`{kind}`" for kind in sorted(kinds))


def rule_row(config: RuleConfig) -> str:
    """A rule with its conditions in words and numbers."""
    numbers = {field.name: getattr(config, field.name) for field in fields(RuleConfig)}
    fires, clears = (words.format(**numbers) for words in RULES[config.rule])
    again = f"{config.step:g}" if config.step else "-"
    return (
        f"| `{config.rule}` | {config.alert_kind} | {fires} | {clears} | {config.severity} | {again} | "
        f"{config.hold_hours:g} h | {config.cool_down_hours:g} h |"
    )


def page_lines() -> Iterator[str]:
    """Yield the page line by line."""
    yield from (f"| `{kind}` | {weight:+g} |" for kind, weight in DEFAULT.kind_weights.items())
    yield "\n## What a score is made of\n\nThe weighted mean of the measures that have a valid value.\n"
    yield "| measure | weight | what |\n|---|---|---|"
    for measure, weight in zip(MEASURES, DEFAULT.measure_weights, strict=True):
        yield f"| `{measure}` | {weight:g} | {MEASURED[measure]} |"
    cadences = ", ".join(f"{tier} {days:g}" for tier, days in CADENCE_DAYS.items())
    yield f"\nCadences in days: tier {cadences}, no tier {UNTIERED_CADENCE_DAYS:g}, or the account's own."
    yield "\n## Half-lives, validities, bands and caps\n\n| name | default | what |\n|---|---|---|"
    for field in fields(Scorecard):
        if field.name not in DERIVED:
            yield f"| `{field.name}` | {shown(getattr(DEFAULT, field.name))} | {MEANINGS[field.name]} |"
    yield RULES_HEAD
    yield "| rule | alert | fires | clears | severity | step | hold | cool-down |\n|---|---|---|---|---|---|---|---|"
    yield from map(rule_row, DEFAULT_RULES.values())
    reach = ", ".join(f"`{rule}` {days:g}" for rule, days in LONGEST_WINDOWS.items())
    yield f"\nA window reaches at most a year, and for these rules fewer days, as far as is remembered: {reach}."
    yield f"\nRefusals, of which a burst is made: {named(REFUSALS)}."
    yield f"\nDecisive: {named(DEFAULT_RULES['decisive-evidence'].kinds)}."


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(page_lines()) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/scoring.md is not what the code says: run `make scoring-table`")
