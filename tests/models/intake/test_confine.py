"""What the reader's process can no longer do, each tried for real in a process that was confined."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from aegis.models.intake.confine import confine

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="other systems have other doors")

ATTEMPTS = {
    "files": {
        "write elsewhere": "open(elsewhere, 'w')",
        "append elsewhere": "open(elsewhere + '/../victim', 'a')",
        "empty a file elsewhere": "os.truncate(elsewhere + '/../victim', 0)",
        "remove a file elsewhere": "os.unlink(elsewhere + '/../victim')",
        "make a link": "os.symlink('/etc/passwd', scratch + '/link')",
        "make a pipe": "os.mkfifo(scratch + '/pipe')",
        "make a folder": "os.mkdir(scratch + '/folder')",
        "take the place of a file": "os.rename(scratch + '/file', elsewhere + '/../victim')",
    },
    "calls": {
        "the network": "socket.create_connection(('127.0.0.1', 9))",
        "a local socket": "socket.socket(socket.AF_UNIX)",
        "a shell": "subprocess.run('true', shell=True)",
        "another process": "os.fork()",
        "another program": "os.execv('/bin/true', ['true'])",
        "ending its parent": "os.kill(os.getppid(), 0)",
        "ending it in another way": "call(129, os.getppid(), 0, signal_info)",
        "ending it by its handle": "call(424, 0, 9, 0, 0)",
        "rights": "os.chmod(elsewhere + '/../victim', 0o777)",
        "a hard link": "os.link(scratch + '/file', scratch + '/other')",
    },
}
ALLOWED = {
    "write here": "open(scratch + '/file', 'w').write('x')",
    "read": "open(elsewhere + '/../victim').read()",
    "a thread": "threading.Thread(target=print).start()",
}


def attempt(tmp_path, code):
    """What a confined process says of an attempt."""
    scratch, elsewhere = tmp_path / "scratch", tmp_path / "elsewhere" / "file"
    for folder in (scratch, elsewhere.parent):
        folder.mkdir()
    (scratch / "file").write_text("mine")
    (elsewhere.parent / "victim").write_text("yours")
    elsewhere.mkdir()
    program = (
        "import ctypes, os, socket, subprocess, sys, threading\nfrom pathlib import Path\n"
        "libc, signal_info = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(128)\n"
        "def call(*numbers):\n"
        "    if libc.syscall(*numbers) and ctypes.get_errno() == 1:\n        raise PermissionError\n"
        "from aegis.models.intake.confine import confine\n"
        "scratch, elsewhere = sys.argv[1:]\nheld = confine(Path(scratch))\n"
        f"try:\n    {code}\nexcept PermissionError:\n    print(*held, 'refused')\nelse:\n    print(*held, 'done')"
    )
    command = [sys.executable, "-c", program, str(scratch), str(elsewhere)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (elsewhere.parent / "victim").read_text() == "yours"
    return done.stdout.split(), done.stderr


@pytest.mark.parametrize(
    ("part", "code"),
    [(part, code) for part, attempts in ATTEMPTS.items() for code in attempts.values()],
    ids=[name for attempts in ATTEMPTS.values() for name in attempts],
)
def test_what_it_gave_up(tmp_path, part, code):
    code = code.replace("elsewhere, 'w'", "elsewhere + '/x', 'w'")
    said, error = attempt(tmp_path, code)
    if part not in said[:-1]:
        pytest.skip(f"this kernel cannot hold {part}")
    assert said[-1] == "refused", error


@pytest.mark.parametrize("code", ALLOWED.values(), ids=ALLOWED)
def test_what_it_needs(tmp_path, code):
    assert attempt(tmp_path, code)[0][-1] == "done"


def test_limits_cannot_be_taken_back(tmp_path):
    program = (
        "import resource\nfrom aegis.models.intake.confine import limit_resources\nlimit_resources(2**30, 20, 1000)\n"
        "names = ('CORE', 'CPU', 'FSIZE', 'NOFILE', 'DATA')\n"
        "print([resource.getrlimit(getattr(resource, f'RLIMIT_{name}')) for name in names])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([(0, 0), (20, 21), (1000, 1000), (256, 256), (2**30, 2**30)])


def test_elsewhere_nothing_is_held(monkeypatch, tmp_path):
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert confine(tmp_path) == ()
