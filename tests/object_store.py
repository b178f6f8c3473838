"""A real object store for the tests: SeaweedFS in a directory of its own."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import botocore.exceptions
import botocore.session
import httpx2

from tests import http_clients
from tests.running import eventually
from visavis.archive.s3 import S3ObjectStore
from visavis.archive.storage_address import read_storage_address

WEED = Path(sys.executable).parent / "weed"
BUCKET = "recordings"
ACCESS_KEY, SECRET_KEY = "access", "hidden"

# each client reads the descriptions of all services, which takes longer than most tests of one
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


class SeaweedFs:
    """`weed mini`, which serves one bucket on a port that stays the same when it restarts."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="visavis-s3-"))
        self.port, *self._ports = _free_ports(5)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> SeaweedFs:
        master, volume, filer, admin = self._ports
        command = [
            *("setpriv", "--pdeathsig", "KILL"),  # a killed test run leaves no server
            *(str(WEED), "mini", "-dir", str(self.directory), "-ip", "127.0.0.1"),
            *("-s3.port", str(self.port), "-master.port", str(master)),
            *("-volume.port", str(volume), "-filer.port", str(filer), "-admin.port", str(admin)),
            *("-s3.port.iceberg", "0", "-s3.port.lance", "0", "-master.telemetry=false"),
            *("-admin.ui=false", "-webdav=false", "-bucket", BUCKET),
        ]
        credentials = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, **credentials},
                start_new_session=True,
            )
        eventually(self._answers, pause=0.05)
        return self

    def new_address(self, endpoint: str = "") -> str:
        """The address of an empty storage: a prefix that nobody else uses."""
        place = quote(endpoint or self.endpoint, safe="")
        return f"s3://{BUCKET}/test-{next(self._numbers)}?endpoint={place}"

    def new_store(self, endpoint: str = "") -> S3ObjectStore:
        return open_objects(self.new_address(endpoint))

    def kill(self) -> None:
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        for port in (self.port, *self._ports):
            for number in (port, port + 10_000):
                for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock*"):
                    left.unlink(missing_ok=True)

    def _answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.directory / "log").read_text()
        probe = S3ObjectStore(
            read_storage_address(f"s3://{BUCKET}?endpoint={self.endpoint}"), ACCESS_KEY, SECRET_KEY
        )
        try:
            http_clients.get(self.endpoint)
            probe._client.head_bucket(Bucket=BUCKET)
        except (httpx2.HTTPError, botocore.exceptions.BotoCoreError):
            return False
        except botocore.exceptions.ClientError:
            return False
        finally:
            probe.close()
        return True


def open_objects(address: str) -> S3ObjectStore:
    return S3ObjectStore(read_storage_address(address), ACCESS_KEY, SECRET_KEY)


def stored_objects(address: str, prefix: str = "") -> dict[str, bytes]:
    """Return the objects whose keys begin with `prefix`, by key."""
    objects = open_objects(address)
    place = {"Bucket": BUCKET, "Prefix": objects._prefix + prefix}
    listed = objects._client.list_objects_v2(**place).get("Contents", [])
    found = {
        str(one["Key"]): bytes(
            objects._client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
        )
        for one in listed
    }
    objects.close()
    return found


def _free_ports(count: int) -> list[int]:
    """Return ports whose gRPC ports, 10,000 higher, are free, too."""
    found: list[int] = []
    with contextlib.ExitStack() as stack:
        for port in itertools.count(20_000 + os.getpid() % 1000 * 20):
            try:
                for one in (port, port + 10_000):
                    stack.enter_context(socket.create_server(("127.0.0.1", one)))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                break
    return found
