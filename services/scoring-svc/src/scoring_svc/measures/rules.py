"""What a metric of another service means as a measure from 0 to 100. Pure."""


def satisfaction(metric: str, value: float) -> float | None:
    """CSAT in percent as it is, NPS (-100 to 100) spread over 0 to 100; None for any other metric."""
    if metric == "csat":
        return min(100.0, max(0.0, value))
    if metric == "nps":
        return min(100.0, max(0.0, (value + 100.0) / 2.0))
    return None
