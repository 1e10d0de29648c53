"""The system calls that a program may make, as a BPF program for bubblewrap.

An allow-list: what is not named fails with EPERM, which Python turns into a PermissionError that the program's author can read. Killing
would say nothing and would make every library probe fatal. Only calls through another ABI (32-bit, x32), which nothing honest makes
and whose numbers mean other calls, kill the process at once.
"""

from __future__ import annotations

import errno
import os
from functools import cache
from typing import Any

READING = """
    read readv pread64 lseek stat lstat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd
    open openat close close_range dup dup2 dup3 fcntl poll ppoll select pselect6 statfs fstatfs
"""
"""Files: all read-only but for the private /tmp."""
WRITING = """
    write writev pwrite64 mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat truncate ftruncate
    fallocate chmod fchmod fchmodat utimensat fsync fdatasync sendfile copy_file_range chdir fchdir umask flock
"""
"""What only does something in the private /tmp, whose size is limited, and on the program's own outputs."""
ITSELF = """
    brk mmap munmap mremap mprotect madvise rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall exit exit_group
    execve arch_prctl set_tid_address set_robust_list rseq futex getpid getppid gettid getuid geteuid getgid getegid getgroups uname
    sysinfo sched_getaffinity sched_yield getrandom getrusage times time gettimeofday clock_gettime clock_getres clock_nanosleep
    nanosleep alarm getitimer setitimer pause
"""
"""Own memory, signals to itself by clock, time, what the C library asks at its start. `execve` starts the interpreter and may replace
it by another program of /usr under the same rules."""
STARTING = (
    "fork vfork wait4 waitid kill tgkill pipe pipe2 setpgid getpgid getpgrp setsid getsid epoll_create1 epoll_ctl epoll_wait eventfd2"
)
"""Added where more than one process is allowed; `clone` without any flag that makes a namespace comes with them."""
NEVER = {
    "ptrace": "reads and steers other processes",
    "process_vm_readv": "reads other processes",
    "process_vm_writev": "writes into other processes",
    "pidfd_getfd": "takes descriptors of other processes",
    "kcmp": "compares the inside of processes",
    "unshare": "a namespace of its own gives it capabilities there, and most kernel holes start so",
    "setns": "enters other namespaces",
    "clone3": "its flags lie in memory, where no filter can check them",
    "mount": "changes what the file system shows",
    "umount2": "uncovers what a mount hides",
    "pivot_root": "changes the root",
    "chroot": "changes the root",
    "open_by_handle_at": "opens files by number, past every path",
    "socket": "network, and the many protocols of the kernel behind it",
    "socketpair": "the same code of the kernel",
    "keyctl": "keys are not in any namespace",
    "add_key": "keys are not in any namespace",
    "request_key": "keys are not in any namespace, and it starts a helper on the host",
    "bpf": "code in the kernel",
    "perf_event_open": "watches the machine; a frequent source of holes",
    "io_uring_setup": "makes system calls that no filter sees",
    "io_uring_enter": "makes system calls that no filter sees",
    "userfaultfd": "holds the kernel at a page fault, the usual tool for winning races in it",
    "memfd_create": "memory beside the limit of the address space, and files that can be run",
    "execveat": "runs a file that has no path",
    "shmget": "memory that outlives its process and is beside the limit",
    "msgget": "queues that outlive their process",
    "mq_open": "queues that outlive their process",
    "personality": "turns off address randomisation",
    "prctl": "changes how the process is dumped, traced and filtered",
    "seccomp": "could hand its own calls to another process",
    "setrlimit": "limits may be read, not set",
    "setpriority": "takes time from others",
    "sched_setscheduler": "takes time from others",
    "mlock": "pins memory",
    "init_module": "code in the kernel",
    "finit_module": "code in the kernel",
    "kexec_load": "another kernel",
    "kexec_file_load": "another kernel",
    "reboot": "the machine",
    "swapon": "the machine",
    "swapoff": "the machine",
    "settimeofday": "the machine",
    "clock_settime": "the machine",
    "sethostname": "the machine",
    "syslog": "the kernel's messages",
    "acct": "writes to a file of the host",
    "quotactl": "the host's disks",
    "iopl": "hardware",
    "ioperm": "hardware",
    "mknod": "devices",
    "fanotify_init": "watches files of others",
    "inotify_init1": "watches files of others",
    "vmsplice": "a known way into pages of others",
    "splice": "a known way into pages of others",
    "setuid": "other users",
    "setgid": "other users",
    "setgroups": "other users",
    "capset": "capabilities",
}
"""What the list must never hold, and why. They fail like anything else that is not named; a test tries them one by one."""
_TERMINAL_REQUESTS = (0x5401, 0x5451, 0x5450)  # TCGETS, FIOCLEX, FIONCLEX: asking and close-on-exec, nothing that acts on a terminal
_NAMESPACES = 0x7E020080  # CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID, -NET, -TIME


def missing() -> str:
    """Why no filter can be built here; empty when one can."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:  # it raises RuntimeError without the system's library
        return f"pyseccomp does not load: {error}"
    return ""


@cache
def program(*, starting: bool) -> bytes:
    """The filter, compiled. `starting`: processes and threads may be started (their number is limited elsewhere)."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    for name in f"{READING} {WRITING} {ITSELF} {STARTING if starting else ''}".split():
        _allow(rules, name)
    # Limits may be read, not set; a terminal may be asked for, not driven.
    _allow(rules, "prlimit64", pyseccomp.Arg(2, pyseccomp.EQ, 0))
    for request in _TERMINAL_REQUESTS:
        _allow(rules, "ioctl", pyseccomp.Arg(1, pyseccomp.EQ, request))
    if starting:
        _allow(rules, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _NAMESPACES, 0))
        rules.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")  # the C library then takes clone
        # One limit is set inside, where only the sandbox's processes are counted: 6 is RLIMIT_NPROC.
        _allow(rules, "prlimit64", pyseccomp.Arg(1, pyseccomp.EQ, 6))
    return _exported(rules)


def _allow(rules: Any, name: str, *conditions: Any) -> None:
    """Allow a call, where this architecture has it (aarch64 has no `open`)."""
    import pyseccomp

    try:
        number = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
    except (OSError, ValueError):
        return
    if number >= 0:
        rules.add_rule(pyseccomp.ALLOW, name, *conditions)


def _exported(rules: Any) -> bytes:
    descriptor = os.memfd_create("filter")
    try:
        rules.export_bpf(os.fdopen(descriptor, "wb", closefd=False))
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)
