"""Private files in an S3-compatible object store, with an end to every wait."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from tempfile import TemporaryFile
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.session import Session
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

from photos.storages import StoredFile

CONNECT_SECONDS, READ_SECONDS = 3, 5
MISSING = {"NoSuchKey", "NotFound", "404"}
BUSY = {500, 502, 503, 504}
PAGE = 1000  # names of one listing
IN_MEMORY = 32 * 1024 * 1024  # bytes; a photo is less, an archive of them is not


@deconstructible(path="photos.object_store.ObjectStore")
class ObjectStore(Storage):
    """One request for one file, so that a file is there whole or not at all. Problems are OSError."""

    def __init__(self, *, endpoint: str, bucket: str, access_key: str, secret_key: str, region: str) -> None:
        self.endpoint, self.bucket, self.region = endpoint, bucket, region
        self.access_key, self.secret_key = access_key, secret_key

    @cached_property
    def client(self) -> Any:
        """Shared by the threads of a process; made at first use, after the workers have been forked."""
        # Nothing is taken from files in the home directory, and no machine around us is asked who we are.
        session = Session(
            session_vars={
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        client = session.create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 1, "mode": "standard"},  # try_again() knows better
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                # Newer checksums are unknown to many stores that are not Amazon's.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                max_pool_connections=20,
            ),
        )
        client.meta.events.register("needs-retry.s3", try_again)
        return client

    def _open(self, name: str, mode: str = "rb") -> File:
        with as_os_error(name):
            answer = self.client.get_object(Bucket=self.bucket, Key=name)
            if answer["ContentLength"] < IN_MEMORY:
                return ContentFile(answer["Body"].read(), name)
            opened = TemporaryFile()  # noqa: SIM115  (closed by who opened it)
            shutil.copyfileobj(answer["Body"], opened)
            opened.seek(0)
            return File(opened, name)

    def _save(self, name: str, content: Any) -> str:
        content.seek(0)
        with as_os_error(name):
            body = content.read() if content.size < IN_MEMORY else content.file
            self.client.put_object(Bucket=self.bucket, Key=name, Body=body, ContentType=kind_of(name))
        return name

    def delete(self, name: str) -> None:
        with as_os_error(name):
            self.client.delete_object(Bucket=self.bucket, Key=name)

    def exists(self, name: str) -> bool:
        try:
            self._head(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        return int(self._head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> datetime:
        return self._head(name)["LastModified"]

    def _head(self, name: str) -> Any:
        with as_os_error(name):
            return self.client.head_object(Bucket=self.bucket, Key=name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """The names of folders and files directly in a folder."""
        prefix = f"{path.strip('/')}/" if path.strip("/") else ""
        folders: list[str] = []
        files: list[str] = []
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            folders += [each["Prefix"][len(prefix) : -1] for each in page.get("CommonPrefixes", [])]
            files += [each["Key"][len(prefix) :] for each in page.get("Contents", [])]
        return folders, files

    def walk(self, folder: str) -> Iterator[StoredFile]:
        for page in self._pages(Prefix=f"{folder}/"):
            yield from (StoredFile(each["Key"], each["LastModified"]) for each in page.get("Contents", []))

    def _pages(self, **question: Any) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, MaxKeys=PAGE, **question)
        with as_os_error():
            yield from pages

    def url(self, name: str | None) -> str:
        """As of a local private folder: the admin's form asks for one, and nobody answers there."""
        return f"/{name}"

    def signed_url(self, name: str, seconds: int, **answer: str) -> str:
        """An address for whoever has it, for so long; `answer` are the headers that the store then sends."""
        question = {"Bucket": self.bucket, "Key": name, **answer}
        return str(self.client.generate_presigned_url("get_object", Params=question, ExpiresIn=seconds))


def kind_of(name: str) -> str:
    return "image/jpeg" if name.endswith(".jpg") else "application/octet-stream"


def try_again(attempts: int, response: Any = None, caught_exception: Any = None, **about: Any) -> float | None:
    """Seconds to wait before a second attempt, for what is over in a moment; nobody waits twice for a slow store."""
    busy = response is not None and response[0].status_code in BUSY
    if attempts == 1 and (busy or isinstance(caught_exception, ConnectionClosedError)):
        return 0.2
    return None


@contextmanager
def as_os_error(name: str = "") -> Iterator[None]:
    """What a store can answer, and what can go wrong on the way there, as Python says it of files."""
    try:
        yield
    except ClientError as problem:
        code = problem.response.get("Error", {}).get("Code", "")
        if code in MISSING and name:
            raise FileNotFoundError(errno.ENOENT, "no such object", name) from problem
        raise OSError(f"the object store refused: {code}") from problem
    except BotoCoreError as problem:
        raise OSError(f"the object store is away: {type(problem).__name__}") from problem
