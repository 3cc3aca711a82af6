"""Fetch a locked file from the upstream hub: the second source, where no wheel could be had.

The hub client is imported here only, while a pull runs; everything else is offline.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from huaxiang.core.errors import ModelUnavailable
from huaxiang.core.lock_format import LockedFile, LockedModel


def fetch_from_hub(
    model: LockedModel, file: LockedFile, filename: str, staging: Path, progress: Callable[[int, int], None]
) -> Path:
    """Fetch one file of the model's repository at its locked revision below ``staging``.

    An interrupted transfer is resumed by the hub client. ``progress`` is told bytes done and in total.
    Raises ModelUnavailable where the hub does not answer, does not have it, or may not be asked.
    """
    import httpx
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError
    from huggingface_hub.utils.tqdm import tqdm as hub_bar

    done = 0

    class Forwarded(hub_bar):
        """A progress bar that shows nothing and tells the caller."""

        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]  # untyped upstream

        def update(self, n: float | None = 1) -> None:
            nonlocal done
            done = min(done + int(n or 0), file.size_bytes)
            progress(done, file.size_bytes)

    folder = staging / "hub" / model.name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = hf_hub_download(
            model.repository,
            filename,
            revision=model.revision,
            local_dir=folder,
            token=False,
            tqdm_class=Forwarded,
        )
    except (httpx.HTTPError, OSError, EntryNotFoundError, HFValidationError) as error:
        offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE", "0") not in ("0", "") else ""
        raise ModelUnavailable(
            f"{filename} of {model.repository} could not be fetched from the hub{offline}: "
            f"{type(error).__name__}",
            repository=model.repository,
        ) from error
    return Path(path)
