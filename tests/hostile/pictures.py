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

import numpy as np
from PIL import Image

from tests.hostile.case import PICTURES

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


ODD = "bee/odd"
WHOLE = {kind: encoded(kind, "RGB", (1, 2, 3), (32, 32)) for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")}
for kind, content in WHOLE.items():
    for share in (0.1, 0.5, 0.9):
        PICTURES.add(
            f"{kind} cut at {share:.0%}.zip",
            lambda path, canary, c=content, s=share, k=kind: pack(path, photos(c[: int(len(c) * s)], k.lower())),
            ODD,
        )

for title, content, words in (
    ("PNG of ten gigapixels", png(100_000, 100_000), ("pictures of at most", ODD)),
    ("PNG of more than there are numbers", png(2**31 - 1, 2**31 - 1), (ODD,)),
    ("PNG just over the limit", png(10_000, 9_000), ("pictures of at most", ODD)),
    ("PNG of no size", png(0, 0), (ODD,)),
    ("PNG with less than its pixels", png(600, 600, bytes(10)), (ODD,)),
    (
        "PNG with a text that unpacks to gigabytes",
        encoded()[:33] + chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(80 * 2**20))) + encoded()[33:],
        (ODD,),
    ),
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
    PICTURES.add(f"{title}.zip", lambda path, canary, c=content: pack(path, photos(c)), *words)

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
        lambda path, canary, files=files: pack(path, [*photos(encoded()), *files]),
        word,
    )


@PICTURES.case("3 pictures in 1 class")
def one_class_below_thousands_of_folders__zip(path, canary):
    pack(path, [(f"{'a/' * 5000}ant/{i}.png", encoded()) for i in range(3)])


@PICTURES.case("at most 200,000 files", slow=True)
def very_many_files__zip(path, canary):
    pack(path, ((f"ant/.{i}", b"") for i in range(200_001)), zipfile.ZIP_STORED)


@PICTURES.case("at most 200,000 files", "64 MiB each")
def one_endless_file__zip(path, canary):
    pack(path, [("ant/1.png", bytes(65 * 2**20))])


@PICTURES.case("does not read as one")
def sizes_that_lie__zip(path, canary):
    pack(path, [("ant/1.png", bytes(100_000))])
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 100_000), struct.pack("<I", 10)))


@PICTURES.case("does not read as one")
def list_of_entries_without_end__zip(path, canary):
    pack(path, photos(encoded()))
    content, size = path.read_bytes(), 40 * 2**20
    start = content.index(b"PK\x01\x02")
    with path.open("wb") as file:
        file.write(content[:start])
        file.truncate(start + size)
        file.seek(0, io.SEEK_END)
        file.write(struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, size, start, 0))


@PICTURES.case("does not read as one")
def damaged__zip(path, canary):
    pack(path, photos(os.urandom(1000)))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") - 200] ^= 1
    path.write_bytes(content)


@PICTURES.case("does not read as one")
def locked__zip(path, canary):
    pack(path, photos(encoded()))
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(mark) + at] |= 1
    path.write_bytes(content)


@PICTURES.case("Expected")
def nothing_at_all__zip(path, canary):
    path.write_bytes(b"")


def _tar(path: Path, *members, mode="w") -> None:
    with tarfile.open(path, mode) as archive:
        for name, kind, link, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, link, len(content)
            archive.addfile(info, io.BytesIO(content))


FILE = tarfile.REGTYPE
for title, member in (
    ("a link to a file of the system", ("ant/passwd.png", tarfile.SYMTYPE, "/etc/passwd", b"")),
    ("a hard link", ("ant/passwd.png", tarfile.LNKTYPE, "/etc/passwd", b"")),
    ("a device", ("ant/zero.png", tarfile.CHRTYPE, "", b"")),
    ("a pipe", ("ant/pipe.png", tarfile.FIFOTYPE, "", b"")),
):
    PICTURES.add(f"tar with {title}.tar", lambda path, canary, member=member: _tar(path, member), "no pictures inside")


@PICTURES.case("paths that stay inside")
def tar_that_climbs_out__tar(path, canary):
    _tar(path, ("../../evil/1.png", FILE, "", encoded()))


# A member whose heading, and not its content, is the bomb.
def _long_heading(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("heading")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


for title, kind in (("pax notes", tarfile.XHDTYPE), ("a name", tarfile.GNUTYPE_LONGNAME)):
    for ending, compress in (("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)):
        PICTURES.add(
            f"tar with {title} of eight megabytes.tar.{ending}",
            lambda path, canary, kind=kind, compress=compress: path.write_bytes(
                compress(_long_heading(kind, 8 * 2**20) + bytes(8 * 2**20))
            ),
            "a heading of more than",
        )


@PICTURES.case("does not read as one")
def cut__tar_xz(path, canary):
    noise = np.random.default_rng(0).integers(0, 255, (5, 40, 40), dtype=np.uint8)
    files = [io.BytesIO() for _ in noise]
    for image, file in zip(noise, files, strict=True):
        Image.fromarray(image).save(file, "PNG")
    _tar(path, *((f"ant/{i}.png", FILE, "", file.getvalue()) for i, file in enumerate(files)), mode="w:xz")
    path.write_bytes(path.read_bytes()[:6000])


@PICTURES.case("does not read as one")
def member_of_fewer_than_no_bytes__tar(path, canary):
    info = tarfile.TarInfo("ant/1.png")
    heading = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    heading[124:136] = b"\xff" * 12
    heading[148:156] = b"        "
    heading[148:156] = b"%06o\0 " % sum(heading)
    path.write_bytes(heading + encoded() + bytes(10240))


@PICTURES.case("a link that leaves it")
def folder_with_a_link_out__(path, canary):
    (path / "ant").mkdir(parents=True)
    (path / "ant" / "1.png").symlink_to("/etc/passwd")


@PICTURES.case("a device or pipe")
def folder_with_a_pipe__(path, canary):
    (path / "ant").mkdir(parents=True)
    os.mkfifo(path / "ant" / "1.png")
