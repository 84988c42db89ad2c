"""Work that goes on in a thread of its own while something else is tried."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeating(work: Callable[[], object]) -> Iterator[None]:
    """Do something again and again until the block ends; the last turn is finished."""
    stop = threading.Event()

    def turn() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
