from __future__ import annotations

import subprocess
import sys

from tests.test_compiled import modules_with_kernels

PROGRAM = """
import sys
from animerun_gen.compile_ahead import TASKS
for task in TASKS:
    task()
print(*sys.modules)
"""


def test_no_module_with_kernels_is_left_out() -> None:
    # a process of its own: other tests have imported the rest
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert set(modules_with_kernels()) <= set(answer.stdout.split())
