from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.errors import TypingError
from numba.extending import is_jitted

from animerun_gen import compiled

PROGRAM = "from animerun_gen.two import tripled; print(tripled(2.0))"

ONE = """\
from animerun_gen import compiled
from animerun_gen.three import FACTOR
kernel = compiled.kernels(__name__)

@kernel
def times(value):
    return FACTOR * value
"""

TWO = """\
from animerun_gen import compiled
from animerun_gen.one import (
    times,
)
kernel = compiled.kernels(__name__)

@kernel
def tripled(value):
    return times(value)
"""

FOR_TYPE_CHECKERS = """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from animerun_gen.four import FACTOR

    # and after an empty line
    from animerun_gen.four import FACTOR as AGAIN

VERSION = "1"
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a package of this name whose kernels compile quickly."""
    package = tmp_path / "site" / "animerun_gen"
    package.mkdir(parents=True)
    shutil.copy(compiled.__file__, package)
    (package / "__init__.py").touch()
    (package / "one.py").write_text(ONE)
    (package / "two.py").write_text(TWO)
    (package / "three.py").write_text("FACTOR = 3.0\n")
    return package.parent


def run(site: Path, program: str = PROGRAM, **environment: str) -> str:
    own = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        # Python tells by the second whether a source changed, and these change sooner
        env=own | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        cwd=site,
    )
    return answer.stdout.strip()


def folders(base: Path) -> dict[str, Path]:
    """Module to its folder of compiled code."""
    return {folder.name.rpartition("-")[0]: folder for folder in base.iterdir() if folder.is_dir()}


def times_of(base: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in base.rglob("*.nbc")}


@pytest.mark.parametrize(
    ("file", "old", "new"), [("one.py", "FACTOR * value", "FACTOR * value + 1"), ("three.py", "3.0", "3.5")]
)
def test_a_change_in_another_file_is_seen(site: Path, file: str, old: str, new: str) -> None:
    assert run(site) == "6.0"
    changed = site / "animerun_gen" / file
    changed.write_text(changed.read_text().replace(old, new))
    assert run(site) == "7.0"


