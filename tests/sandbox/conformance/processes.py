"""Attacks on other processes and on the caller's terminal, and programs that will not go away."""

from __future__ import annotations

import time

from .attack import Attack, Outcome, tells_the_secret
from .scene import Scene

HOST, SURVIVE, TERMINAL = "host-processes", "survivors", "terminal"


def touched(scene: Scene, _: Outcome) -> bool:
    """The sibling died, was slowed or was limited."""
    return scene.sibling_touched()


def survives(scene: Scene, _: Outcome) -> bool:
    """A process that bears our mark is alive although the answer has come."""
    time.sleep(0.6)  # it may show itself late: bear its mark only after the answer
    return bool(scene.survivors())


def keeps_the_caller_waiting(scene: Scene, outcome: Outcome) -> bool:
    """The answer came late, or something is left."""
    return outcome.seconds > 3 or survives(scene, outcome)


def typed(scene: Scene, outcome: Outcome) -> bool:
    """Our mark waits in the input of the caller's terminal."""
    return scene.mark in outcome.typed


def shown(scene: Scene, outcome: Outcome) -> bool:
    """Our mark is on the caller's screen."""
    return scene.mark in outcome.shown


READ_MEMORY = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
static char copy[1 << 22];
int main(void) {
    char line[512]; unsigned long from, to;
    FILE *maps = fopen("/proc/@PID@/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]") && sscanf(line, "%lx-%lx", &from, &to) == 2) {
            struct iovec here = {copy, sizeof copy}, there = {(void *)from, to - from};
            long got = process_vm_readv(@PID@, &here, 1, &there, 1, 0);
            for (long i = 0; i < got - 24; i++) if (!memcmp(copy + i, "@SECRET_IS@", 7)) puts(copy + i);
        }
}
"""
SEIZE = r"""
#include <stdio.h>
#include <sys/ptrace.h>
int main(void) { if (!ptrace(PTRACE_SEIZE, @PID@, 0, 0)) puts("@HIT@"); }
"""
PIDFD = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, @PID@, 0), SIGTERM, 0, 0); }
"""
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3): os.close(number)
        os.execv('/bin/sleep', ['@MARK@', '20'])
    os._exit(0)
os.wait()
"""
KEEPS_OUTPUT_OPEN = """
import os
if os.fork() == 0:
    os.setsid()
    os.execv('/bin/sleep', ['@MARK@', '5'])
print('done', flush=True)
"""
IGNORES_SIGNALS = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
int main(void) {
    for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
    if (fork()) return 0;
    setsid();
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0); dup2(null, 1); dup2(null, 2);
    execl("/bin/sleep", "@MARK@", "20", NULL);
}
"""
CHAIN = """
import os, time
if os.fork(): os._exit(0)
for number in range(3): os.close(number)
for generation in range(10):  # each leaves before anybody has had a good look at it
    if os.fork(): os._exit(0)
    os.setsid()
    time.sleep(0.02)
os.execv('/bin/sleep', ['@MARK@', '20'])
"""
TYPES = r"""
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
int main(void) {
    int terminal = open("/dev/tty", O_RDWR);
    for (const char *key = "@MARK@\n"; *key; key++)
        for (int number = 0; number < 3; number++) { if (!ioctl(terminal < 0 ? number : terminal, TIOCSTI, key)) break; }
}
"""
PASTES = r"""
#include <fcntl.h>
#include <linux/tiocl.h>
#include <stdio.h>
#include <sys/ioctl.h>
/* TIOCLINUX pastes what is selected on a text console; reading the shift state needs the same door and harms nobody. */
int main(void) { char ask = TIOCL_GETSHIFTSTATE; int console = open("/dev/tty0", O_RDWR); if (console >= 0 && !ioctl(console, TIOCLINUX, &ask)) puts("@HIT@"); }
"""
ATTACKS = (
    Attack("reads-the-environment-of-a-process", HOST, "shell", "cat /proc/@PID@/environ", tells_the_secret),
    Attack("finds-a-process-by-its-arguments", HOST, "python", """
import contextlib, glob
for path in glob.glob('/proc/[0-9]*/cmdline'):
    with contextlib.suppress(OSError):  # a process may end between the list and the look
        if b'sleep\\x0060\\x00' == open(path, 'rb').read(): print('@HIT@')
"""),
    Attack("signals-a-process", HOST, "python", "import os; os.kill(@PID@, 15)", touched),
    Attack("signals-a-process-in-shell", HOST, "shell", "kill -9 @PID@", touched),
    Attack("signals-a-process-in-javascript", HOST, "javascript", "process.kill(@PID@, 'SIGKILL')", touched),
    Attack("signals-a-process-by-descriptor", HOST, "c", PIDFD, touched),
    Attack("slows-a-process", HOST, "python", "import os; os.setpriority(os.PRIO_PROCESS, @PID@, 19)", touched),
    Attack("schedules-a-process", HOST, "python", "import os; os.sched_setscheduler(@PID@, os.SCHED_IDLE, os.sched_param(0))", touched),
    Attack("binds-a-process-to-a-processor", HOST, "python", "import os; os.sched_setaffinity(@PID@, [min(os.sched_getaffinity(0))])", touched),
    Attack("limits-a-process", HOST, "python", "import resource; resource.prlimit(@PID@, resource.RLIMIT_NOFILE, (64, 64))", touched),
    Attack("traces-a-process", HOST, "c", SEIZE, kernel=True),
    Attack("reads-the-memory-of-a-process", HOST, "c", READ_MEMORY, tells_the_secret, kernel=True),
    Attack("prints-its-environment", "environment", "python", "import os; print(os.environ)", tells_the_secret),
    Attack("prints-its-environment-in-c", "environment", "c",
        '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { char *s = getenv("OSS_CANARY"); if (s) puts(s); }', tells_the_secret),
    Attack("prints-its-environment-in-shell", "environment", "shell", "env", tells_the_secret),
    Attack("reads-the-environment-of-every-process", "environment", "shell", "cat /proc/[0-9]*/environ", tells_the_secret),
    Attack("leaves-a-daemon", SURVIVE, "python", DAEMON, survives),
    Attack("leaves-a-daemon-in-shell", SURVIVE, "shell", "(exec -a @MARK@ setsid --fork sleep 20) < /dev/null > /dev/null 2>&1\n(exec -a @MARK@ sleep 20) < /dev/null > /dev/null 2>&1 &", survives),
    Attack("leaves-a-daemon-in-javascript", SURVIVE, "javascript",
        "require('child_process').spawn('/bin/sleep', ['20'], {argv0: '@MARK@', detached: true, stdio: 'ignore'}).unref()", survives),
    Attack("leaves-a-child-that-ignores-signals", SURVIVE, "c", IGNORES_SIGNALS, survives),
    Attack("leaves-a-chain-of-children", SURVIVE, "python", CHAIN, survives),
    Attack("leaves-a-child-that-keeps-the-output-open", "wall", "python", KEEPS_OUTPUT_OPEN, keeps_the_caller_waiting),
    Attack("types-on-the-terminal", TERMINAL, "c", TYPES, typed, needs=("tiocsti",), terminal=True),
    Attack("writes-on-the-terminal", TERMINAL, "python", r"open('/dev/tty', 'w').write('\x1b]0;@MARK@\x07')", shown, terminal=True),
    Attack("talks-to-the-text-console", TERMINAL, "c", PASTES, kernel=True, terminal=True),
)  # fmt: skip
