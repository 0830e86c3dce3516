"""Rules of the house that no linter holds, each with a bad sample that its checker must find."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("api", "benchmarks", "geodata", "routing", "tests")
LOCK_FILES = ("requirements-boot.txt", "requirements.lock", "requirements-dev.lock")

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
EMPTY_NAMES = {"common", "utils", "util", "helpers", "helper", "manager", "managers", "misc"}

# Written so that these patterns do not find themselves.
REGISTRY = re.compile(
    rb"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|anaconda\.org|crates\.io"
)
BUILD_PATH = re.compile(rb"(?:file://|(?<![\w./~-]))/(?:work|root)/")
INDEX_OPTION = re.compile(
    r"://|^\s*(?:-i|-f|--(?:extra-)?index-url|--find-links|--trusted-host)\b", re.MULTILINE
)


def modules() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((REPOSITORY / folder).rglob("*.py"))]


def committed_files() -> list[Path]:
    """Return what git holds or would take: ignored files are nobody's business here."""
    git = shutil.which("git")
    command = [git or "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if git is None or not (REPOSITORY / ".git").exists():
        pytest.skip("needs a git checkout, to know which files are committed")
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    files = (REPOSITORY / name for name in listed.stdout.split("\0") if name)
    return [file for file in files if file.is_file()]


def too_long_functions(source: str) -> list[str]:
    lengths = [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [f"{name}: {lines}" for name, lines in lengths if lines > FUNCTION_LINES_MAX]


def too_long(source: str) -> bool:
    return len(source.splitlines()) > MODULE_LINES_MAX


def has_empty_name(file: Path) -> bool:
    return not EMPTY_NAMES.isdisjoint(part.lower() for part in file.with_suffix("").parts)


def lock_entries(text: str) -> list[str]:
    """Return the logical lines of a lock file, without comments."""
    joined = text.replace("\\\n", " ")
    lines = (line.strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def unhashed_entries(text: str) -> list[str]:
    wanted = re.compile(r"^[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}")
    return [entry for entry in lock_entries(text) if not wanted.match(entry)]


def pins(text: str) -> dict[str, str]:
    """Return {package and marker: version} of a lock file."""
    found = (re.match(r"^([\w.-]+).*?==(\S+)(?: ; (.*?))? +--hash", e) for e in lock_entries(text))
    return {f"{m[1]} {m[3] or ''}".strip(): m[2] for m in found if m}


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_no_module_is_too_long() -> None:
    long = [str(file) for file in modules() if too_long(file.read_text(encoding="utf-8"))]
    assert long == []


def test_a_module_that_is_too_long_is_found() -> None:
    assert too_long("x = 1\n" * 501)
    assert not too_long("x = 1\n" * 500)


def test_no_function_is_too_long() -> None:
    # A migration is a list of tables, as long as the tables are.
    judged = [file for file in modules() if "migrations" not in file.parts]
    found = {str(file): too_long_functions(file.read_text(encoding="utf-8")) for file in judged}
    assert {file: long for file, long in found.items() if long} == {}


@pytest.mark.parametrize("head", ["def f():", "async def f():", "class C:\n  def f(self):"])
def test_a_function_that_is_too_long_is_found(head: str) -> None:
    assert too_long_functions(head + "\n    x = 1" * 60) == ["f: 61"]
    assert too_long_functions(head + "\n    x = 1" * 59) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(f) for f in modules() if has_empty_name(f.relative_to(REPOSITORY))] == []


@pytest.mark.parametrize("name", ["api/utils.py", "routing/common/time.py", "geodata/Helpers.py"])
def test_a_name_that_says_nothing_is_found(name: str) -> None:
    assert has_empty_name(Path(name))


def test_no_committed_file_names_a_package_registry() -> None:
    assert [str(f) for f in committed_files() if REGISTRY.search(f.read_bytes())] == []


@pytest.mark.parametrize("host", ["pypi", "files.pythonhosted", "registry.npmjs"])
def test_a_package_registry_is_found(host: str) -> None:
    assert REGISTRY.search(f"# from https://{host}.org/simple".encode())


def test_no_committed_file_holds_a_path_of_a_build_machine() -> None:
    assert [str(f) for f in committed_files() if BUILD_PATH.search(f.read_bytes())] == []


@pytest.mark.parametrize("folder", ["work", "root"])
@pytest.mark.parametrize("line", ['open("/{}/main/x")', "/{}/x", "file:///{}/x", "PATH=/{}/bin"])
def test_a_path_of_a_build_machine_is_found(folder: str, line: str) -> None:
    assert BUILD_PATH.search(line.format(folder).encode())


@pytest.mark.parametrize("path", ["https://example.org/{}/x", "../{}/x", "data/{}/x"])
def test_a_path_inside_something_else_is_not_one_of_a_build_machine(path: str) -> None:
    assert not BUILD_PATH.search(path.format("work").encode())


@pytest.mark.parametrize("name", LOCK_FILES)
def test_a_lock_file_names_no_index(name: str) -> None:
    assert INDEX_OPTION.findall(read(name)) == []


@pytest.mark.parametrize(
    "line",
    ["--index-url x", "--extra-index-url=x", "  --find-links ./x", "-f ./x", "-i x", "# http://x"],
)
def test_an_index_in_a_lock_file_is_found(line: str) -> None:
    assert INDEX_OPTION.search(f"numpy==2.4.6\n{line}\n")


@pytest.mark.parametrize("name", LOCK_FILES)
def test_every_entry_of_a_lock_file_is_pinned_and_hashed(name: str) -> None:
    assert len(lock_entries(read(name))) >= 3
    assert unhashed_entries(read(name)) == []


@pytest.mark.parametrize(
    "entry",
    ["numpy==2.4.6", "numpy>=2 \\\n    --hash=sha256:" + "0" * 64, "numpy==2.4.6 --hash=md5:00"],
)
def test_an_entry_without_pin_or_hash_is_found(entry: str) -> None:
    good = "scipy==1.17.1 ; os_name == 'nt' \\\n    --hash=sha256:" + "0" * 64
    assert len(unhashed_entries(f"# a comment\n{entry}\n{good}\n    # via x\n")) == 1


def test_the_two_lock_files_pin_the_same_versions() -> None:
    runtime, tools = pins(read("requirements.lock")), pins(read("requirements-dev.lock"))
    shared = runtime.keys() & tools.keys()
    assert "numpy" in " ".join(shared)
    assert [name for name in shared if runtime[name] != tools[name]] == []


def test_versions_are_read_from_a_lock_file() -> None:
    text = "uvicorn[standard]==1.0 ; os_name == 'nt' \\\n    --hash=sha256:00\nnumpy==2 --hash=x\n"
    assert pins(text) == {"uvicorn os_name == 'nt'": "1.0", "numpy": "2"}
