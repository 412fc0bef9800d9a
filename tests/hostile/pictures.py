"""Images that bring something else with them, lie about their size or cannot be used."""

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

from PIL import Image

from tests.hostile.archives import endless
from tests.hostile.case import PICTURES

NO_ARCHIVE = "does not read as one"
SIDE = 6
PATHS = [f"{name}/{i}" for name in ("ant", "bee") for i in range(2)]


def encoded(kind: str = "PNG", mode: str = "L", colour=7, size=(SIDE, SIDE), **options) -> bytes:
    """One picture."""
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def pack(path: Path, files, method=zipfile.ZIP_DEFLATED) -> None:
    """A zip archive."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)


def photos(content: bytes, ending: str = "png", more=()) -> list[tuple[str, bytes]]:
    """Two classes of ordinary pictures, and one that is not."""
    return [*((f"{name}.png", encoded()) for name in PATHS), (f"bee/odd.{ending}", content), *more]


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def noted(kind: bytes, content: bytes) -> bytes:
    """A PNG file with one part more."""
    return encoded()[:33] + chunk(kind, content) + encoded()[33:]


def png(width: int, height: int, data: bytes = b"", depth: int = 8, colour: int = 0) -> bytes:
    """A PNG file that says what it likes."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    """A GIF file that says what it likes."""
    content = bytearray(encoded("GIF"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def tiff(width: int, height: int) -> bytes:
    """A TIFF file that says what it likes."""
    content = bytearray(encoded("TIFF"))
    for tag, value in ((256, width), (257, height)):
        at = next(
            content.index(struct.pack("<HHI", tag, kind, 1))
            for kind in (3, 4)
            if struct.pack("<HHI", tag, kind, 1) in content
        )
        content[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    return bytes(content)


def _odd(content: bytes, ending: str = "png"):
    return lambda path, _: pack(path, photos(content, ending))


ODD = "bee/odd"
for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
    whole = encoded(kind, "RGB", (1, 2, 3), (32, 32))
    for share in (0.1, 0.5, 0.9):
        PICTURES.add(f"{kind} cut at {share:.0%}.zip", _odd(whole[: int(len(whole) * share)], kind.lower()), ODD)

for title, content, words in (
    ("PNG of ten gigapixels", png(100_000, 100_000), ("pictures of at most", ODD)),
    ("PNG of more than there are numbers", png(2**31 - 1, 2**31 - 1), (ODD,)),
    ("PNG just over the limit", png(10_000, 9_000), ("pictures of at most", ODD)),
    ("PNG of no size", png(0, 0), (ODD,)),
    ("PNG with less than its pixels", png(600, 600, bytes(10)), (ODD,)),
    ("PNG with a text that unpacks to gigabytes", noted(b"zTXt", b"x\0\0" + zlib.compress(bytes(80 * 2**20))), (ODD,)),
    ("GIF of four gigapixels", gif(65535, 65535), ("pictures of at most", ODD)),
    ("TIFF of ten gigapixels", tiff(100_000, 100_000), ("pictures of at most", ODD)),
    ("floating-point TIFF", encoded("TIFF", "F", 0.5), ("mode F",)),
    ("32-bit TIFF", encoded("TIFF", "I", 70_000), ("mode I",)),
    ("a program in PostScript", encoded("EPS", "L"), ("picture files only", "which is none", ODD)),
    ("text", b"[bold]no picture[/bold]", (ODD,)),
    ("nothing", b"", (ODD,)),
    ("a picture of another size", encoded(size=(9, 3)), ("pictures of one size",)),
    ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", (ODD,)),
    ("PDF", encoded("PDF", "L"), (ODD,)),
    ("icon", encoded("ICO", "RGBA", (1, 2, 3, 4), (32, 32)), (ODD,)),
):
    PICTURES.add(f"{title}.zip", _odd(content), *words)

for title, name, word in (
    ("climbs out", "../../evil/1.png", "paths that stay inside"),
    ("begins at the root", "/etc/bee/1.png", "paths that stay inside"),
    ("climbs out on Windows", "..\\..\\evil\\1.png", "paths that stay inside"),
    ("steers a terminal", "\x1b[2Jant/1.png", "none of which steers a terminal"),
    ("is written backwards", "a\u202etna/1.png", "none of which steers a terminal"),
    ("is very long", "a" * 300 + "/1.png", "at most 200 characters"),
):
    files = [(name.replace("1.png", f"{i}.png"), encoded()) for i in range(3)]
    PICTURES.add(
        f"zip whose name {title}.zip",
        lambda path, _, files=files: pack(path, [*photos(encoded()), *files]),
        word,
    )


DEEP = [(f"{'a/' * 5000}ant/{i}.png", encoded()) for i in range(3)]
PICTURES.add("one class below thousands of folders.zip", lambda path, _: pack(path, DEEP), "3 pictures in 1 class")


@PICTURES.case("at most 200,000 files", slow=True)
def very_many_files__zip(path, canary):
    pack(path, ((f"ant/.{i}", b"") for i in range(200_001)), zipfile.ZIP_STORED)


@PICTURES.case("at most 200,000 files", "64 MiB each")
def one_endless_file__zip(path, canary):
    pack(path, [("ant/1.png", bytes(65 * 2**20))])


def _packed(files, change):
    """A zip archive whose bytes are changed afterwards."""

    def make(path, canary):
        pack(path, files)
        content = bytearray(path.read_bytes())
        path.write_bytes(change(content) or content)

    return make


def _locked(content: bytearray) -> None:
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + at] |= 1


def _damaged(content: bytearray) -> None:
    content[content.index(b"PK\x01\x02") - 200] ^= 1


LIE = struct.pack("<I", 100_000), struct.pack("<I", 10)
# Among pictures of two classes, since nothing is unpacked where there are fewer.
LYING = photos(bytes(100_000))
for title, make, word in (
    ("sizes that lie", _packed(LYING, lambda content: content.replace(*LIE)), NO_ARCHIVE),
    ("damaged", _packed(photos(os.urandom(1000)), _damaged), NO_ARCHIVE),
    ("locked", _packed(photos(encoded()), _locked), NO_ARCHIVE),
    ("nothing at all", b"", "Expected"),
):
    PICTURES.add(f"{title}.zip", make, word)


@PICTURES.case(NO_ARCHIVE)
def list_of_entries_without_end__zip(path, canary):
    pack(path, photos(encoded()))
    content = path.read_bytes()
    endless(path, content[: content.index(b"PK\x01\x02")])


def _tar(path: Path, *members, mode="w") -> None:
    with tarfile.open(path, mode) as archive:
        for name, kind, link, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, len(content)
            archive.addfile(info, io.BytesIO(content))


FILE, NO_PICTURES = tarfile.REGTYPE, "no pictures inside"
for title, member, word in (
    ("with a link to a file of the system", ("ant/passwd.png", tarfile.SYMTYPE, "/etc/passwd", b""), NO_PICTURES),
    ("with a hard link", ("ant/passwd.png", tarfile.LNKTYPE, "/etc/passwd", b""), NO_PICTURES),
    ("with a device", ("ant/zero.png", tarfile.CHRTYPE, "", b""), NO_PICTURES),
    ("with a pipe", ("ant/pipe.png", tarfile.FIFOTYPE, "", b""), NO_PICTURES),
    ("that climbs out", ("../../evil/1.png", FILE, "", encoded()), "paths that stay inside"),
):
    PICTURES.add(f"tar {title}.tar", lambda path, _, member=member: _tar(path, member), word)


# A member whose heading, and not its content, is the bomb.
def _long_heading(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("heading")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


for title, kind in (("pax notes", tarfile.XHDTYPE), ("a name", tarfile.GNUTYPE_LONGNAME)):
    for ending, compress in (("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)):
        bomb = compress(_long_heading(kind, 8 * 2**20) + bytes(8 * 2**20))
        PICTURES.add(f"tar with {title} of eight megabytes.tar.{ending}", bomb, "a heading of more than")


@PICTURES.case(NO_ARCHIVE)
def cut__tar_xz(path, canary):
    _tar(path, *((f"ant/{i}.png", FILE, "", os.urandom(1600)) for i in range(5)), mode="w:xz")
    path.write_bytes(path.read_bytes()[:6000])


@PICTURES.case(NO_ARCHIVE)
def member_of_fewer_than_no_bytes__tar(path, canary):
    info = tarfile.TarInfo("ant/1.png")
    heading = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    heading[124:136] = b"\xff" * 12
    heading[148:156] = b"        "
    heading[148:156] = b"%06o\0 " % sum(heading)
    path.write_bytes(heading + encoded() + bytes(10240))


for title, place, word in (
    ("a link out", lambda path: path.symlink_to("/etc/passwd"), "a link that leaves it"),
    ("a pipe", os.mkfifo, "a device or pipe"),
):
    PICTURES.add(
        f"folder with {title}",
        lambda path, _, place=place: ((path / "ant").mkdir(parents=True), place(path / "ant" / "1.png")),
        word,
    )
