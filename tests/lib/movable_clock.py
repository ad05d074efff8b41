"""A clock of a running program that a test moves on: libfaketime, told by a file.

    clock = MovableClock(directory)
    world.start_server(prefix=clock.prefix)
    clock.forward(600)

All clocks of the program go on as if that time had passed. A program that sleeps does not notice before it
wakes up, so give it something to do.
"""

import glob
import os


class MovableClock:
    """Use: see the top of the file. `why_not()` says what is missing."""

    def __init__(self, directory):
        self._file = os.path.join(directory, "clock")
        self._ahead_s = 0
        self.forward(0)
        self.prefix = ["env", f"LD_PRELOAD={self._library()}", "FAKETIME_NO_CACHE=1",
                       f"FAKETIME_TIMESTAMP_FILE={self._file}"]

    @staticmethod
    def _library():
        return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)

    @classmethod
    def why_not(cls):
        """A sentence what is missing, or None."""
        return None if cls._library() else "libfaketime is not installed"

    def forward(self, seconds):
        """Moves it on by so much."""
        self._ahead_s += seconds
        with open(self._file + ".new", "w", encoding="ascii") as file:
            file.write(f"+{self._ahead_s}\n")
        os.replace(self._file + ".new", self._file)
