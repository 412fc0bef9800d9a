"""Refuses zip archives that torch.save did not write, before torch sees them."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from aegis.core.archives import DAMAGE, opened_zip
from aegis.core.errors import CheckpointError
from aegis.models.intake.file_kinds import SAVE_PLAINLY, describe_archive

COPY_AGAIN = "The file is truncated or damaged; copy or save it again."
WHAT_IS_READ = "a checkpoint: safetensors, or a state dictionary written by torch.save"
WHOLE = "a whole file written by torch.save"
BROKEN = (*DAMAGE, OSError)


def check_archive_kind(path: Path) -> None:
    """Refuses zip files that torch.save did not write, judging by the names of their entries.

    Args:
        path: the archive.

    Raises:
        CheckpointError: if torch.save did not write it, or it cannot be read.
    """
    try:
        with opened_zip(path) as archive:
            kind = describe_archive(archive.namelist())
    except BROKEN as error:
        raise _broken(error) from error
    if kind is not None:
        raise CheckpointError(WHAT_IS_READ, kind.what, kind.advice)


def check_archive(path: Path) -> None:
    """Refuses damaged archives, since torch compares no checksums, and archives that two readers would read
    differently.

    Args:
        path: the archive.

    Raises:
        CheckpointError: if the archive is refused.
    """
    try:
        with opened_zip(path) as archive:
            entries = archive.infolist()
            if (wrong := _odd(entries, path.stat().st_size)) is not None:
                raise CheckpointError("an archive as torch.save writes it", wrong, SAVE_PLAINLY)
            damaged = [entry.filename for entry in entries if not _is_whole(archive, entry)]
    except BROKEN as error:
        raise _broken(error) from error
    # torch can be told to write no checksums; then all but those of nothing are wrong, and the archive is accepted.
    if 0 < len(damaged) < sum(entry.file_size > 0 for entry in entries):
        raise CheckpointError(WHOLE, f"damage in {', '.join(damaged[:3])}", COPY_AGAIN)


def _odd(entries: list[zipfile.ZipInfo], size: int) -> str | None:
    names = [entry.orig_filename for entry in entries]
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            return f"an entry that climbs out of it: {name}"
    if not names:
        return "an empty one"
    # torch ignores the case of entry names.
    name, count = Counter(name.lower() for name in names).most_common(1)[0]
    if count > 1:
        return f"two entries named {name}"
    if sum(name.endswith("/data.pkl") for name in names) > 1:
        return "two models in one archive"
    if any(entry.compress_type for entry in entries):
        return "a compressed archive"
    if any(entry.flag_bits & 1 for entry in entries):
        return "an encrypted archive"
    # Uncompressed entries cannot take more bytes than the file, unless they overlap.
    if (claimed := sum(entry.file_size for entry in entries)) > size:
        return f"entries that claim {claimed} bytes in a file of {size}"
    return None


def _is_whole(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    try:
        with archive.open(entry) as file:
            while file.read(2**20):
                pass
    except zipfile.BadZipFile as error:
        # Any error but a wrong checksum means an archive that two readers may read differently, not damaged data.
        # Only the beginning is compared, because the rest of the text quotes names from the file.
        if not str(error).startswith("Bad CRC-32"):
            raise
        return False
    return True


def _broken(error: Exception) -> CheckpointError:
    return CheckpointError(WHOLE, f"a broken archive ({error})", COPY_AGAIN)
