"""A cache that is absent, goes away, is cut short, is swapped or cannot be read under lpaliasd.

Whatever happens to it: an address of ours is never NOTFOUND for the fault, a foreign one always
is, the server goes on, says its trouble once, and recovers by itself when the cache is back.
"""

import os
import shutil
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import World, program, socketmap_ask

TEMP = "TEMP lpalias cannot tell now"
NOTFOUND = "NOTFOUND "
FIRST = {"press@ubuntu.com": ["press@target.example"]}
LATER = {"late@ubuntu.com": ["late@target.example"]}
PRESS, LATE, ABSENT = "press@ubuntu.com", "late@ubuntu.com", "absent@ubuntu.com"
PRESS_FOUND, LATE_FOUND = "OK press@target.example", "OK late@target.example"
FOREIGN = "press@foreign.example"
# Looked at once a second at most, and then there is the machine.
NOTICED_S = 15
NOBODY = 65534
PAGE = 4096


def setUpModule():
    for name in ("LPALIASD", "LPALIAS"):
        if program(name) is None:
            raise unittest.SkipTest(f"{name} is not set")


class Asker:
    """Asks for addresses all the time from a thread and keeps the set of answers to each."""

    def __init__(self, world, addresses):
        self.world = world
        self.answers = {address: set() for address in addresses}
        self.failure = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        if self.failure is not None:
            raise AssertionError(f"a question got no answer: {self.failure}")

    def _run(self):
        try:
            while not self._ended.is_set():
                for address, answers in self.answers.items():
                    answers.add(socketmap_ask(self.world.socket_path, "alias", address))
        except (OSError, EOFError) as error:
            self.failure = error


