"""The outcome of one attack for people to read: tables, pictures, a page, the tour.

What was measured of all attacks stands in `tests/benchmarks/RESULTS.md`.
"""
