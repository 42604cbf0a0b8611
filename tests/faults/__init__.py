"""The fault harness: a load, faults while it runs, and a judge that looks from outside. `make faults` runs it."""
