"""The command line: the local stack, topics, tokens, the demo and the benchmarks."""
