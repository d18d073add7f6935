"""The number of threads inside a matrix product."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

_controller = cache(ThreadpoolController)  # looks for the loaded libraries once: that takes milliseconds


def one_blas_thread() -> AbstractContextManager:
    """A context in which a matrix product keeps to one thread.

    At the sizes of this project the threads inside a product lose more in waiting for each other than they win.
    """
    return _controller().limit(limits=1, user_api="blas")
