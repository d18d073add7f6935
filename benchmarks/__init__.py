import pipeline  # noqa: F401 (first of all: it pins the processor's kernels before a benchmark imports NumPy)
