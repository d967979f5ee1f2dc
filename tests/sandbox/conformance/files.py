"""Attacks on the host's files: reading, listing, writing, moving, removing."""

from __future__ import annotations

from pathlib import Path

from .attack import Attack, Outcome, tells_the_secret
from .scene import Scene

READ, WRITE = "host-files-unreadable", "host-files-unwritable"


def touched(scene: Scene, _: Outcome) -> bool:
    """A canary file changed."""
    return scene.files_touched()


def tells_the_hosts_users(_: Scene, outcome: Outcome) -> bool:
    """The host's own list of accounts came out, to the last line."""
    return Path("/etc/passwd").read_text().splitlines()[-1] in outcome.stdout


HANDLE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* Inode numbers are guessable; here the handle is asked for, then opened past every path. */
int main(void) {
    struct file_handle *handle = malloc(sizeof *handle + MAX_HANDLE_SZ);
    handle->handle_bytes = MAX_HANDLE_SZ;
    int mount_id, root = open("/", O_RDONLY);
    if (name_to_handle_at(AT_FDCWD, "@FILE@", handle, &mount_id, 0)) return 1;
    int file = open_by_handle_at(root, handle, O_RDONLY);
    char text[64] = {0};
    if (file >= 0 && read(file, text, 63) > 0) puts(text);
}
"""
ATTACKS = (
    Attack("reads-a-secret-file", READ, "python", "print(open('@FILE@').read())", tells_the_secret),
    Attack("reads-a-secret-file-in-c", READ, "c", r"""#include <stdio.h>
int main(void) { char text[64]; FILE *file = fopen("@FILE@", "r"); if (file && fgets(text, 64, file)) puts(text); }
""", tells_the_secret),
    Attack("reads-a-secret-file-in-javascript", READ, "javascript",
        "console.log(require('fs').readFileSync('@FILE@', 'utf8'))", tells_the_secret),
    Attack("reads-a-secret-file-in-shell", READ, "shell", "cat @FILE@", tells_the_secret),
    Attack("includes-a-secret-file-when-compiled", READ, "c", '#include "@FILE@"\nint main(void) { return 0; }\n', tells_the_secret),
    Attack("assembles-a-secret-file-when-compiled", READ, "c", r"""#include <stdio.h>
__asm__(".data\n.globl text\ntext: .incbin \"@FILE@\"\n.byte 0\n.previous"); extern char text[];
int main(void) { puts(text); }
""", tells_the_secret),
    Attack("reads-through-a-link", READ, "shell", "ln -s @FILE@ here && cat here", tells_the_secret),
    Attack("reads-through-the-root-of-process-1", READ, "shell",
        "for root in /proc/[0-9]*/root; do cat $root/@FILE@ && exit; done 2>&1", tells_the_secret),
    Attack("reads-through-the-folder-of-another-process", READ, "shell", "cat /proc/@PID@/cwd/secret.txt", tells_the_secret),
    Attack("reads-by-a-file-handle", READ, "c", HANDLE, tells_the_secret, needs=("root",), kernel=True),
    Attack("lists-a-folder", READ, "python", "import os; print(os.listdir('@FOLDER@'))", tells_the_secret),
    Attack("reads-the-hosts-shared-memory-folder", READ, "shell", "cat @SHM@", tells_the_secret),
    Attack("reads-the-hosts-accounts", READ, "python", "print(open('/etc/passwd').read())", tells_the_hosts_users),
    Attack("creates-a-file", WRITE, "python", "open('@LOOT@/new', 'w').write('x')", touched),
    Attack("creates-a-file-in-javascript", WRITE, "javascript", "require('fs').writeFileSync('@LOOT@/new', 'x')", touched),
    Attack("overwrites-a-file", WRITE, "c", r"""#include <stdio.h>
int main(void) { FILE *file = fopen("@FILE@", "w"); if (file) fputs("changed", file); }
""", touched),
    Attack("overwrites-through-a-link", WRITE, "shell", "ln -s @FILE@ here && echo changed > here", touched),
    Attack("removes-a-file", WRITE, "shell", "rm -f @FILE@", touched),
    Attack("moves-a-file-away", WRITE, "python", "import os; os.rename('@FILE@', '@FOLDER@/moved')", touched),
    Attack("makes-a-file-executable", WRITE, "shell", "chmod 777 @FILE@", touched),
    Attack("writes-into-the-hosts-shared-memory-folder", WRITE, "shell", "echo changed > @SHM@", touched),
)  # fmt: skip
