"""Alert rules: when a condition fires, holds and clears, with thresholds per tenant."""
