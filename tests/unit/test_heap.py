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


def mappings(way: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, way],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONMALLOC": "malloc"},
    )
    return int(done.stdout)


@pytest.mark.skipif(
    not hasattr(os, "confstr") or "glibc" not in str(os.confstr("CS_GNU_LIBC_VERSION")),
    reason="glibc's own heaps",
)
def test_threads_share_one_heap_instead_of_making_their_own() -> None:
    assert mappings("shared") < mappings("apart")
