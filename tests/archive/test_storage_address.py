"""URLs of object stores."""

from __future__ import annotations

import subprocess
import sys

import pytest

from visavis.archive.storage_address import StorageAddress, read_storage_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket", StorageAddress("bucket")),
        ("s3://bucket/", StorageAddress("bucket")),
        ("s3://bucket/a/b", StorageAddress("bucket", "a/b/")),
        ("s3://bucket?region=eu-west-1", StorageAddress("bucket", region="eu-west-1")),
        (
            "s3://my.bucket/x/?endpoint=https://s3.example.com:9000",
            StorageAddress("my.bucket", "x/", "https://s3.example.com:9000"),
        ),
        (
            "s3://bucket?endpoint=http%3A%2F%2F127.0.0.1%3A1",
            StorageAddress("bucket", endpoint="http://127.0.0.1:1"),
        ),
    ],
)
def test_addresses(text: str, address: StorageAddress) -> None:
    assert read_storage_address(text) == address


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gs://bucket", "begins with s3://"),
        ("bucket", "begins with s3://"),
        ("s3://", "the name of a bucket"),
        ("s3://UPPER", "the name of a bucket"),
        ("s3://bucket/a b", "the name of a bucket"),
        ("s3://key:secret@bucket", "takes no credentials"),
        ("s3://bucket?endpoint=", "a URL as endpoint"),
        ("s3://bucket?endpoint=example.com", "a URL as endpoint"),
        ("s3://bucket?endpoint=https://a:b@example.com", "a URL as endpoint"),
        ("s3://bucket?endpoint=https://example.com:port", "a URL as endpoint"),
        ("s3://bucket?acl=public", "not acl"),
        ("s3://bucket?acl", "an address such as"),
        ("s3://[bucket", "an address such as"),
    ],
)
def test_what_is_no_address(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_storage_address(text)


def test_the_name_in_the_database_does_not_depend_on_the_endpoint() -> None:
    one = read_storage_address("s3://bucket/x?endpoint=https://a.example")
    assert one.name == read_storage_address("s3://bucket/x/").name == "s3://bucket/x/"


def test_the_local_disk_needs_no_client_of_object_stores() -> None:
    program = (
        "import sys, visavis.app, visavis.cli, visavis.cli.archive\n"
        "print([name for name in ('botocore', 'urllib3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
