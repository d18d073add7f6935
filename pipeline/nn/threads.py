"""The number of threads inside a matrix product."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController

_controller = cache(ThreadpoolController)  # finding the loaded libraries takes milliseconds: once is enough


def one_blas_thread() -> AbstractContextManager:
    """A context in which a matrix product uses one thread.

    At the sizes of this project, the threads inside a product wait longer for each other than they save.
    """
    return _controller().limit(limits=1, user_api="blas")
