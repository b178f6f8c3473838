"""The description is true: what it says is what a generator of requests finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.conftest import PATH, Api, Served
from visavis.recorder import wire
from visavis.web.api.openapi import OPERATIONS

DOCUMENT = "/v4/openapi.json"

CONFIGURATION = """
[[operations]]
include-operation-id = "updateAudioVideoChatConfig"
# automatic recording needs a recording server, which one of the two may already have: 400
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "412"]

[[operations]]
include-operation-id = "testRecordingServer"
# what an address is, a pattern cannot say: 400
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403"]

[[operations]]
include-operation-id = "createAudioVideoChat"
# a number that no agent has: 400
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403"]

[[operations]]
include-operation-id = "getAudioVideoChat"
# an id that no call has: 404
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404"]

[[operations]]
include-operation-id = "getAuditLog"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404"]

[[operations]]
include-operation-id = "endAudioVideoChat"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409"]

[checks]
positive_data_acceptance.expected-statuses = ["2xx", "304", "401", "403", "412"]
"""


async def test_everybody_may_read_it(api: Api) -> None:
    document = (await api.client.get(DOCUMENT)).json()
    assert document["openapi"] == "3.1.0"
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    assert described == OPERATIONS.keys()
    for scheme in ("bearer", "oauth", "key"):
        assert scheme in document["components"]["securitySchemes"]
    responses = document["paths"][PATH]["put"]["responses"]
    assert {"200", "400", "401", "403", "412", "413", "415", "429", "500"} <= responses.keys()


@pytest.mark.many
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_generator_of_requests_finds_nothing(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere(host: str, port: int, *, allow_private: bool) -> list[str]:
        raise OSError("no test looks names up")

    monkeypatch.setattr(wire, "vetted_addresses", nowhere)
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file"]
    command += [str(configuration), "run", f"{served.url}{DOCUMENT}", "--checks", "all"]
    command += ["--header", f"Authorization: Bearer {served.token}", "--max-examples", "25"]
    command += ["--seed", "1", "--generation-deterministic", "--workers", "1"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