def test_a_change_of_a_real_kernel_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "site" / "animerun_gen"
    shutil.copytree(Path(compiled.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import numpy as np; from animerun_gen.labels.ways_home import ways_home;"
        "flow = np.zeros((4, 5, 2), np.float32); print(np.isfinite(ways_home(flow, flow).away).sum())"
    )
    assert run(package.parent, program) == "20"
    between = package / "labels" / "kernels" / "between_pixels.py"
    source = between.read_text()
    changed = source.replace("return x >= -0.5 and", "return x >= 2.5 and")
    assert changed != source
    between.write_text(changed)
    assert run(package.parent, program) == "8"


def test_what_did_not_change_is_not_compiled_again(site: Path) -> None:
    base = site / "animerun_gen/__pycache__/kernels"
    (site / "animerun_gen/__init__.py").write_text(FOR_TYPE_CHECKERS)
    (site / "animerun_gen/four.py").write_text("FACTOR = 3.0\n")
    run(site)
    before = times_of(base)
    assert len(before) == 2
    # what neither of them imports when it runs, and times, say nothing
    (site / "animerun_gen/four.py").write_text("FACTOR = 4.0\n")
    for source in site.rglob("*.py"):
        os.utime(source, (1, 1))
    run(site)
    assert times_of(base) == before


def test_old_code_is_removed_unless_somebody_uses_it(site: Path) -> None:
    base = site / "animerun_gen/__pycache__/kernels"
    run(site)
    old = folders(base)
    other = subprocess.Popen(
        [sys.executable, "-c", "import animerun_gen.two, time; print(flush=True); time.sleep(600)"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=site,
    )
    try:
        assert other.stdout is not None
        other.stdout.readline()
        (site / "animerun_gen/three.py").write_text("FACTOR = 3.5\n")
        assert run(site) == "7.0"
        assert all(folder.exists() for folder in old.values())
    finally:
        other.kill()
        other.wait()
    assert run(site) == "7.0"
    assert not any(folder.exists() for folder in old.values())
    assert folders(base).keys() == {"animerun_gen.one", "animerun_gen.two"}
    # of a module that is no more
    (site / "animerun_gen/two.py").unlink()
    run(site, "import animerun_gen.one")
    assert folders(base).keys() == {"animerun_gen.one"}


def test_where_the_package_cannot_be_written_to_the_users_folder_serves(site: Path, tmp_path: Path) -> None:
    # a file where the folder would be: rights do not keep root from anything
    (site / "animerun_gen/__pycache__").mkdir()
    (site / "animerun_gen/__pycache__/kernels").touch()
    assert run(site, XDG_CACHE_HOME=str(tmp_path / "cache")) == "6.0"
    [base] = (tmp_path / "cache/animerun-gen").iterdir()
    assert folders(base).keys() == {"animerun_gen.one", "animerun_gen.two"}


def test_where_nothing_can_be_written_kernels_work_all_the_same(site: Path, tmp_path: Path) -> None:
    (site / "animerun_gen/__pycache__").mkdir()
    (site / "animerun_gen/__pycache__/kernels").touch()
    (tmp_path / "cache").touch()
    assert run(site, XDG_CACHE_HOME=str(tmp_path / "cache")) == "6.0"


def test_the_users_choice_of_a_folder_counts_and_other_packages_are_left_alone(site: Path, tmp_path: Path) -> None:
    program = f"import numba; {PROGRAM}; print(numba.config.CACHE_DIR)"
    chosen = tmp_path / "chosen"
    assert run(site, program, NUMBA_CACHE_DIR=str(chosen)).split() == ["6.0", str(chosen)]
    assert len(list(chosen.rglob("*.nbc"))) == 2
    assert not (site / "animerun_gen/__pycache__/kernels").exists()


def test_all_kernels_are_kept_there() -> None:
    package = Path(compiled.__file__).parent
    compiling = [
        file.name for file in package.rglob("*.py") if "njit" in file.read_text() or "cache=True" in file.read_text()
    ]
    assert compiling == ["compiled.py"]


def test_what_is_said_to_make_no_array_cannot_make_one() -> None:
    # no module of this name is a file: what is compiled is not kept
    kernel = compiled.kernels("nowhere", allocates=False)

    @kernel
    def filled(numbers: Any) -> Any:
        numbers[:] = 2.0
        return numbers[1:].sum()

    @kernel
    def made(count: int) -> Any:
        return np.empty(count)

    assert filled(np.zeros(4)) == 6.0
    with pytest.raises(TypingError):
        made(4)


def modules_with_kernels() -> list[str]:
    return [
        f"animerun_gen.{file.relative_to(compiled.PACKAGE).with_suffix('').as_posix().replace('/', '.')}"
        for file in compiled.PACKAGE.rglob("*.py")
        if "compiled.kernels(" in file.read_text() and file.name != "compiled.py"
    ]


def test_the_key_of_a_kernel_covers_every_module_whose_kernels_it_calls() -> None:
    modules = modules_with_kernels()
    calls: dict[str, set[str]] = {
        name: {value.py_func.__module__ for value in vars(importlib.import_module(name)).values() if is_jitted(value)}
        for name in modules
    }
    # what a module calls calls others in turn, wherever they lie
    for name in modules:
        reached = {name}
        while reached != (more := reached.union(*(calls[each] for each in reached))):
            reached = more
        assert reached <= compiled.sources_of(name).keys(), name
    assert "animerun_gen.union_find" in compiled.sources_of("animerun_gen.quality.segments")
    assert "animerun_gen.labels.kernels.between_pixels" in compiled.sources_of("animerun_gen.quality.shift")
    # a small circle: not all that the public API names
    assert len(compiled.sources_of("animerun_gen.quality.shift")) < 20


def test_finding_the_folders_takes_no_time() -> None:
    modules = modules_with_kernels()
    assert len(modules) > 20
    compiled._source.cache_clear()
    begun = time.process_time()
    digests = {compiled.source_digest(module) for module in modules}
    assert time.process_time() - begun < 0.2
    assert len(digests) == len(modules)
