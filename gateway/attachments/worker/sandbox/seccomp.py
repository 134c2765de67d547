"""A filter of system calls: no network, programs, processes or changed files, on x86-64 and 64-bit ARM.

What reading and computing need stays allowed, so that a new version of a library does not break: the list says what is
refused. A refused call fails with "not permitted". See seccomp(2), <linux/seccomp.h>, <linux/bpf_common.h>.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

from gateway.attachments.worker.sandbox.system_calls import prctl

_NO_NEW_PRIVS, _SECCOMP, _FILTER = (
    38,
    22,
    2,
)  # options of prctl(2), which services may call that may not call seccomp(2)
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000  # the other way to call the same, on x86-64
_THREAD = 0x00010000  # CLONE_THREAD
_WRITES = 0o3 | 0o100 | 0o1000 | 0o20000000  # O_ACCMODE, O_CREAT, O_TRUNC, O_TMPFILE
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # audit's mark, column of the table

# Numbers on x86-64 and on ARM; -1: there is none.
_REFUSED: dict[str, tuple[int, int]] = {
    # Network
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "recvfrom": (45, 207), "recvmsg": (47, 212), "recvmmsg": (299, 243),
    # Programs and processes, one's own and others'
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, -1), "vfork": (58, -1),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "setpriority": (141, 140),
    # Changes of files
    "creat": (85, -1), "openat2": (437, 437), "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47),
    "unlink": (87, -1), "unlinkat": (263, 35), "rmdir": (84, -1), "mkdir": (83, -1), "mkdirat": (258, 34),
    "rename": (82, -1), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, -1), "linkat": (265, 37),
    "symlink": (88, -1), "symlinkat": (266, 36), "mknod": (133, -1), "mknodat": (259, 33),
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, -1), "lchown": (94, -1), "fchown": (93, 55), "fchownat": (260, 54),
    "utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    # Shared memory, which no limit counts, and messages to other processes
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    # Parts of the kernel that reading needs least and exploits like most
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "add_key": (248, 217), "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "personality": (135, 92),
    "fanotify_init": (300, 262), "vmsplice": (278, 75), "modify_ldt": (154, -1), "iopl": (172, -1), "ioperm": (173, -1),
}  # fmt: skip
_OPEN, _OPENAT = (2, -1), (257, 56)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_TGKILL, _PRLIMIT = (234, 131), (302, 261)


def restrict() -> bool:
    """Install the filter for this thread and those that it starts. Say whether the kernel took it."""
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None or struct.calcsize("P") != 8:
        return False
    mark, column = machine
    code = b"".join(_program(mark, column, os.getpid()))
    instructions = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions)))
    try:
        prctl(_NO_NEW_PRIVS, 1)
        prctl(_SECCOMP, _FILTER, ctypes.addressof(program))
    except OSError:  # not in this kernel, or a container's own filter refuses
        return False
    return True


def _program(mark: int, column: int, pid: int) -> list[bytes]:
    """Return the filter's instructions. Each rule ends itself, so that no jump is far."""
    fail, no_such_call = _FAIL | errno.EPERM, _FAIL | errno.ENOSYS
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_EQUAL, mark, 1, 0),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER),
    ]
    if column == 0:
        lines += [_line(_AT_LEAST, _X32, 0, 1), _line(_RETURN, _KILL)]
    for numbers in _REFUSED.values():
        lines += _rule(numbers[column], [_line(_RETURN, fail)])
    # Threads are wanted, processes are not; clone3 keeps its flags where no filter can look, and libc does without it.
    lines += _rule(_CLONE3[column], [_line(_RETURN, no_such_call)])
    lines += _rule(_CLONE[column], _if_bits(0, _THREAD, _ALLOW, fail))
    lines += _rule(_OPEN[column], _if_bits(1, _WRITES, fail, _ALLOW))
    lines += _rule(_OPENAT[column], _if_bits(2, _WRITES, fail, _ALLOW))
    lines += _rule(_TGKILL[column], _if_equal(0, (pid,), fail))  # abort() sends itself a signal
    lines += _rule(_PRLIMIT[column], _if_equal(0, (0, pid), fail))
    return [*lines, _line(_RETURN, _ALLOW)]


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _rule(number: int, then: list[bytes]) -> list[bytes]:
    """Return instructions for one system call; those of others go on behind them."""
    return [_line(_EQUAL, number, 0, len(then)), *then] if number >= 0 else []


def _argument(index: int) -> bytes:
    return _line(_LOAD, _FIRST_ARGUMENT + 8 * index)  # its lower half: both machines are little-endian


def _if_bits(index: int, bits: int, then: int, otherwise: int) -> list[bytes]:
    return [_argument(index), _line(_ANY_BIT, bits, 0, 1), _line(_RETURN, then), _line(_RETURN, otherwise)]


def _if_equal(index: int, values: tuple[int, ...], otherwise: int) -> list[bytes]:
    tests = [line for value in values for line in (_line(_EQUAL, value, 0, 1), _line(_RETURN, _ALLOW))]
    return [_argument(index), *tests, _line(_RETURN, otherwise)]
