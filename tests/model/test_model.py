"""The real programs and the model of the house rules, in lockstep.

A seed makes a sequence of things that happen to a few teams on Launchpad, to the clock and to the
operator's commands. After each, the real cache holds what the model says, row for row, and the
command ended as the model says. A difference prints the seed, the step and the last steps; with
LPALIAS_MODEL_SEEDS set to that seed it comes back. LPALIAS_MODEL_STEPS is the number of steps per
seed, LPALIAS_MODEL_SEEDS a list of seeds or, with "x" before it, how many random ones.
"""

import os
import random
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

import tap
from lockstep import Difference
from lpalias_world import why_not
from steps import Steps

FULL = os.environ.get("LPALIAS_FULL") == "1"
STEPS = int(os.environ.get("LPALIAS_MODEL_STEPS", 2000 if FULL else 400))
SEEDS = os.environ.get("LPALIAS_MODEL_SEEDS", "x6" if FULL else "11 12 13 14")
STEPS_SHOWN = 25


def seeds():
    if SEEDS.startswith("x"):
        return [random.SystemRandom().randrange(1 << 32) for _ in range(int(SEEDS[1:]))]
    return [int(seed) for seed in SEEDS.split()]


@unittest.skipIf(why_not(), why_not() or "")
class ModelTest(unittest.TestCase):
    """The cache is what the model says, after every step."""

    def test_lockstep(self):
        for seed in seeds():
            with self.subTest(seed=seed):
                self.walk(seed)

    def walk(self, seed):
        lockstep = Steps(seed)
        done, began = [], time.monotonic()
        lockstep.queue.append(lockstep.refresh)
        try:
            for number in range(1, STEPS + 1):
                done.append("?")
                done[-1] = lockstep.step()
                lockstep.compare()
        except Difference as difference:
            shown = "\n".join(f"{number - len(done[-STEPS_SHOWN:]) + 1 + index}: {words}"
                              for index, words in enumerate(done[-STEPS_SHOWN:]))
            raise AssertionError(f"seed {seed}, step {number} at {lockstep.now}\n{shown}\n"
                                 f"{difference}") from None
        finally:
            lockstep.close()
        print(f"# seed {seed}: {STEPS} steps, {time.monotonic() - began:.0f} s, "
              f"{lockstep.model.generation} generations")


if __name__ == "__main__":
    tap.main()
