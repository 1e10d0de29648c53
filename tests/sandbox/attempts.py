"""What programs try. `@NAME@` stands for something of the host (see `Outside.fill`); printing `GOT` claims a success."""

C = "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n"
EACH = "for path in {paths!r}:\n    try:\n        {attempt}\n        print('GOT', path)\n    except OSError:\n        pass"

FILES = {
    "read a file of the host": "print('GOT', open('@FILE@').read())",
    "read it by a relative path": "print('GOT', open('../' * 20 + '@FILE@'.lstrip('/')).read())",
    "read it through proc": EACH.format(
        paths=[f"/proc/{which}/{link}@FILE@" for which in ("self", "1", "@PARENT@") for link in ("root", "cwd")],
        attempt="print(open(path).read())",
    ),
    "read it through a symbolic link": "import os\nos.symlink('@FILE@', '/tmp/link')\nprint('GOT', open('/tmp/link').read())",
    "read it through a hard link": "import os\nos.link('@FILE@', '/tmp/link')\nprint('GOT', open('/tmp/link').read())",
    "read it through a link to the root": "import os\nos.symlink('/proc/1/root', '/tmp/up')\nprint('GOT', open('/tmp/up@FILE@').read())",
    "read it by pathlib": "from pathlib import Path\nprint('GOT', Path('@FILE@').read_text())",
    "read the accounts": EACH.format(paths=["/etc/passwd", "/etc/shadow", "/etc/hostname"], attempt="open(path).read()"),
    "read homes and the system": (
        "import os\nfor path in ('/home', '/root', '/etc', '/var', '/proc', '/sys', '/dev', '/run', '/boot', '/mnt', '@FOLDER@'):\n"
        "    try:\n        found = os.listdir(path)\n    except OSError:\n        continue\n"
        "    if [name for name in found if not name.startswith('.pyenv')]:\n        print('GOT', path, found)"
    ),
    "read devices": EACH.format(
        paths=["/dev/mem", "/dev/kmem", "/dev/sda", "/dev/vda", "/dev/tty", "/dev/pts/0"], attempt="open(path, 'rb')"
    ),
    "write a file of the host": "open('@WRITTEN@', 'w').write('x')\nprint('GOT')",
    "overwrite a file of the host": "open('@FILE@', 'w').write('x')\nprint('GOT')",
    "write everywhere": EACH.format(
        paths=[f"{place}/@NAME@" for place in ("", "/usr", "/usr/lib", "/bin", "/var/tmp", "/dev/shm")],
        attempt="open(path, 'w').write('x')",
    ),
    "remove a file of the host": "import os\nos.remove('@FILE@')\nprint('GOT')",
    "remove a folder of the host": "import shutil\nshutil.rmtree('@FOLDER@')\nprint('GOT')",
    "move over a file of the host": "import os\nopen('/tmp/mine', 'w').write('x')\nos.rename('/tmp/mine', '@FILE@')\nprint('GOT')",
    "change a mode": "import os\nos.chmod('@FILE@', 0o777)\nprint('GOT')",
    "change the mode of usr": "import os\nos.chmod('/usr', 0o777)\nprint('GOT')",
    "poison the interpreter": "import os, sys\nopen(os.path.dirname(os.__file__) + '/@NAME@.py', 'w').write('x')\nprint('GOT')",
    "make a device": "import os\nos.mknod('/tmp/disk', 0o60666, os.makedev(254, 0))\nprint('GOT')",
    "mount": C + "print('GOT' if c.mount(b'none', b'/usr', None, 32 | 4096, None) == 0 else ctypes.get_errno())",
    "unmount": C + "print('GOT' if c.umount2(b'/usr', 2) == 0 else ctypes.get_errno())",
    "change the root": "import os\nos.chroot('/tmp')\nprint('GOT')",
    "open by handle": C + "print('GOT' if c.syscall(304, -100, b'\\0' * 200, 0) >= 0 else ctypes.get_errno())",
}
NETWORK = {
    "connect to the host": "import socket\nsocket.create_connection(('127.0.0.1', @PORT@), 2).send(b'x')\nprint('GOT')",
    "connect over IPv6": "import socket\nsocket.create_connection(('::1', @PORT@), 2)\nprint('GOT')",
    "send a datagram": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @UDP@))\nprint('GOT')",
    "fetch a page": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:@PORT@/', timeout=2)\nprint('GOT')",
    "a socket in the file system": "import socket\nsocket.socket(socket.AF_UNIX).connect('@UNIX@')\nprint('GOT')",
    "an abstract socket": "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0@ABSTRACT@')\nprint('GOT')",
    "a raw socket": "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)\nprint('GOT')",
    "a netlink socket": "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)\nprint('GOT')",
    "a socket pair": "import socket\nsocket.socketpair()\nprint('GOT')",
    "be a server": "import socket\ns = socket.socket()\ns.bind(('0.0.0.0', 0))\ns.listen()\nprint('GOT')",
    "ask for a name": "import socket\nprint('GOT', socket.gethostbyname('localhost'))",
    "the host's name": "import os\nprint('GOT' if os.uname().nodename != 'sandbox' else '')",
}
ENVIRONMENT = {
    "read a variable": "import os\nprint('GOT', os.environ['MAESTRO_TEST_SECRET'])",
    "read all variables": "import os\nprint('GOT' if set(os.environ) - {'PYTHONHASHSEED', 'PWD', 'LC_CTYPE'} else '', dict(os.environ))",
    "read them in memory": C + "e = ctypes.POINTER(ctypes.c_char_p).in_dll(c, 'environ')\nn = 0\nwhile e[n]:\n    print(e[n])\n    n += 1",
    "read them in proc": EACH.format(
        paths=["/proc/self/environ", "/proc/1/environ", "/proc/@PARENT@/environ"], attempt="print(open(path).read())"
    ),
    "inherited descriptors": (
        "import os\nfor n in range(3, 2048):\n    try:\n        print(os.read(n, 100))\n"
        "        print('GOT', n)\n    except OSError:\n        pass"
    ),
    "one inherited descriptor": "import os\nprint('GOT', os.pread(@DESCRIPTOR@, 100, 0))",
    "objects of the interpreter": (
        "import gc\nfor thing in gc.get_objects():\n    if isinstance(thing, dict) and 'MAESTRO_TEST_SECRET' in thing:\n"
        "        print('GOT', thing['MAESTRO_TEST_SECRET'])"
    ),
    "walk the classes": (
        "import subprocess\nprint([c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen']"
        "[0]('touch @WRITTEN@', shell=True))"
    ),
    "frames of the caller": (
        "import sys\nf = sys._getframe()\nwhile f:\n    for name, value in {**f.f_globals, **f.f_locals}.items():\n"
        "        if 'environ' in str(value):\n            print(value)\n    f = f.f_back"
    ),
    "evaluate": "print('GOT', eval(\"open('@FILE@').read()\"))",
    "import by name": "print('GOT', __import__('os').listdir('@FOLDER@'))",
}
PROCESSES = {
    "run a program": "import subprocess\nsubprocess.run(['/usr/bin/touch', '@WRITTEN@'])\nprint('GOT')",
    "a shell": "import os\nprint('GOT' if os.system('touch @WRITTEN@') == 0 else '')",
    "become a shell": "import os\nos.execv('/bin/sh', ['sh', '-c', 'cat @FILE@; echo x > @WRITTEN@; env'])",
    "become a program that gives rights": "import os\nos.execv('/bin/su', ['su', '-c', 'cat @FILE@'])",
    "fork": "import os\nif os.fork() == 0:\n    open('@WRITTEN@', 'w')\nprint('GOT')",
    "fork and stay": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\nprint('GOT')",
    "spawn": "import os\nos.posix_spawn('/bin/sleep', ['sleep', '1000'], {})\nprint('GOT')",
    "clone past the library": C + "print('GOT' if c.syscall(56, 17, 0, 0, 0, 0) >= 0 else ctypes.get_errno())",
    "a thread": "import threading\nt = threading.Thread(target=print)\nt.start()\nprint('GOT')",
    "a pool of processes": "import multiprocessing\nprint('GOT', multiprocessing.Pool(2).map(abs, [1]))",
    "kill another": "import os\nos.kill(@PID@, 9)\nprint('GOT')",
    "kill the parent": "import os\nos.kill(os.getppid(), 9)\nprint('GOT')",
    "kill everybody": "import os\nos.kill(-1, 9)\nprint('GOT')",
    "stop the first process": "import os\nos.kill(1, 19)\nprint('GOT')",
    "trace another": C + "print('GOT' if c.ptrace(16, @PID@, 0, 0) == 0 else ctypes.get_errno())",
    "be traced": C + "print('GOT' if c.ptrace(0, 0, 0, 0) == 0 else ctypes.get_errno())",
    "read another's memory": C
    + "b = (ctypes.c_size_t * 2)(0, 8)\nprint('GOT' if c.process_vm_readv(@PID@, b, 1, b, 1, 0) >= 0 else ctypes.get_errno())",
    "take another's descriptors": C
    + "p = c.syscall(434, @PARENT@, 0)\nprint('GOT' if p >= 0 and c.syscall(438, p, 0, 0) >= 0 else ctypes.get_errno())",
    "a namespace of its own": C + "print('GOT' if c.unshare(0x10000000) == 0 else ctypes.get_errno())",
    "a process with a namespace": C + "print('GOT' if c.syscall(56, 0x10000000 | 17, 0, 0, 0, 0) >= 0 else ctypes.get_errno())",
    "another user": "import os\nos.setgroups([])\nprint('GOT')",
    "raise its limits": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\nprint('GOT')",
    "raise its priority": "import os\nos.setpriority(os.PRIO_PROCESS, 0, -20)\nprint('GOT')",
    "shared memory that stays": C + "print('GOT' if c.shmget(0x4d61, 4096, 0o1666) >= 0 else ctypes.get_errno())",
    "type into the terminal": "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')\nprint('GOT')",
}
EXHAUSTION = {
    "loop": "while True: pass",
    "loop that catches": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "loop that ignores signals": (
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "while True: pass"
    ),
    "sleep": "import time\ntime.sleep(60)",
    "wait for nothing": "import signal\nsignal.pause()",
    "one large string": "x = 'a' * (1 << 31)\nprint(len(x))",
    "growing list": "x = []\nwhile True: x.append('a' * 100000)",
    "mapped memory": "import mmap\nx = []\nwhile True:\n    m = mmap.mmap(-1, 1 << 24)\n    m.write(b'x' * (1 << 24))\n    x.append(m)",
    "memory that it catches": "x = []\nwhile True:\n    try:\n        x.append('a' * 1000000)\n    except MemoryError:\n        pass",
    "a bomb of zeros": "import zlib\nx = zlib.compress(b'0' * (1 << 22))\ny = [zlib.decompress(x) for _ in range(1000)]",
    "large power": "print(len(str(10 ** 10 ** 8)))",
    "deep recursion": "def f(): return f()\nf()",
    "deep recursion past the limit": "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nf()",
    "deep nesting": "x = []\nfor i in range(10 ** 6): x = [x]\nprint(repr(x))",
    "nested brackets": "(" * 9000 + ")" * 9000,
    "a long sum": "1" + "+1" * 100_000,
    "endless output": "while True: print('x' * 1000)",
    "endless errors": "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
    "output without line ends": "while True: print('x' * 1000, end='')",
    "closed outputs": "import os\nos.close(1)\nos.close(2)\nwhile True: pass",
    "a flood on every descriptor": (
        "import os\nwhile True:\n    for n in range(1, 64):\n        try: os.write(n, b'x' * 1000)\n        except OSError: pass"
    ),
    "backtracking": "import re\nprint(re.match(r'(a+)+$', 'a' * 40 + 'b'))",
    "crash": "import ctypes\nctypes.string_at(1)",
    "abort": "import os\nos.abort()",
    "many open files": "x = [open('/usr/bin/env', 'rb') for _ in range(10000)]",
    "fork bomb": "import os\nfor _ in range(50):\n    try: os.fork()\n    except OSError: pass\nwhile True: pass",
    "threads": "import threading, time\nx = [threading.Thread(target=time.sleep, args=(60,)) for _ in range(500)]\nfor t in x: t.start()",
    "a value without end": "x = []\nx.append(x)\nx",
    "a large value": "'x' * 10_000_000",
}
DISK = {
    "fill the disk": "with open('/tmp/full', 'wb') as f:\n    while True: f.write(b'x' * 1000000)",
    "fill it file by file": "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'wb').write(b'x' * 100000)\n    n += 1",
    "one file past its end": "f = open('/tmp/sparse', 'wb')\nf.seek(1 << 40)\nf.write(b'x')\nf.flush()",
    "reserve a file": "import os\nos.posix_fallocate(os.open('/tmp/r', os.O_RDWR | os.O_CREAT), 0, 1 << 34)",
    "empty files": "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1",
    "folders in folders": "import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')",
    "links in a circle": "import os\nos.symlink('/tmp/b', '/tmp/a')\nos.symlink('/tmp/a', '/tmp/b')\nopen('/tmp/a').read()",
}
