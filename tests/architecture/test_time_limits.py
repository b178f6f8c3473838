"""Tests wait long enough for a busy machine, where processes get little processor time."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.running import PATIENCE

TESTS: Final = Path(__file__).resolve().parents[1]
REQUESTS: Final = {"get", "head", "put", "post", "patch", "delete", "options", "request", "stream"}
CLIENTS: Final = {f"httpx2.{name}" for name in (*REQUESTS, "Client", "AsyncClient")}
"""Clients whose time-out is 5 seconds unless they are given another, and which read all
certificate authorities unless they are given a context.
"""
WEBSOCKETS: Final = {"websockets.connect", "websockets.asyncio.client.connect"}
LIMITED: Final = {
    **{"timeout": 0, "fail_after": 0, "settimeout": 0, "wait": 0, "join": 0, "result": 0},
    **{"wait_for": 1, "create_connection": 1, "eventually": 1, "until": 1, "communicate": 1},
}
"""Functions with a time limit, and the number of arguments before the limit."""
KEYWORDS: Final = {"timeout", "open_timeout", "ping_timeout"}
PAUSE: Final = 1.0
"""Maximum number of seconds that are the pause of a loop and not a time limit."""
EXPECTED: Final = {"raises", "suppress"}
"""Contexts in which a `TimeoutError` is expected."""


def dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(value, name):
            return f"{dotted(value)}.{name}"
    return ""


class TimeLimits(ast.NodeVisitor):
    """Finds clients without an explicit time limit, and limits below that of all tests."""

    def __init__(self, module: ast.Module) -> None:
        self.found: list[str] = []
        self._constants = dict(constants(module))
        self._is_expected = False

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            if name in WEBSOCKETS | CLIENTS:
                self._add(node, f"{name} without a time limit of ours")

    def visit_With(self, node: ast.With) -> None:
        self._visit_context(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self._visit_context(node)

    def visit_Call(self, node: ast.Call) -> None:
        has_own = {keyword.arg for keyword in node.keywords} >= {"timeout", "verify"}
        for client in (node.func, *node.args):
            if dotted(client) in CLIENTS and not (has_own and client is node.func):
                self._add(client, f"{dotted(client)} without a time limit and TLS context of ours")
        for limit in self._limits_of(node):
            seconds = self._seconds(limit)
            if seconds is not None and seconds < PATIENCE and not self._is_expected:
                self._add(node, f"{dotted(node.func)} waits {seconds:g} s")
        self.generic_visit(node)

    def _visit_context(self, node: ast.With | ast.AsyncWith) -> None:
        before = self._is_expected
        self._is_expected |= any(is_expecting(item.context_expr) for item in node.items)
        self.generic_visit(node)
        self._is_expected = before

    def _limits_of(self, call: ast.Call) -> Iterator[ast.expr]:
        yield from (keyword.value for keyword in call.keywords if keyword.arg in KEYWORDS)
        function, arguments = call.func, call.args
        if dotted(function) == "asyncio.to_thread":
            function, *arguments = arguments
        name = dotted(function).rpartition(".")[2]
        if name in LIMITED and len(arguments) > LIMITED[name]:
            yield arguments[LIMITED[name]]

    def _seconds(self, limit: ast.expr) -> float | None:
        value = self._constants.get(limit.id) if isinstance(limit, ast.Name) else number(limit)
        return None if value is None or value <= PAUSE else value

    def _add(self, node: ast.expr | ast.stmt, said: str) -> None:
        self.found.append(f"{node.lineno}: {said}")


def is_expecting(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and dotted(context.func).rpartition(".")[2] in EXPECTED
        and any("TimeoutError" in dotted(argument) for argument in context.args)
    )


def constants(module: ast.Module) -> Iterator[tuple[str, float]]:
    """Return the named numbers of this module."""
    for node in module.body:
        match node:
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, value):
                if value and (found := number(value)) is not None:
                    yield name, found


def number(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(int() | float() as value):
            return float(value)
    return None


def found_in(source: str) -> list[str]:
    module = ast.parse(textwrap.dedent(source))
    limits = TimeLimits(module)
    limits.visit(module)
    return limits.found


def test_no_test_waits_less_than_all_tests() -> None:
    found = {}
    for path in sorted(TESTS.rglob("*.py")):
        name = str(path.relative_to(TESTS))
        if "node_modules" in path.parts or name == "http_clients.py":
            continue
        if limits := found_in(path.read_text()):
            found[name] = limits
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "httpx2.get(url)",
        "asyncio.to_thread(httpx2.get, url, timeout=PATIENCE)",
        "httpx2.Client(base_url=url)",
        "httpx2.put(url, timeout=5, verify=TRUST)",
        "httpx2.put(url, timeout=PATIENCE)",
        "from httpx2 import post",
        "from websockets.asyncio.client import connect",
        "process.wait(10)",
        "SOON = 10.0\nqueue.get(timeout=SOON)",
        "eventually(question, 20)",
        "await asyncio.to_thread(event.wait, 60)",
        "with raises(ValueError):\n    await asyncio.wait_for(event.wait(), 2)",
        "async with asyncio.timeout(20):\n    pass",
    ],
)
def test_short_limits_are_found(source: str) -> None:
    assert found_in(source)


@pytest.mark.parametrize(
    "source",
    [
        "http_clients.get(url)",
        "def ask(client: httpx2.Client) -> httpx2.Response:\n    return client.get('/')",
        "httpx2.put(url, timeout=PATIENCE, verify=TRUST)",
        "process.wait(PATIENCE)",
        "eventually(question)",
        "while not event.wait(0.1):\n    lock.acquire(timeout=0)",
        "with pytest.raises(TimeoutError):\n    await asyncio.wait_for(event.wait(), 2)",
        "with contextlib.suppress(OSError, TimeoutError):\n    await asyncio.wait_for(x, 2)",
    ],
)
def test_long_and_expected_limits_are_not(source: str) -> None:
    assert found_in(source) == []
