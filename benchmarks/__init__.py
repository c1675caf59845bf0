"""Benchmarks: each prints a table, reads its cases from a file, runs in minutes on two cores."""
