"""What the reader's process can no longer do, each tried for real in a process that was confined."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from aegis.models.intake.confine import confine

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="other systems have other doors")

# By what forbids it; with "allowed", what must go on.
ATTEMPTS = {
    "files": {
        "write elsewhere": "open(elsewhere + '/x', 'w')",
        "append elsewhere": "open(victim, 'a')",
        "empty a file elsewhere": "os.truncate(victim, 0)",
        "remove a file elsewhere": "os.unlink(victim)",
        "make a link": "os.symlink('/etc/passwd', scratch + '/link')",
        "make a pipe": "os.mkfifo(scratch + '/pipe')",
        "make a folder": "os.mkdir(scratch + '/folder')",
        "take the place of a file": "os.rename(scratch + '/file', victim)",
    },
    "calls": {
        "the network": "socket.create_connection(('127.0.0.1', 9))",
        "a local socket": "socket.socket(socket.AF_UNIX)",
        "a shell": "subprocess.run('true', shell=True)",
        "another process": "os.fork() or os._exit(0)",
        "another program": "os.execv('/bin/true', ['true'])",
        "ending its parent": "os.kill(os.getppid(), 0)",
        "ending it in another way": "call(129, os.getppid(), 0, signal_info)",
        "ending it by its handle": "call(424, 0, 9, 0, 0)",
        "rights": "os.chmod(victim, 0o777)",
        "a hard link": "os.link(scratch + '/file', scratch + '/other')",
    },
    "allowed": {
        "write here": "open(scratch + '/file', 'w').write('x')",
        "read": "open(victim).read()",
        "a thread": "threading.Thread(target=print, args=('',), kwargs={'end': ''}).start()",
    },
}
PROGRAM = """
import ctypes, json, os, socket, subprocess, sys, threading
from pathlib import Path
from aegis.models.intake.confine import confine

libc, signal_info = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(128)

def call(*numbers):
    if libc.syscall(*numbers) and ctypes.get_errno() == 1:
        raise PermissionError

groups, scratch, elsewhere, victim = json.loads(sys.argv[1]), *sys.argv[2:]
refused, held = [], confine(Path(scratch))
for name, code in [one for part in (*held, "allowed") for one in groups[part].items()]:
    try:
        exec(code)
    except PermissionError:
        refused.append(name)
    except OSError:
        pass
print(json.dumps([held, refused]))
"""


def test_what_it_gave_up_and_what_it_needs(tmp_path):
    scratch, elsewhere = tmp_path / "scratch", tmp_path / "elsewhere"
    for folder in (scratch, elsewhere):
        folder.mkdir()
    (scratch / "file").write_text("mine")
    victim = elsewhere / "victim"
    victim.write_text("yours")
    command = [sys.executable, "-c", PROGRAM, json.dumps(ATTEMPTS), str(scratch), str(elsewhere), str(victim)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    held, refused = json.loads(done.stdout)
    assert refused == [name for part in held for name in ATTEMPTS[part]]
    assert victim.read_text() == "yours"
    if len(held) < 2:
        pytest.skip(f"this kernel can hold no more than {held}")


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