class CacheFaults(unittest.TestCase):
    """A World whose server is started by the case."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.data = os.path.join(self.world.cache, "data.mdb")

    def fill(self):
        """Press is there and ubuntu.com is open: generation n, kept in self.old. Then late is
        added: generation n+1, kept in self.new."""
        self.world.fill_static(FIRST)
        self.old = self.copy("old")
        self.world.import_static(LATER)
        self.new = self.copy("new")

    def copy(self, name):
        """A copy of the data file outside the cache; no writer runs."""
        path = os.path.join(self.world.directory, name + ".mdb")
        shutil.copy2(self.data, path)
        return path

    def put(self, path):
        """A copy of that file takes the place of the data file, as `mv` does it."""
        fresh = self.data + ".fresh"
        shutil.copy2(path, fresh)
        os.rename(fresh, self.data)

    def lengths_that_are_too_short(self):
        """Some that cut off pages in use. LMDB's newer meta page (of the first two) says how many
        these are: page number of the last at 136, transaction at 144."""
        with open(self.data, "rb") as file:
            metas = [file.read(PAGE) for _ in range(2)]
        _, last = max(struct.unpack_from("<QQ", meta, 136)[::-1] for meta in metas)
        used = (last + 1) * PAGE
        return [0, 1, PAGE, 2 * PAGE, used // 2, used - PAGE, used - 1]

    def overwrite(self, content):
        """The same file gets another content, as `cp` does it."""
        with open(self.data, "r+b") as file:
            file.write(content)
            file.truncate()

    def ask(self, address):
        return self.world.ask("alias", address)

    def expect(self, **wanted):
        """Waits until the answers are these: press, late, absent. Meanwhile and always foreign
        addresses are NOTFOUND, the domain is ours and role addresses have their target."""
        addresses = {"press": PRESS, "late": LATE, "absent": ABSENT}
        end = time.monotonic() + NOTICED_S
        while True:
            self.expect_what_needs_no_cache()
            got = {name: self.ask(addresses[name]) for name in wanted}
            if got == wanted:
                return
            if time.monotonic() > end:
                self.fail(f"got {got} where {wanted} was wanted\n{self.world.server_log()}")
            time.sleep(0.05)

    def expect_what_needs_no_cache(self):
        self.assertEqual(self.ask(FOREIGN), NOTFOUND)
        self.assertEqual(self.ask("postmaster@ubuntu.com"), "OK alerts@operators.example")
        self.assertEqual(self.world.ask("domain", "ubuntu.com"), "OK ubuntu.com")

    def expect_well(self):
        self.expect(press=PRESS_FOUND, late=LATE_FOUND, absent=NOTFOUND)

    def expect_nothing_known(self):
        self.expect(press=TEMP, late=TEMP, absent=TEMP)

    def wait_for_log(self, words, count=1):
        end = time.monotonic() + NOTICED_S
        while self.world.server_log().count(words) < count:
            self.assertLess(time.monotonic(), end, f"{words} is not in {self.world.server_log()}")
            time.sleep(0.05)

    def count_errors(self):
        return self.world.server_log().count("level=error")


class Start(CacheFaults):
    """What the server finds when it starts."""

    def test_no_cache_and_then_one(self):
        self.world.start_server()
        self.expect_nothing_known()
        self.fill()
        self.expect_well()
        self.wait_for_log("the cache is well again")
        self.assertEqual(self.count_errors(), 1, self.world.server_log())

    def test_an_empty_directory(self):
        os.mkdir(self.world.cache)
        self.world.start_server()
        self.expect_nothing_known()
        self.fill()
        self.expect_well()

    def test_a_file_that_is_no_cache(self):
        for content in (b"", b"x", bytes(4096), bytes(1 << 20), b"precious text\n" * 10000,
                        bytes(range(256)) * 4096):
            with self.subTest(content=content[:8], length=len(content)):
                shutil.rmtree(self.world.cache, ignore_errors=True)
                os.mkdir(self.world.cache)
                with open(self.data, "wb") as file:
                    file.write(content)
                self.world.start_server()
                self.expect_nothing_known()
                self.assertEqual(self.world.stop_server(), 0)

    def test_a_cache_that_was_cut_short(self):
        self.fill()
        for length in self.lengths_that_are_too_short():
            with self.subTest(length=length):
                self.put(self.new)
                os.truncate(self.data, length)
                self.world.start_server()
                self.expect_nothing_known()
                self.put(self.new)
                self.expect_well()
                self.assertEqual(self.world.stop_server(), 0)

    def test_an_older_copy_that_was_put_there_while_it_was_stopped(self):
        self.fill()
        self.put(self.old)
        for _ in range(2):
            self.world.start_server()
            self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
            self.wait_for_log("older cache")
            self.assertEqual(self.world.stop_server(), 0)
        # The tool says the same as the server.
        for command in (["query", "--cache", LATE], ["explain", LATE]):
            self.assertNotIn("NOTFOUND", self.world.lpalias(*command, status=None).stdout)
        # A writer makes it last; the operator ends it.
        self.world.import_static({"more@ubuntu.com": ["more@target.example"]})
        self.world.start_server()
        self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
        self.world.lpalias("domain", "open", "ubuntu.com", "--yes")
        self.expect(press=PRESS_FOUND, late=NOTFOUND, absent=NOTFOUND)
        self.assertEqual(self.world.stop_server(), 0)
        self.world.start_server()
        self.expect(press=PRESS_FOUND, late=NOTFOUND, absent=NOTFOUND)

    def test_the_right_copy_after_an_older_one(self):
        self.fill()
        self.put(self.old)
        self.world.start_server()
        self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
        self.put(self.new)
        self.expect_well()

    def test_no_key_file(self):
        self.fill()
        os.rename(self.world.key_file, self.world.key_file + ".away")
        self.world.start_server()
        # Which names there are is not sealed: absent is known.
        self.expect(press=TEMP, late=TEMP, absent=NOTFOUND)
        os.rename(self.world.key_file + ".away", self.world.key_file)
        self.expect_well()

    def test_another_key(self):
        self.fill()
        os.rename(self.world.key_file, self.world.key_file + ".away")
        with open(self.world.key_file, "w", encoding="utf-8") as file:
            file.write(f"77 {'5a' * 32}\n")
        os.chmod(self.world.key_file, 0o640)
        self.world.start_server()
        self.expect(press=TEMP, late=TEMP, absent=NOTFOUND)
        os.rename(self.world.key_file + ".away", self.world.key_file)
        self.expect_well()


class Running(CacheFaults):
    """What happens to the cache of a server that has served it."""

    def setUp(self):
        super().setUp()
        self.fill()
        self.world.start_server()
        self.expect_well()

    def test_deleted_and_put_back(self):
        with Asker(self.world, [PRESS, LATE, FOREIGN]) as asker:
            away = os.path.join(self.world.directory, "away.mdb")
            os.rename(self.data, away)
            self.expect_nothing_known()
            self.wait_for_log("level=error")
            os.rename(away, self.data)
            self.expect_well()
        self.assertEqual(asker.answers[PRESS], {PRESS_FOUND, TEMP})
        self.assertEqual(asker.answers[LATE], {LATE_FOUND, TEMP})
        self.assertEqual(asker.answers[FOREIGN], {NOTFOUND})
        self.wait_for_log("the cache is well again")
        self.assertEqual(self.count_errors(), 1, self.world.server_log())

    def test_the_directory_deleted_and_restored(self):
        away = os.path.join(self.world.directory, "away")
        shutil.copytree(self.world.cache, away)
        shutil.rmtree(self.world.cache)
        self.expect_nothing_known()
        os.rename(away, self.world.cache)
        self.expect_well()

    def test_cut_short_and_restored(self):
        with open(self.data, "rb") as file:
            content = file.read()
        for length in self.lengths_that_are_too_short():
            with self.subTest(length=length):
                os.truncate(self.data, length)
                self.expect_nothing_known()
                self.overwrite(content)
                self.expect_well()

    def test_swapped_for_an_older_copy(self):
        with Asker(self.world, [PRESS, LATE, FOREIGN]) as asker:
            self.put(self.old)
            # What stands in it is served; what does not may have come later.
            self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
            self.wait_for_log("older cache")
            self.put(self.new)
            self.expect_well()
        self.assertEqual(asker.answers[PRESS], {PRESS_FOUND})
        self.assertEqual(asker.answers[LATE], {LATE_FOUND, TEMP})
        self.assertEqual(asker.answers[FOREIGN], {NOTFOUND})

    def test_an_older_copy_that_is_opened_again(self):
        self.put(self.old)
        self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
        self.world.lpalias("domain", "open", "ubuntu.com", "--yes")
        self.expect(press=PRESS_FOUND, late=NOTFOUND, absent=NOTFOUND)

    def test_an_older_copy_that_is_written_to(self):
        """A refresh on a restored copy reaches the old generation number again: that proves
        nothing about the names that were lost with it."""
        self.put(self.old)
        self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
        for number in range(4):
            self.world.import_static({f"more-{number}@ubuntu.com": ["more@target.example"]})
            self.expect(press=PRESS_FOUND, late=TEMP, absent=TEMP)
        self.assertEqual(self.ask("more-3@ubuntu.com"), "OK more@target.example")

    def test_swapped_for_another_cache(self):
        with World() as other:
            other.fill_static({"press@lubuntu.me": ["other@target.example"]})
            # Sealed by another key too, and without our names.
            self.put(os.path.join(other.cache, "data.mdb"))
            self.expect_nothing_known()
        self.put(self.new)
        self.expect_well()

    def test_swapped_for_rubbish(self):
        rubbish = os.path.join(self.world.directory, "rubbish")
        for content in (b"", bytes(1 << 16), b"text\n" * 20000):
            with self.subTest(content=content[:8]):
                with open(rubbish, "wb") as file:
                    file.write(content)
                self.put(rubbish)
                self.expect_nothing_known()
                self.put(self.new)
                self.expect_well()

    def test_without_its_lock_file(self):
        """The next writer makes another, in which a reader of the first has no slot."""
        with Asker(self.world, [PRESS, LATE, FOREIGN]) as asker:
            for number in range(5):
                os.unlink(os.path.join(self.world.cache, "lock.mdb"))
                for step in range(3):
                    address = f"more-{number}-{step}@ubuntu.com"
                    self.world.import_static({address: ["more@target.example"]})
                end = time.monotonic() + NOTICED_S
                while self.ask(address) != "OK more@target.example":
                    self.assertLess(time.monotonic(), end, self.world.server_log())
                    time.sleep(0.05)
        self.assertEqual(asker.answers[PRESS], {PRESS_FOUND})
        self.assertEqual(asker.answers[FOREIGN], {NOTFOUND})

    def test_the_key_file_deleted(self):
        """The ring in memory goes on; a restart would find none, and so it is told before."""
        away = self.world.key_file + ".away"
        with Asker(self.world, [PRESS, LATE, ABSENT]) as asker:
            os.rename(self.world.key_file, away)
            self.wait_for_log(self.world.key_file)
            os.rename(away, self.world.key_file)
            self.wait_for_log("the cache is well again")
        self.assertEqual(asker.answers, {PRESS: {PRESS_FOUND}, LATE: {LATE_FOUND},
                                         ABSENT: {NOTFOUND}})
        self.assertEqual(self.count_errors(), 1, self.world.server_log())

    def test_written_to_while_it_is_asked(self):
        with Asker(self.world, [PRESS, LATE, ABSENT, FOREIGN]) as asker:
            for number in range(10):
                self.world.import_static({f"more-{number}@ubuntu.com": ["more@target.example"]})
                self.assertEqual(self.ask(f"more-{number}@ubuntu.com"), "OK more@target.example")
        self.assertEqual(asker.answers, {PRESS: {PRESS_FOUND}, LATE: {LATE_FOUND},
                                         ABSENT: {NOTFOUND}, FOREIGN: {NOTFOUND}})


@unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
class Rights(CacheFaults):
    """The server is not root, so that the rights of files matter."""

    PREFIX = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def setUp(self):
        super().setUp()
        self.fill()
        self.world.give_to(NOBODY, NOBODY)

    def start(self):
        self.world.start_server(prefix=self.PREFIX)

    def test_unreadable_from_the_start(self):
        for path in (self.data, self.world.cache):
            with self.subTest(path=path):
                mode = os.stat(path).st_mode & 0o7777
                os.chmod(path, 0)
                self.start()
                self.expect_nothing_known()
                os.chmod(path, mode)
                self.expect_well()
                self.assertEqual(self.world.stop_server(), 0)

    def test_made_unreadable_while_it_runs(self):
        self.start()
        self.expect_well()
        with Asker(self.world, [PRESS, LATE, FOREIGN]) as asker:
            for path in (self.data, self.world.cache):
                with self.subTest(path=path):
                    mode = os.stat(path).st_mode & 0o7777
                    os.chmod(path, 0)
                    self.expect_nothing_known()
                    os.chmod(path, mode)
                    self.expect_well()
        self.assertEqual(asker.answers[PRESS], {PRESS_FOUND, TEMP})
        self.assertEqual(asker.answers[FOREIGN], {NOTFOUND})

    def test_a_lock_file_that_it_may_not_write(self):
        """LMDB would go on without a reader slot and read pages that are overwritten."""
        lock = os.path.join(self.world.cache, "lock.mdb")
        os.chown(lock, 0, 0)
        os.chmod(lock, 0o644)
        self.start()
        self.expect_nothing_known()
        self.wait_for_log("level=error")
        os.chown(lock, NOBODY, NOBODY)
        self.expect_well()

    def test_an_unreadable_key_file(self):
        os.chmod(self.world.key_file, 0)
        self.start()
        self.expect(press=TEMP, late=TEMP, absent=NOTFOUND)
        os.chmod(self.world.key_file, 0o640)
        self.expect_well()


if __name__ == "__main__":
    tap.main()
