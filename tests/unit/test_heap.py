"""Threads that share one heap give back what they took."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Six threads at a time take much memory in small pieces; a heap of its own shows as one more mapping.
PROGRAM = """
import sys, threading
from xml.etree import ElementTree
from huaxiang.core.heap import share_one_heap
if sys.argv[1] == "shared":
    assert share_one_heap()
ready = threading.Barrier(6)
def work():
    ready.wait()
    pieces = [ElementTree.Element("a", {"b": "c" * 600}) for _ in range(1000)]
    ready.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sum("rw-p 00000000 00:00 0" in line for line in open("/proc/self/maps")))
"""


# What is still needed lies above what is not, so that nothing can be given back by itself.
HOLDING = """
from pathlib import Path
from xml.etree import ElementTree
from huaxiang.core.heap import give_back
def resident_pages():
    return int(Path("/proc/self/statm").read_text().split()[1])
pieces = [ElementTree.Element("a", {"b": "c" * 600}) for _ in range(20000)]
last = ElementTree.Element("a", {"b": "c" * 600})
pieces.clear()
before = resident_pages()
give_back()
print(before - resident_pages())
"""

glibc = pytest.mark.skipif(
    not hasattr(os, "confstr") or "glibc" not in str(os.confstr("CS_GNU_LIBC_VERSION")),
    reason="glibc's own heaps",
)


def printed(program: str, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONMALLOC": "malloc"},
    )
    return int(done.stdout)


@glibc
def test_threads_share_one_heap_instead_of_making_their_own() -> None:
    assert printed(PROGRAM, "shared") < printed(PROGRAM, "apart")


@glibc
def test_what_nobody_uses_is_given_back() -> None:
    assert printed(HOLDING) * os.sysconf("SC_PAGE_SIZE") > 5_000_000
