"""With which sentence a file is refused."""

import pytest

from photos.frames import DEFAULT_SPEC
from photos.pipeline import read
from photos.refusals import PhotoRefused
from photos.spec import PhotoSpec


def refusal(data: bytes, spec: PhotoSpec = DEFAULT_SPEC) -> str:
    with pytest.raises(PhotoRefused) as refused:
        read(data, spec)
    return str(refused.value)
