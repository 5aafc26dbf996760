"""Stop reading an upload that is too large, and remember how large it wanted to be."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

MEGABYTE = 1024 * 1024
MAX_UPLOAD_BYTES = 20 * MEGABYTE
# Up to here the rest is read and thrown away, so that the browser gets to read our answer; beyond, we hang up.
MAX_DISCARDED_BYTES = 10 * MAX_UPLOAD_BYTES
REFUSED_BYTES = "photos.refused_upload_bytes"  # where the handler leaves word for the view, in request.META


class BoundedUploadHandler(FileUploadHandler):
    """Counts the bytes of all files of a request and passes them on to the next handler, up to the limit.

    A form must send its CSRF token before its file: what follows the limit is not read.
    """

    total = 0
    declared = 0

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        self.declared = content_length

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.total += len(raw_data)
        if self.total > MAX_UPLOAD_BYTES:
            if self.request is not None:
                self.request.META[REFUSED_BYTES] = max(self.declared, self.total)
            raise StopUpload(connection_reset=self.declared > MAX_DISCARDED_BYTES)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def size_refusal(request: HttpRequest) -> str:
    """The sentence about an upload that was too large, or "". Parses the request if nobody has yet."""
    request.FILES  # noqa: B018  what was too large is known once the body has been parsed
    size = request.META.get(REFUSED_BYTES, 0)
    if not size:
        return ""
    # The declared size counts the rest of the form, too; never say that 20 MB are more than 20 MB.
    measured = f"{max(size, MAX_UPLOAD_BYTES + 0.1 * MEGABYTE) / MEGABYTE:.1f}".removesuffix(".0")
    return (
        f"您的照片有 {measured} MB，最多 {MAX_UPLOAD_BYTES // MEGABYTE} MB。"
        "请用手机或看图软件把照片缩小后再上传，或换一张照片。"
    )
