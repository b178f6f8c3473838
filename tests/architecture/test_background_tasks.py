"""Every background task is started by `visavis.tasks`, and has a test in which it dies once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TASKS = ROOT / "src/visavis/tasks.py"
BARE = {
    *("create_task", "ensure_future", "TaskGroup", "run_coroutine_threadsafe"),
    *("Thread", "Timer", "start_new_thread", "add_task"),
}
SUPERVISED = {"run_forever", "run_until_done", "run_every", "spawn", "start_thread"}


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return name
    return ""


def calls(sources: Iterator[Path]) -> Iterator[tuple[Path, ast.Call]]:
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call):
                yield source, node


def pattern(name: ast.expr) -> str:
    """The names that this expression stands for, as a regular expression."""
    values = name.values if isinstance(name, ast.JoinedStr) else [name]
    pieces = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in values]
    assert set(pieces) != {".+"}, f"not a name: {ast.unparse(name)}"
    return "".join(pieces)


def product() -> Iterator[Path]:
    return (path for path in (ROOT / "src/visavis").rglob("*.py") if path != TASKS)


STARTED = sorted(
    pattern(call.args[0]) for _, call in calls(product()) if called(call) in SUPERVISED
)
DYING = {
    call.args[0].value
    for _, call in calls((ROOT / "tests").rglob("*.py"))
    if called(call) == "dies_once" and isinstance(call.args[0], ast.Constant)
}


def test_no_task_or_thread_is_started_without_supervision() -> None:
    bare = [
        f"{source.relative_to(ROOT)}:{call.lineno} {called(call)}"
        for source, call in calls(product())
        if called(call) in BARE
    ]
    assert bare == []


@pytest.mark.parametrize("name", STARTED)
def test_every_background_task_has_a_test_in_which_it_dies(name: str) -> None:
    assert any(re.fullmatch(name, str(dying)) for dying in DYING), name


def test_each_name_belongs_to_one_task() -> None:
    """A test that lets one task die would stand for another of its name."""
    assert len(STARTED) > 10
    assert [name for name, count in Counter(STARTED).items() if count > 1] == []
