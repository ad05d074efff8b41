"""The arrows of docs/architecture.md: what a folder of src may include, and which library it may know.

The table is the truth; docs/architecture.md draws the same. Who needs another arrow changes both.
"""

import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..", "src")
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap

# Folder -> the folders, or the single headers, that its files may include besides their own.
ARROWS = {
    "base": [],
    "address": ["base"],
    "config": ["base"],
    "wire": ["base"],
    "store": ["base", "address"],
    "lookup": ["base", "address", "store"],
    "transfer": ["base"],
    "launchpad": ["base", "transfer"],
    "domaincheck": ["base"],
    # No transfer: it makes and judges texts, and who carries them is not its business.
    "openid": ["base"],
    # Of a listing only the data: deciding and fetching are kept apart.
    "membership": ["base", "address", "store", "launchpad/listing.h"],
    # Of a check only the data, as of a listing.
    "action": ["base", "address", "store", "membership", "domaincheck/answer.h"],
    # What both the tool and the portal say as JSON.
    "report": ["base", "store", "membership"],
    "notify": ["base", "store", "transfer"],
    "setup": ["base", "config", "store", "lookup", "membership/house.h"],
    "state": ["base"],
    # Of transfers only the hooks that let a loop drive them.
    "loop": ["base", "transfer/driver.h"],
    "sandbox": ["base"],
    "manager": ["base"],
    "server": ["base", "config", "wire", "store", "lookup", "loop", "setup", "sandbox", "manager"],
    "portal": ["base", "address", "config", "wire", "store", "transfer", "launchpad", "openid",
               "membership", "action", "report", "setup", "state", "loop", "sandbox", "manager"],
    # No loop and no transfer of its own: a command is done when its one act is done.
    "tool": ["base", "address", "config", "wire", "store", "lookup", "launchpad", "domaincheck",
             "membership", "action", "report", "notify", "setup"],
}

# Library header (or its folder) -> who may include it.
LIBRARIES = {
    "confuse.h": ["config"],
    "curl": ["transfer"],
    "event2": ["loop"],
    "idn2.h": ["address"],
    "jansson.h": ["launchpad", "portal", "report", "tool"],
    "linux": ["sandbox"],
    "lmdb.h": ["store", "state"],
    "seccomp.h": ["sandbox"],
    "sodium.h": ["store", "launchpad", "openid", "server", "state", "portal"],
    "systemd": ["manager"],
    "unbound.h": ["domaincheck"],
}

# Of the C library and the system: everything else is a library and belongs into the table above.
SYSTEM = set("""
    arpa/inet.h arpa/nameser.h assert.h ctype.h dirent.h endian.h errno.h fcntl.h fnmatch.h getopt.h grp.h inttypes.h limits.h
    locale.h math.h net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h sched.h signal.h
    stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h
    sys/file.h sys/ioctl.h sys/mman.h sys/prctl.h sys/queue.h sys/random.h sys/resource.h sys/socket.h sys/stat.h sys/syscall.h sys/time.h
    sys/types.h sys/uio.h sys/un.h sys/wait.h sysexits.h syslog.h termios.h time.h unistd.h wchar.h
""".split())

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes():
    """(folder, place, quoted, header) of every include line."""
    for folder in sorted(os.listdir(SOURCE)):
        path = os.path.join(SOURCE, folder)
        if not os.path.isdir(path):
            continue
        for name in sorted(os.listdir(path)):
            if not name.endswith((".c", ".h")):
                continue
            with open(os.path.join(path, name), encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    found = INCLUDE.match(line)
                    if found:
                        yield (folder, f"src/{folder}/{name}:{number}", found.group(1) == '"',
                               found.group(2))


class Arrows(unittest.TestCase):
    """Each case lists all lines that break its rule."""

    @classmethod
    def setUpClass(cls):
        cls.includes = list(includes())

    def check_none(self, wrong):
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_every_folder_is_in_the_table(self):
        self.assertEqual({folder for folder, *_ in self.includes} - set(ARROWS), set())
        self.assertGreater(len(self.includes), 100, "hardly an include was found")

    def test_no_arrow_points_back(self):
        above = set()
        for folder, targets in ARROWS.items():
            for target in targets:
                self.assertIn(target.split("/")[0], above, f"{folder} includes {target}")
            above.add(folder)

    def test_a_path_begins_at_src(self):
        self.check_none([f"{place}: {header}" for _, place, quoted, header in self.includes
                         if quoted and not os.path.isfile(os.path.join(SOURCE, header))])

    def test_folders_include_what_they_may(self):
        self.check_none([
            f"{place}: {folder} may not include {header}"
            for folder, place, quoted, header in self.includes
            if quoted and header.split("/")[0] != folder
            and header.split("/")[0] not in ARROWS.get(folder, ())
            and header not in ARROWS.get(folder, ())])

    def test_libraries_stay_where_they_belong(self):
        wrong = []
        for folder, place, quoted, header in self.includes:
            if quoted or header in SYSTEM:
                continue
            owners = LIBRARIES.get(header, LIBRARIES.get(header.split("/")[0]))
            if owners is None:
                wrong.append(f"{place}: {header} is in no table of this test")
            elif folder not in owners:
                wrong.append(f"{place}: {header} is for {', '.join(owners)} only")
        self.check_none(wrong)


if __name__ == "__main__":
    tap.main()
