"""The alerts of one account over time, judged as an evaluation does it; for tests that follow rules through a life."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from scoring_svc.alert_rules.rules import Facts, RuleConfig, by_alert_kind
from scoring_svc.alerts.rules import Alert, decide, standing_reasons


@dataclass
class Life:
    """`look` evaluates the account; `said` is what was said of its alerts so far, `ids` those that were ever opened."""

    rules: Mapping[str, RuleConfig]
    alerts: dict[str, Alert] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)

    def new_id(self) -> UUID:
        self.ids.append(UUID(int=len(self.ids) + 1))
        return self.ids[-1]

    def look(self, facts: Facts, at: float) -> None:
        before, self.waiting = self.waiting, {}
        for kind, rules in by_alert_kind(self.rules).items():
            alert = self.alerts.get(kind)
            outcome = standing_reasons(rules, facts, alert.held if alert else {}, before, at)
            self.waiting |= outcome.waiting
            decision = decide(alert, outcome.reasons, rules, at, self.new_id, kind)
            if decision is not None:
                self.alerts[kind] = decision.alert
                self.said += [decision.change] if decision.change else []
