"""`visavis --help`, which imports no command."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from visavis.cli import HIDDEN, SUMMARIES, main


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_list_of_commands_says_what_each_command_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command
    assert not command.hidden
    assert command.get_short_help_str(limit=1_000) == SUMMARIES[name]


@pytest.mark.parametrize("name", HIDDEN)
def test_no_list_has_a_hidden_command(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command
    assert command.hidden
    assert name not in SUMMARIES


def test_every_command_is_listed_in_its_order() -> None:
    lines = CliRunner().invoke(main, ["--help"]).output.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(SUMMARIES)


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(main, ["serf"])
    assert result.exit_code == click.UsageError.exit_code
    assert "No such command" in result.output
