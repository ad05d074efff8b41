"""Runs the unittest cases of a module and reports each of them as one TAP line.

meson counts TAP lines one by one, so a summary names cases and not only files. A skipped case
is printed with its reason; a failure prints its traceback as TAP comments.
Use: `if __name__ == "__main__": tap.main()`.
"""

import sys
import traceback
import unittest


class _Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def _line(self, verdict, test, directive=""):
        self.number += 1
        name = ".".join(test.id().split(".")[-2:]).replace("#", "")
        print(f"{verdict} {self.number} - {name}{directive}", flush=True)

    def _comment(self, error):
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line("not ok", test)
        self._comment(err)

    def addError(self, test, err):
        super().addError(test, err)
        self._line("not ok", test)
        self._comment(err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._line("not ok", test)
            print(f"# in {subtest}", flush=True)
            self._comment(err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("ok", test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        self._line("not ok", test, " # expected failures are not used here")


def main():
    """Runs every case of the calling module; arguments narrow it to names that contain one."""
    module = sys.modules["__main__"]
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    wanted = sys.argv[1:]

    def flatten(item):
        for each in item:
            if isinstance(each, unittest.TestSuite):
                yield from flatten(each)
            elif not wanted or any(word in each.id() for word in wanted):
                yield each

    cases = list(flatten(suite))
    print("TAP version 13", flush=True)
    result = _Result()
    # A TestSuite runs setUpClass and friends; their failure must be a line of its own too.
    unittest.TestSuite(cases).run(result)
    if result.number == 0:
        print("not ok 1 - no case ran", flush=True)
        result.number = 1
        print("1..1")
        sys.exit(1)
    print(f"1..{result.number}", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)
