#!/usr/bin/python3
"""Reads one of meson's testlog*.json and tells what became of each test case.

    test_report.py --label L --suite S --expected-skips FILE testlog.json

prints a line for each test program (time, cases by verdict) and excerpts of what failed to standard
output, and "PASSED FAILED SKIPPED" to descriptor 3. A case is one TAP line; a program that crashed,
timed out or broke off is at least one failure. Exit status 1: the file cannot be read or holds no
test.

The JSON log is read and not the JUnit one, as it has the TAP lines themselves, with the reasons of
skips.

A skip is expected when SUITE/PROGRAM/CASE matches a line of the file; with CI=true in the
environment any other counts as a failure.
"""

import argparse
import fnmatch
import json
import os
import re
import sys
from typing import NamedTuple

CASE = re.compile(r"(not )?ok\b(?: (\d+))?(?: - | )?(.*?)(?:\s*# *(SKIP|TODO)\b *(.*))?$", re.I)
WHOLE_SKIP = re.compile(r"1\.\.0\s*# *SKIP\w* *(.*)$", re.I)
FINE = ("OK", "SKIP", "EXPECTEDFAIL")
EXCERPT_LINES, STDERR_LINES = 40, 60


class Case(NamedTuple):
    """One TAP line."""
    name: str
    verdict: str  # "passed", "failed" or "skipped"
    text: str  # the reason of a skip; the comment lines that belong to a failure


def read_cases(text):
    """The cases of one program's output, in order."""
    cases, lines = [], text.splitlines()
    for at, line in enumerate(lines):
        whole = WHOLE_SKIP.match(line)
        if whole:
            cases.append(Case("all", "skipped", whole.group(1)))
            continue
        found = CASE.match(line)
        if not found:
            continue
        failed, _, name, directive, reason = found.groups()
        if (directive or "").upper() == "SKIP":
            cases.append(Case(name, "skipped", reason))
        elif failed:
            comment = []
            for following in lines[at + 1:at + 1 + EXCERPT_LINES]:
                if not following.startswith("#"):
                    break
                comment.append(following)
            cases.append(Case(name, "failed", "\n".join(comment)))
        else:
            cases.append(Case(name, "passed", ""))
    return cases


def read_expected(path):
    """Patterns from lines of "PATTERN REASON"."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    for words in lines:
        if len(words) != 2:
            sys.exit(f"{path}: {words[0]} has no reason")
    return [pattern for pattern, _ in lines]


def judge(test, prefix, expected):
    """All cases of one program, after what only the whole can tell."""
    cases = read_cases(test["stdout"])
    if test["result"] not in FINE and not any(case.verdict == "failed" for case in cases):
        cases.append(Case("the program itself", "failed",
                          f"# {test['result']}, exit status {test['returncode']}\n"
                          + "\n".join(test["stdout"].splitlines()[-EXCERPT_LINES:])))
    elif not cases:
        cases.append(Case("the program", "skipped" if test["result"] == "SKIP" else "passed", ""))
    if os.environ.get("CI") != "true":
        return cases
    return [case._replace(verdict="failed", text=f"# must not be skipped here: {case.text}")
            if case.verdict == "skipped"
            and not any(fnmatch.fnmatchcase(f"{prefix}/{case.name}", each) for each in expected)
            else case
            for case in cases]


def report(test, name, cases):
    """Prints what became of one program; returns its counts."""
    counts = {verdict: sum(case.verdict == verdict for case in cases)
              for verdict in ("passed", "failed", "skipped")}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    print(f"  {name:32} {test['duration']:8.2f} s   {told}")
    for case in cases:
        if case.verdict == "skipped":
            print(f"    skipped: {case.name}: {case.text}")
    for case in cases:
        if case.verdict == "failed":
            print(f"    FAILED: {name}: {case.name}")
            print("".join(f"      {line}\n" for line in case.text.splitlines()), end="")
    errors = (test.get("stderr") or "").splitlines()[-STDERR_LINES:]
    if counts["failed"] and errors:
        print("    the end of what it wrote to standard error:")
        print("".join(f"      {line}\n" for line in errors), end="")
    return counts.values()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--label", required=True)
    parser.add_argument("--suite", required=True)
    parser.add_argument("--expected-skips", required=True)
    parser.add_argument("log")
    arguments = parser.parse_args()
    expected = read_expected(arguments.expected_skips)
    try:
        with open(arguments.log, encoding="utf-8") as file:
            tests = [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError) as error:
        sys.exit(f"{arguments.log}: {error}")
    if not tests:
        sys.exit(f"{arguments.log}: no test ran")
    wall_s = max(test["starttime"] + test["duration"] for test in tests) - min(
        test["starttime"] for test in tests)
    print(f"\n== {arguments.label} ({wall_s:.1f} s)")
    totals = [0, 0, 0]
    for test in sorted(tests, key=lambda each: each["name"]):
        name = test["name"].rsplit(" / ", 1)[-1]
        cases = judge(test, f"{arguments.suite}/{name}", expected)
        totals = [a + b for a, b in zip(totals, report(test, name, cases))]
    sys.stdout.flush()
    os.write(3, f"{totals[0]} {totals[1]} {totals[2]}\n".encode("ascii"))


if __name__ == "__main__":
    main()
