"""What a metric of another service means as a measure from 0 to 100. Pure."""


def satisfaction(metric: str, value: float) -> float | None:
    """CSAT in percent as it is, NPS (-100 to 100) spread over 0 to 100; None for any other metric."""
    if metric == "csat":
        return min(100.0, max(0.0, value))
    if metric == "nps":
        return min(100.0, max(0.0, (value + 100.0) / 2.0))
    return None


def on_schedule(actions: int, overdue: int) -> float | None:
    """Share of a plan's actions that are done or not due yet, in percent; None for a plan without actions.

    Not the share that is done: a plan made today would pull the health down until its last day.
    """
    return 100.0 * (actions - min(overdue, actions)) / actions if actions else None
