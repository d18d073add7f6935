"""Pool: the pages in their order, read in this process or by several."""

import math
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator

from pipeline.batch.record import Record
from pipeline.batch.sources import Source
from pipeline.batch.work import Worker
from pipeline.common.errors import PageError

AHEAD = 4  # pages for each process that are handed out ahead; more would fill the memory


def read_all(sources: list[Source], arguments: tuple, jobs: int) -> Iterator[Record]:
    """The record of each page, in order.

    Args:
        arguments: of `Worker`.
        jobs: number of processes; -1: one for each core.
    """
    jobs = count_jobs(jobs, len(sources))
    if jobs == 1:
        yield from map(Worker(*arguments), sources)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    Worker(*arguments)  # a fault of the model is reported here, not by a process that ends
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), start, arguments) as pool:
        waiting: deque = deque()
        for source in sources:
            waiting.append(pool.submit(work, source))
            if len(waiting) < AHEAD * jobs:
                continue
            yield _result(waiting, BrokenProcessPool)
        while waiting:
            yield _result(waiting, BrokenProcessPool)


def _result(waiting: deque, broken: type[Exception]) -> Record:
    try:
        return waiting.popleft().result()
    except broken:
        raise PageError(
            "a process that read pages was ended from outside (out of memory?); start again with fewer ocr.jobs: "
            "what is read already is kept"
        ) from None


_worker: Worker | None = None  # of a process that serves others


def start(*arguments: object) -> None:
    """Set up a process that reads pages: it uses one thread, and ends when its parent process ends."""
    import multiprocessing

    from threadpoolctl import threadpool_limits

    global _worker
    threadpool_limits(1)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    _worker = Worker(*arguments)  # type: ignore[arg-type]


def work(source: Source) -> Record:
    """Read a page in a process that `start` set up."""
    assert _worker is not None
    return _worker(source)


def count_jobs(jobs: int, pages: int) -> int:
    """The number of processes that is useful."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores if jobs == -1 else jobs, math.ceil(pages / 2)))
