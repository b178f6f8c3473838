"""Every background task is started by `visavis.tasks`, and has a test in which it dies once."""

from __future__ import annotations

import ast
import functools
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


def calls(names: set[str], sources: Iterator[Path]) -> Iterator[tuple[Path, ast.Call]]:
    """The calls of these functions. Most sources have none: to parse them all takes seconds."""
    for source in sources:
        text = source.read_text()
        if any(name in text for name in names):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and called(node) in names:
                    yield source, node


def pattern(name: ast.expr) -> str:
    """The names that this expression stands for, as a regular expression."""
    values = name.values if isinstance(name, ast.JoinedStr) else [name]
    pieces = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in values]
    assert set(pieces) != {".+"}, f"not a name: {ast.unparse(name)}"
    return "".join(pieces)


def product() -> Iterator[Path]:
    return (path for path in (ROOT / "src/visavis").rglob("*.py") if path != TASKS)


STARTED = sorted(pattern(call.args[0]) for _, call in calls(SUPERVISED, product()))


@functools.cache
def dying() -> set[str]:
    """The tasks that die in a test."""
    return {
        str(call.args[0].value)
        for _, call in calls({"dies_once"}, (ROOT / "tests").rglob("*.py"))
        if isinstance(call.args[0], ast.Constant)
    }


def test_no_task_or_thread_is_started_without_supervision() -> None:
    bare = [
        f"{source.relative_to(ROOT)}:{call.lineno} {called(call)}"
        for source, call in calls(BARE, product())
    ]
    assert bare == []


@pytest.mark.parametrize("name", STARTED)
def test_every_background_task_has_a_test_in_which_it_dies(name: str) -> None:
    assert any(re.fullmatch(name, task) for task in dying()), name


def test_each_name_belongs_to_one_task() -> None:
    """A test that lets one task die would stand for another of its name."""
    assert len(STARTED) > 10
    assert [name for name, count in Counter(STARTED).items() if count > 1] == []
