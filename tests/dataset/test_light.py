"""Reading a dataset takes numpy and OpenCV, and nothing else that this project needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from animerun_gen.errors import MissingPackageError, UsageError

PROJECT = Path(__file__).resolve().parent.parent.parent

ALLOWED = {"animerun_gen", "cv2", "numpy"}
OWN = {"dataset", "errors", "conventions", "color"}
"""What of this package may be imported."""


def answer_of(program: str, expected: int = 0) -> subprocess.CompletedProcess[str]:
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert answer.returncode == expected, answer.stderr
    return answer


def modules_after(program: str) -> set[str]:
    """What is imported that is not Python's own, and was not before."""
    answer = answer_of(
        "import sys; before = set(sys.modules)\n"
        f"{program}\n"
        "own = sys.stdlib_module_names\n"
        "print(*(name for name in set(sys.modules) - before if name.partition('.')[0] not in own))"
    )
    return set(answer.stdout.split())


MODULES = sorted(path.stem for path in (PROJECT / "animerun_gen" / "dataset").glob("*.py"))
UNWANTED = ("numba", "pydantic", "scipy", "yaml", "tqdm", "skimage", "psutil", "distributed", "jinja2", "bpy", "torch")


def test_what_reading_imports() -> None:
    everything = "; ".join(f"import animerun_gen.dataset.{name}" for name in MODULES if name != "__init__")
    imported = modules_after(everything)
    packages = {name.partition(".")[0] for name in imported}
    # numpy and OpenCV bring modules of their own that have other names
    assert packages - ALLOWED == {name.partition(".")[0] for name in modules_after("import numpy, cv2")} - ALLOWED
    assert {name.split(".")[1] for name in imported if name.startswith("animerun_gen.")} <= OWN


NEWER = {
    "typing": "LiteralString Never NotRequired Required Self TypeVarTuple Unpack assert_never assert_type "
    "dataclass_transform override reveal_type",
    "asyncio": "Runner TaskGroup timeout",
    "contextlib": "chdir",
    "datetime": "UTC",
    "enum": "EnumCheck ReprEnum StrEnum global_enum member nonmember property verify",
    "hashlib": "file_digest",
    "inspect": "getmembers_static",
    "itertools": "batched",
    "math": "cbrt exp2 fma sumprod",
    "operator": "call",
    "tomllib": "load loads",
}
"""What the standard library has since Python 3.11 or later, as far as anybody here would use it."""


def of_when_it_runs(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module, but for what only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from of_when_it_runs(node)


def newer_names(source: str) -> set[str]:
    found = set()
    for node in of_when_it_runs(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in NEWER:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        else:
            continue
        found |= {name for name in names if name.rpartition(".")[2] in NEWER.get(name.rpartition(".")[0], "").split()}
    return found


def test_what_python_3_10_lacks_is_not_used() -> None:
    """The reader promises to work there, where most people who run these tests do not look."""
    assert newer_names("from typing import Any, Self\nimport math\nmath.cbrt(2)") == {"typing.Self", "math.cbrt"}
    assert newer_names("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typing import Self") == set()
    reader = "; ".join(f"import animerun_gen.dataset.{name}" for name in MODULES if name != "__init__")
    loaded = {name for name in modules_after(f"{reader}; import animerun_gen.motion.between") if "animerun_gen" in name}
    places = [PROJECT.joinpath(*name.split(".")) for name in loaded]
    paths = [path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for path in places]
    paths += (PROJECT / "animerun_gen" / "dataset" / "torch").glob("*.py")
    assert len(paths) > len(MODULES)
    used = {path.relative_to(PROJECT).as_posix(): newer_names(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: names for path, names in used.items() if names} == {}


def test_reading_works_without_what_the_commands_need() -> None:
    program = f"import sys; sys.modules.update(dict.fromkeys({UNWANTED!r}))\nfrom animerun_gen.dataset import *\n"
    assert answer_of(f"{program}print(Dataset.__name__)").stdout == "Dataset\n"


def test_without_opencv_both_of_its_packages_are_named() -> None:
    program = (
        "import sys; sys.modules['cv2'] = None\n"
        "try:\n    import animerun_gen.dataset\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    said = answer_of(program).stdout
    assert said.startswith("MissingPackageError animerun_gen.dataset needs OpenCV")
    assert re.search(r"install opencv-python-headless, or opencv-python\b", said)
    assert "import of cv2 halted" in said


def test_without_torch_it_is_named_and_reading_goes_on() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from animerun_gen.dataset import Dataset\n"
        "try:\n    import animerun_gen.dataset.torch\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    said = answer_of(program).stdout
    assert said.startswith("MissingPackageError animerun_gen.dataset.torch needs PyTorch, which cannot be imported (")
    assert "animerun_gen.dataset reads without it" in said


def test_a_missing_package_is_both_kinds_of_error() -> None:
    error = MissingPackageError("is needed", remedy="install it")
    assert isinstance(error, ImportError)
    assert isinstance(error, UsageError)
    assert (str(error), error.exit_status) == ("is needed; install it", 2)


@pytest.mark.parametrize("missing", ["pydantic", "yaml"])
def test_a_command_where_only_readers_are_installed_says_so(missing: str, tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"from animerun_gen.cli import main; sys.exit(main(['status', {str(tmp_path)!r}]))"
    )
    answer = answer_of(program, expected=2)
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"{missing} is not installed: this installation of animerun-gen is for reading")
    assert "in a copy of the project: " in answer.stderr
    assert answer.stderr.endswith("-m pip install '.[generate]'\n")


def test_the_commands_name_the_python_that_they_need() -> None:
    program = (
        "import sys; sys.version_info = (3, 10, 13, 'final', 0)\n"
        "from animerun_gen.cli import main; sys.exit(main(['doctor']))"
    )
    assert "can only read datasets; use 3.11 or newer" in answer_of(program, expected=2).stderr
