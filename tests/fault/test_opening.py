"""Opening the cache as the users that really open it: owner, group, stranger, root.

Permissions mean nothing to root, so each case runs src/store (in store_probe) under numeric ids
that own nothing else. Needs root to change ids, else everything is skipped.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lib"))

import tap  # noqa: E402

PROBE = os.environ["STORE_PROBE"]
# The writer, the lookup server's user, somebody else; the group that the first two share.
OWNER, SERVER, STRANGER, GROUP = 64001, 64002, 64003, 64010


def as_user(uid, gid, *command):
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *command]


@unittest.skipUnless(os.geteuid() == 0, "needs root to run as other users")
@unittest.skipUnless(shutil.which("setpriv"), "setpriv is not installed")
class Opening(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="lpalias-opening-")
        self.addCleanup(shutil.rmtree, self.base)
        os.chmod(self.base, 0o755)
        # The build directory may be closed to other users.
        self.probe = os.path.join(self.base, "store_probe")
        shutil.copy(PROBE, self.probe)
        os.chmod(self.probe, 0o755)
        self.cache = os.path.join(self.base, "cache")
        os.mkdir(self.cache)
        os.chown(self.cache, OWNER, GROUP)
        os.chmod(self.cache, 0o2750)
        self.data = os.path.join(self.cache, "data.mdb")
        self.lock = os.path.join(self.cache, "lock.mdb")

    def run_probe(self, *command):
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def write(self, count=1):
        done = self.run_probe(*as_user(OWNER, GROUP, self.probe, "write", self.cache, str(count)))
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(done.stdout.split()[1])

    def read(self, uid=SERVER, gid=GROUP):
        return self.run_probe(*as_user(uid, gid, self.probe, "read", self.cache))

    def hold(self):
        """A reader that holds a snapshot until it gets a line."""
        process = subprocess.Popen(as_user(SERVER, GROUP, self.probe, "hold", self.cache),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        self.assertTrue(process.stdout.readline().startswith("generation "))
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait(timeout=60)
        process.stdin.close()
        process.stdout.close()

    def slots(self):
        done = self.run_probe(self.probe, "slots", self.cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [int(pid) for pid in done.stdout.split()]

    def assert_refused(self, done, words):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertIn(words, done.stderr)

    def test_files_belong_to_the_group_of_the_directory(self):
        self.write()
        for path, mode in ((self.data, 0o640), (self.lock, 0o660)):
            status = os.stat(path)
            self.assertEqual((status.st_uid, status.st_gid), (OWNER, GROUP))
            self.assertEqual(stat.S_IMODE(status.st_mode), mode)

    def test_a_reader_of_the_group_has_a_slot(self):
        self.write()
        done = self.read()
        self.assertEqual((done.returncode, done.stdout), (0, "generation 1 events 1\n"))
        holder = self.hold()
        self.assertEqual(self.slots(), [holder.pid])

    def test_a_held_snapshot_outlives_many_changes(self):
        self.write()
        holder = self.hold()
        self.assertEqual(self.write(200), 201)
        out, _ = holder.communicate("\n", timeout=60)
        self.assertEqual(out, "generation 1 events 1\n")
        self.assertEqual(self.read().stdout, "generation 201 events 201\n")

    def test_a_reader_that_may_not_write_the_lock_file_is_refused(self):
        self.write()
        os.chmod(self.lock, 0o640)
        self.assert_refused(self.read(), f"user {SERVER} may not write lock.mdb")
        os.chmod(self.lock, 0o660)
        self.assertEqual(self.read().returncode, 0)

    def test_a_reader_without_a_lock_file_is_refused_and_makes_none(self):
        self.write()
        os.unlink(self.lock)
        self.assert_refused(self.read(), f"user {SERVER} may not write lock.mdb")
        self.assertFalse(os.path.exists(self.lock))
        self.write()
        self.assertEqual(self.read().returncode, 0)

    def test_a_stranger_is_refused(self):
        self.write()
        self.assert_refused(self.read(STRANGER, STRANGER), "Permission denied")

    def test_a_reader_that_may_not_read_the_data_is_refused(self):
        self.write()
        os.chmod(self.data, 0o600)
        done = self.read()
        self.assert_refused(done, "Permission denied")
        self.assertNotIn("lock.mdb", done.stderr)

    def test_a_read_only_file_system_is_refused(self):
        """LMDB goes on there without locks and without a word."""
        self.write()
        mount = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
        unshare = ["unshare", "-m", "sh", "-c", mount, "sh", self.cache]
        may = self.run_probe(*unshare, "true")
        if may.returncode != 0:
            self.skipTest(f"cannot mount here: {may.stderr.strip()}")
        self.assert_refused(self.run_probe(*unshare, self.probe, "read", self.cache),
                            "no reader slot in lock.mdb")
        self.assert_refused(
            self.run_probe(*unshare, *as_user(SERVER, GROUP, self.probe, "read", self.cache)),
            "no reader slot in lock.mdb")
        self.assert_refused(self.run_probe(*unshare, self.probe, "write", self.cache, "1"),
                            "Read-only file system")
        self.assertEqual(self.read().returncode, 0)

    def test_the_readers_user_can_write_nothing_but_the_lock_file(self):
        self.write()
        before = open(self.data, "rb").read()
        self.assert_refused(
            self.run_probe(*as_user(SERVER, GROUP, self.probe, "write", self.cache, "1")),
            "Permission denied")
        for script in (': >> "$1/data.mdb"', ': > "$1/new"', 'rm -f "$1/data.mdb"',
                       'rm -f "$1/lock.mdb"', 'mv "$1/data.mdb" "$1/x"', 'chmod 666 "$1/data.mdb"'):
            done = self.run_probe(*as_user(SERVER, GROUP, "sh", "-c", script, "sh", self.cache))
            self.assertNotEqual(done.returncode, 0, script)
        self.assertEqual(open(self.data, "rb").read(), before)
        self.assertEqual(sorted(os.listdir(self.cache)), ["data.mdb", "generation", "lock.mdb"])
        done = self.run_probe(*as_user(SERVER, GROUP, "sh", "-c", ': >> "$1"', "sh", self.lock))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_command_of_root_takes_on_the_owner_of_the_directory(self):
        done = self.run_probe(self.probe, "command", self.cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            done.stdout,
            f"uid {OWNER} gid {GROUP} groups {GROUP} root gone generation 1\n")
        for path in (self.data, self.lock):
            status = os.stat(path)
            self.assertEqual((status.st_uid, status.st_gid), (OWNER, GROUP))
        self.assertEqual(self.read().returncode, 0)
        self.assertEqual(self.write(), 2)

    def test_an_owner_with_a_name_gets_the_groups_of_that_name(self):
        os.chown(self.cache, 1, GROUP)  # daemon, on every Debian
        done = self.run_probe(self.probe, "command", self.cache)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.startswith(f"uid 1 gid {GROUP} groups {GROUP}"), done.stdout)
        self.assertIn("root gone", done.stdout)

    def test_a_command_of_root_stays_root_where_root_owns_the_directory_or_there_is_none(self):
        os.chown(self.cache, 0, 0)
        done = self.run_probe(self.probe, "command", self.cache)
        self.assertTrue(done.stdout.startswith("uid 0 gid 0 "), done.stdout + done.stderr)
        shutil.rmtree(self.cache)
        done = self.run_probe(self.probe, "command", self.cache)
        self.assertTrue(done.stdout.startswith("uid 0 gid 0 "), done.stdout + done.stderr)
        self.assertEqual(os.stat(self.data).st_uid, 0)

    def test_a_command_of_somebody_else_takes_on_nobody(self):
        self.write()
        done = self.run_probe(*as_user(SERVER, GROUP, self.probe, "command", self.cache))
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.startswith(f"uid {SERVER} "), done.stdout)
        self.assertIn("Permission denied", done.stderr)

    def test_slots_of_killed_readers_are_cleared_by_the_next_writer(self):
        self.write()
        readers = [self.hold() for _ in range(5)]
        alive = self.hold()
        for reader in readers:
            reader.send_signal(signal.SIGKILL)
            reader.wait(timeout=60)
        self.assertEqual(sorted(self.slots()), sorted(each.pid for each in readers + [alive]))
        self.write()
        self.assertEqual(self.slots(), [alive.pid])

    def test_killed_readers_never_use_up_all_slots(self):
        """LMDB has 126; each reader that opens clears those of the dead, too."""
        self.write()
        for _ in range(140):
            reader = self.hold()
            reader.send_signal(signal.SIGKILL)
            reader.wait(timeout=60)
        self.assertEqual(self.read().returncode, 0)


if __name__ == "__main__":
    tap.main()
