"""The catalogue of texts has every text that a page or the program can ask for, and no other."""

import json
import os
import re
import sys
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
sys.path.insert(0, os.path.join(SOURCE, "..", "tests", "lib"))

import tap

PAGES = os.path.join(SOURCE, "portal", "pages")
WORD = r"[a-z][a-z-]*"
KEY = rf"{WORD}(?:\.{WORD})+"


def read(*parts):
    with open(os.path.join(SOURCE, *parts), encoding="utf-8") as file:
        return file.read()


def pages(extension):
    return {name: read("portal", "pages", name) for name in sorted(os.listdir(PAGES))
            if name.endswith(extension)}


def words_of(path, function):
    """The words between quotes in the body of a C function, or in the table of that name."""
    body = re.search(rf"^[^\n]*\b{function}\b[^;{{]*\{{.*?^\}}", read(*path.split("/")), re.S | re.M)
    return {word for word in re.findall(r'"([a-z-]+)"', body[0])}


CATALOGUE = json.loads(read("portal", "catalogue.en.json"))


class Keys(unittest.TestCase):
    """Those in the pages."""

    def used(self):
        """(keys as they stand, patterns of those that are put together)."""
        keys, patterns = set(), set()
        for name, markup in {**pages(".html"), "frame.html": read("portal", "frame.html")}.items():
            found = set(re.findall(r"\{\{([a-z.-]+)\}\}", markup)) - {"body", "script", "title"}
            keys |= found
            if name != "frame.html":
                keys.add(f"{name[:-len('.html')]}.title")
        for script in pages(".js").values():
            roots = "|".join({key.partition(".")[0] for key in CATALOGUE})
            keys |= set(re.findall(rf'"((?:{roots})\.{KEY}|(?:{roots})\.{WORD})"', script))
            patterns |= {re.sub(r"\\\$\\\{[^}]*\\\}", KEY.replace("+", "*"), re.escape(made))
                         for made in re.findall(rf"`({WORD}\.[^` ]*\$\{{[^`]*)`", script)
                         if made.partition(".")[0] in roots.split("|")}
        return keys, patterns

    def test_each_that_is_asked_for_is_there(self):
        keys, patterns = self.used()
        self.assertGreater(len(keys), 100)
        self.assertEqual(sorted(keys - set(CATALOGUE)), [])
        for pattern in patterns:
            self.assertTrue(any(re.fullmatch(pattern, key) for key in CATALOGUE), pattern)

    def test_each_that_is_there_is_asked_for(self):
        keys, patterns = self.used()
        self.assertEqual([key for key in CATALOGUE if key not in keys
                          and not any(re.fullmatch(pattern, key) for pattern in patterns)], [])

    def test_none_is_empty_and_none_is_markup(self):
        for key, text in CATALOGUE.items():
            self.assertRegex(text, r"^\S.*\S$|^\S$", key)
            self.assertNotRegex(text, r"[<>]|&[a-z]+;", key)
            self.assertEqual(re.sub(r"\{[a-z]+\}", "", text).count("{"), 0, key)


class Codes(unittest.TestCase):
    """What the program says by a code has its text, and there is no text of a code it does not say."""

    def texts(self, prefix):
        return {key[len(prefix):] for key in CATALOGUE if key.startswith(prefix)}

    def test_states(self):
        self.assertEqual(self.texts("state."),
                         words_of("store/record.c", "alias_state_name") | {"none"})

    def test_reasons_and_what_to_do(self):
        said = (words_of("store/record.c", "alias_reason_name")
                | words_of("membership/barrier.c", "barrier_word")
                | {"never-member", "unknown", "waits"})
        for word in ("never-member", "unknown", "waits"):
            self.assertIn(f'"{word}"', read("membership", "standing.c"))
        self.assertEqual(self.texts("reason."), said | {f"{word}.next" for word in said})

    def test_reasons_of_others(self):
        said = words_of("store/record.c", "alias_reason_name")
        self.assertEqual(self.texts("admin.reason."), said)
        offered = re.search(r"const reasons = \[(.*?)\]", read("portal", "pages", "admin.js"), re.S)
        self.assertEqual(set(re.findall('"([a-z-]+)"', offered[1])), said)

    def test_what_a_login_finds(self):
        # A member sees what there is to see; who has no account is not logged in.
        said = words_of("membership/login_plan.c", "login_outcome_word") - {"member", "no-account"}
        self.assertEqual(self.texts("me.found."), said)

    def test_acts_in_ones_own_history(self):
        said = {f"alias.{state}" for state in words_of("store/record.c", "alias_state_name")}
        for folder in ("action", "membership"):
            for name in sorted(os.listdir(os.path.join(SOURCE, folder))):
                if name.endswith(".c"):
                    said |= set(re.findall(r'"((?:alias|person|target)\.[a-z-]+)"',
                                           read(folder, name)))
        nobodys = {"alias.static", "alias.reserve", "alias.unreserve"}
        self.assertEqual(self.texts("act."), said - nobodys)

    def test_problems_of_a_login(self):
        said = words_of("portal/arrival.c", "problem_of")
        for name in sorted(os.listdir(os.path.join(SOURCE, "portal"))):
            if name.endswith(".c"):
                said |= set(re.findall(r'by_problem\([^;]*?"([a-z-]+)"\)', read("portal", name)))
                said |= set(re.findall(r'by_problem\([^;"]*"([a-z-]+)" :', read("portal", name)))
                said |= set(re.findall(r'LOGIN_PROBLEM "([a-z-]+)"', read("portal", name)))
        self.assertGreater(len(said), 5)
        self.assertEqual(self.texts("problem.") - {"title"}, said)

    def test_errors(self):
        said = set(re.findall(r'\[REFUSAL_[A-Z_]+\] = \{\d+, "([a-z-]+)"', read("portal", "answer.c")))
        self.assertGreater(len(said), 15)
        self.assertEqual(self.texts("error."), said | {"network"})  # which the page itself says

    def test_words_of_choices(self):
        self.assertEqual(self.texts("me.extension.") - {"label"},
                         words_of("store/record.c", "extension_policy_name"))
        self.assertEqual(self.texts("me.target.from."),
                         words_of("store/record.c", "target_source_name") - {"none"})


if __name__ == "__main__":
    tap.main()
