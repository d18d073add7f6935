"""Fuzzing of everything that reads a file: damaged input may only ever raise the project's own errors.

`python -m tests.fuzz` runs 10,000 damaged files through each reader (`--count`, `--seed`, and names of readers to choose);
a short version is part of the tests.
"""
