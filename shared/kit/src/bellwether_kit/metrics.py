"""Prometheus metrics of a worker, by their field-standard names; the HTTP metrics live with the HTTP layer.

What is left to do is measured when it is scraped. It is the database's, so every worker of a service tells the same.
"""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("bellwether_consumed_records_total", "Kafka records handled")
DEAD_LETTERED = Counter("bellwether_dead_letters_total", "Kafka records that were dead-lettered")
BATCH_SECONDS = Histogram("bellwether_batch_seconds", "Seconds per consumed batch, its transaction included")
PUBLISHED = Counter("bellwether_published_events_total", "Outbox rows published")
CONSUMER_LAG = Gauge("bellwether_consumer_lag_records", "Records of our partitions that are not handled yet")
OUTBOX_UNSENT = Gauge("bellwether_outbox_unsent_rows", "Outbox rows that are not published yet")
TIMERS_DUE = Gauge("bellwether_timers_due_rows", "Rows whose due time has passed")
OUTBOX_OLDEST = Gauge("bellwether_outbox_oldest_seconds", "Age of the oldest outbox row that is not published yet")
DEAD_LETTERS_OPEN = Gauge("bellwether_dead_letters_open_rows", "Dead letters neither handled since nor discarded")
HALTED = Gauge("bellwether_consumer_halted", "1 where too many dead letters stopped the consumer, else 0")
RELAY_LEADS = Gauge("bellwether_relay_leads", "1 in the worker that publishes its service's outbox, else 0")
REACHABLE = Gauge("bellwether_reachable", "1 where it answered when it was last asked, else 0", ["engine"])
TIMERS_FIRED = Counter("bellwether_timers_fired_total", "Due rows handled", ["timer"])
UNKNOWN_EVIDENCE = Counter("bellwether_unknown_evidence_total", "Evidence of kinds that no scorecard gives a worth")
BALANCE_DRIFT = Histogram(
    "bellwether_balance_drift",
    "Widest difference, per page of an audit, between balances kept in steps and summed anew",
    buckets=(1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-6, 1e-3, 1.0),
)
DRIFTED_ACCOUNTS = Counter("bellwether_drifted_accounts_total", "Accounts whose balances were off by more than 1e-9")
LOOP_LAG = Gauge("bellwether_loop_lag_seconds", "How late the event loop wakes a sleeper")
