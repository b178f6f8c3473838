"""S3-compatible object stores, called with botocore in threads because its calls block.

Only this module imports the client, which the extra `visavis[s3]` installs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final, TypeVar

import botocore.session
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from visavis.archive.ports import DiskFullError, ObjectMissingError, StorageUnavailableError
from visavis.archive.storage_address import StorageAddress
from visavis.tasks import describe

T = TypeVar("T")

log = structlog.get_logger(__name__)

THREADS: Final = 16
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
ATTEMPTS: Final = 3
_MISSING: Final = frozenset({"NoSuchKey", "NoSuchUpload", "404", "NotFound"})
_FULL: Final = frozenset({"QuotaExceeded", "EntityTooLarge", "InsufficientStorage", "507"})


class S3ObjectStore:
    """Implements `ObjectStore` on a bucket.

    Without an access key, botocore finds the credentials: in variables such as AWS_ACCESS_KEY_ID,
    in files, or from the machine's role.
    """

    def __init__(self, address: StorageAddress, access_key: str, secret_key: str) -> None:
        self.name = address.name
        self._bucket = address.bucket
        self._prefix = address.prefix
        self._threads = ThreadPoolExecutor(THREADS, "s3")
        self._client: Any = botocore.session.get_session().create_client(
            "s3",
            region_name=address.region,
            endpoint_url=address.endpoint or None,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=THREADS,
                # stores other than Amazon S3 do not support checksums in trailers
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if address.endpoint else "auto"},
            ),
        )

    async def is_there(self) -> bool:
        try:
            await self._perform(lambda: self._client.head_bucket(Bucket=self._bucket))
        except ObjectMissingError:
            log.error("the object store does not have the bucket", bucket=self._bucket)  # noqa: TRY400
        except StorageUnavailableError:
            pass  # it has been reported
        else:
            return True
        return False

    async def begin_multipart(self, key: str) -> str:
        answer = await self._perform(lambda: self._client.create_multipart_upload(**self._of(key)))
        return str(answer["UploadId"])

    async def put_part(self, key: str, multipart_id: str, number: int, data: bytes) -> str:
        part = {"UploadId": multipart_id, "PartNumber": number}
        answer = await self._perform(
            lambda: self._client.upload_part(**self._of(key), **part, **_body(data))
        )
        return str(answer["ETag"])

    async def complete_multipart(
        self, key: str, multipart_id: str, parts: Sequence[tuple[int, str]]
    ) -> None:
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        await self._perform(
            lambda: self._client.complete_multipart_upload(
                **self._of(key), UploadId=multipart_id, MultipartUpload={"Parts": listed}
            )
        )

    async def abort_multipart(self, key: str, multipart_id: str) -> None:
        await self._perform_if_there(
            lambda: self._client.abort_multipart_upload(**self._of(key), UploadId=multipart_id)
        )

    async def put(self, key: str, data: bytes) -> None:
        await self._perform(lambda: self._client.put_object(**self._of(key), **_body(data)))

    async def size(self, key: str) -> int | None:
        answer = await self._perform_if_there(lambda: self._client.head_object(**self._of(key)))
        return None if answer is None else int(answer["ContentLength"])

    async def read(self, key: str, start: int, size: int) -> bytes:
        def read() -> bytes:
            span = f"bytes={start}-{start + size - 1}"
            body = self._client.get_object(**self._of(key), Range=span)["Body"]
            try:
                return bytes(body.read())
            finally:
                body.close()

        data = await self._perform(read, attempts=ATTEMPTS)
        if len(data) != size:
            log.error("the object store returned another number of bytes", key=key, size=len(data))
            raise StorageUnavailableError
        return data

    async def delete(self, key: str) -> None:
        await self._perform_if_there(lambda: self._client.delete_object(**self._of(key)))

    async def delete_below(self, prefix: str) -> None:
        below = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        while listed := await self._perform(
            lambda: self._client.list_objects_v2(**below).get("Contents", [])
        ):
            for found in listed:
                await self.delete(str(found["Key"]).removeprefix(self._prefix))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _of(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + key}

    async def _perform(self, call: Callable[[], T], *, attempts: int = 1) -> T:
        """Return the response to a call. Botocore itself repeats calls that do not read a body."""
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, _repeated, call, attempts
            )
        except ClientError as error:
            failure = error.response.get("Error", {})
            if failure.get("Code") in _MISSING:
                raise ObjectMissingError from None
            if failure.get("Code") in _FULL:
                raise DiskFullError from None
            _report(error)
            raise StorageUnavailableError from None
        except (BotoCoreError, HTTPError, OSError) as error:
            _report(error)
            raise StorageUnavailableError from None

    async def _perform_if_there(self, call: Callable[[], T]) -> T | None:
        try:
            return await self._perform(call)
        except ObjectMissingError:
            return None


def _body(data: bytes) -> dict[str, Any]:
    """Return a body with its MD5, which the store checks; buckets with Object Lock require one."""
    md5 = hashlib.md5(data, usedforsecurity=False).digest()
    return {"Body": data, "ContentMD5": base64.b64encode(md5).decode()}


def _repeated(call: Callable[[], T], attempts: int) -> T:
    for _ in range(attempts - 1):
        try:
            return call()
        except (BotoCoreError, HTTPError, OSError):
            continue  # the connection was lost while the body was read
    return call()


def _report(error: Exception) -> None:
    # the text of an error contains neither the credentials nor the signature
    reason = describe(error)
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            log.error("the object store refuses the credentials", reason=reason)
            return
    log.error("the object store does not answer", reason=reason)
