"""What one process gets from its machine: the time of a clock, the temper of a disk.

    page of shared memory ◄── the harness sets it while the process runs
            │
            ├─► clock   every look at the wall clock is off by so many seconds
            └─► disk    every write of SQLite waits, or fails as a full or broken disk

The clock is set where the interpreter asks the machine (`time.time`); the disk where
SQLite calls the operating system (`sqlite3_vfs.xSetSystemCall`), so the product and
SQLite run unchanged and meet real error numbers. What it does not do: a disk that
acknowledges and forgets, a torn sector, a slow `fsync` alone.
"""

import _sqlite3
import ctypes
import errno
import mmap
import struct
import time
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

_PAGE = struct.Struct("<dBxxxI")


class Disk(IntEnum):
    """How writes end."""

    GOOD = 0
    FULL = errno.ENOSPC
    BROKEN = errno.EIO


class Weather:
    """The page; open it in the harness to set it and in the process to suffer it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_PAGE.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _PAGE.size)

    def set(
        self, clock_s: float = 0.0, disk: Disk = Disk.GOOD, write_delay_ms: int = 0
    ) -> None:
        """Change the weather from now on; without arguments it is fine again."""
        self._page[:] = _PAGE.pack(clock_s, disk, write_delay_ms)

    @property
    def clock_s(self) -> float:
        """How far the clock is ahead. [s]"""
        return float(_PAGE.unpack(self._page)[0])

    def before_write(self) -> int:
        """Wait as long as a write takes; gives 0 or the error number it ends with."""
        _, disk, delay_ms = _PAGE.unpack(self._page)
        if delay_ms:
            time.sleep(delay_ms / 1000)
        return int(disk)

    def suffer(self) -> None:
        """Expose this process to the weather, for good."""
        true_time = time.time
        time.time = lambda: true_time() + self.clock_s
        _expose_sqlite(self.before_write)


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs` of version 3, as sqlite.org/c3ref/vfs.html prints it."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("methods_1_and_2", ctypes.c_void_p * 13),
        ("set_system_call", ctypes.c_void_p),
        ("get_system_call", ctypes.c_void_p),
        ("next_system_call", ctypes.c_void_p),
    )


_WRITE = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, use_errno=True
)
_WRITE_AT = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t,
    *(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64),
    use_errno=True,
)
_CALLS = {b"write": _WRITE, b"pwrite": _WRITE_AT, b"pwrite64": _WRITE_AT}
_kept: list[object] = []
"""What SQLite points to must not be collected."""


def _expose_sqlite(before_write: Callable[[], int]) -> None:
    """Put a wait and an error in front of SQLite's own writes."""
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    library.sqlite3_vfs_find.restype = ctypes.c_void_p
    address = library.sqlite3_vfs_find(None)
    vfs = _Vfs.from_address(address)
    get = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)
    put = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p
    )
    exposed = 0
    for name, kind in _CALLS.items():
        true_call = get(vfs.get_system_call)(address, name)
        if not true_call:
            continue  # this SQLite was built without it
        call = kind(_exposed(kind(true_call), before_write))
        _kept.append(call)
        pointer = ctypes.cast(call, ctypes.c_void_p)
        put(vfs.set_system_call)(address, name, pointer)
        exposed += 1
    if not exposed:
        raise RuntimeError("this SQLite names no write call: its disk cannot fail")


def _exposed(
    true_call: Callable[..., int], before_write: Callable[[], int]
) -> Callable[..., int]:
    def call(*arguments: int) -> int:
        if number := before_write():
            ctypes.set_errno(number)
            return -1
        written = true_call(*arguments)
        ctypes.set_errno(ctypes.get_errno())
        return written

    return call
