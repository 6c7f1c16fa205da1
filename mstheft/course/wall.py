"""The wall around a stranger's file: Linux namespaces and a filter of system calls, by bubblewrap.

Behind it there are Python, NumPy, the one file and 16 MB of scratch memory: no home, no solution,
no other submission, no network, no other process. What stores data outside the limit of memory, or
starts a process, is refused by the kernel, and all that runs there is killed as one.
"""

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from mstheft.errors import MstheftError

SCRATCH = 16 * 2**20  # bytes
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
FILES = Path("/course")  # where the files lie behind the wall
# System calls that make processes, threads or memory that no limit counts, or reach outside.
REFUSED = (
    *("clone", "clone3", "fork", "vfork", "execveat", "ptrace", "process_vm_readv"),
    *("process_vm_writev", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "memfd_create"),
    *("memfd_secret", "shmget", "shmat", "msgget", "semget", "mq_open", "socket", "socketpair"),
    *("io_uring_setup", "mount", "umount2", "unshare", "setns", "pivot_root", "bpf"),
    *("perf_event_open", "userfaultfd", "add_key", "request_key", "keyctl", "fanotify_init"),
    *("inotify_init", "inotify_init1"),
)
BLAS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
ONE_THREAD = dict.fromkeys(BLAS, "1")


class NoWall(MstheftError):
    """Nothing on this machine contains a stranger's file."""


def start(
    command: Sequence[str], files: Sequence[Path], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Run the command where it sees Python and `files`, these under `FILES`; its pipes are ours.

    command : its words; one that is the path of a file of `files` becomes its path behind the wall
    Raises `NoWall` if bubblewrap or the filter is not there, or does not run on this machine.
    """
    inside = {str(file): str(FILES / file.name) for file in files}
    words = [inside.get(word, word) for word in command]
    with _filter() as program:
        return subprocess.Popen(
            [_bubblewrap(), *_walls(inside, environment, program.fileno()), "--", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            start_new_session=True,
            pass_fds=[program.fileno()],
        )


@functools.cache
def check() -> None:
    """Raise `NoWall`, with the reason, unless Python starts behind a wall on this machine."""
    trial = start([sys.executable, "-c", "import numpy; print('up')"], [], ONE_THREAD)
    said, complaint = trial.communicate()
    if said.strip() != b"up":
        why = complaint.decode(errors="replace").strip().splitlines()
        raise NoWall(f"bubblewrap does not run here ({why[-1] if why else 'no output'})")


def _bubblewrap() -> str:
    path = shutil.which("bwrap")
    if path is None:
        raise NoWall("bubblewrap is not there (Debian: apt install bubblewrap)")
    return path


def _filter() -> IO[bytes]:
    """The refused system calls as a program for the kernel, in an open file."""
    try:
        import pyseccomp as seccomp
    except (ImportError, OSError, RuntimeError):  # the last two without the library libseccomp
        raise NoWall("its filter is not there (pip install 'mstheft[course]', on Linux)") from None
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in REFUSED:
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # else this machine has none
            rules.add_rule(seccomp.ERRNO(1), name)
    program = tempfile.TemporaryFile()  # noqa: SIM115 : whoever starts the process closes it
    rules.export_bpf(program)
    program.seek(0)
    return program


def _walls(inside: Mapping[str, str], environment: Mapping[str, str], program: int) -> list[str]:
    """The options of bubblewrap."""
    walls = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    walls += ["--seccomp", str(program), "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"]
    walls += ["--dev", "/dev", "--size", str(SCRATCH), "--tmpfs", "/tmp"]
    for place in _python():  # after /tmp: they may lie in it
        walls += ["--ro-bind-try", place, place]
    for place in _hidden():
        walls += ["--tmpfs", place]
    for outside, place in inside.items():
        walls += ["--ro-bind", outside, place]
    walls += ["--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/", "--clearenv"]
    for name, value in environment.items():
        walls += ["--setenv", name, value]
    return walls


def _python() -> Iterator[str]:
    """The system's folders, and those of this Python and of NumPy."""
    yield from SYSTEM
    own = {sys.base_prefix, sys.prefix, str(Path(np.__file__).parents[1])}
    own |= {os.path.dirname(os.path.realpath(sys.executable))}
    for place in sorted(own):
        if not place.startswith(("/usr/", "/bin/")) and place not in ("/", "/usr", "/bin"):
            yield place


def _hidden() -> Iterator[str]:
    """This package, if it lies among what is seen behind the wall."""
    package = str(Path(__file__).parents[1])
    if any(package.startswith(place.rstrip("/") + "/") for place in _python()):
        yield package
