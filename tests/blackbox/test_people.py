"""The operator's commands for people and aliases: ban, pause, alias, reserve, erase, and what show
and list say of them afterwards."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from lpalias_world import World, why_not

USAGE = 64
SECRET = "secret.example"  # the domain of all targets here: it shows nowhere
ABSENT = "NOTFOUND "


@unittest.skipIf(why_not(), why_not() or "")
class People(unittest.TestCase):
    """Two open domains; jdoe and kim have targets, noor has none."""

    def setUp(self):
        self.world = World({"people": {name: {} for name in ("jdoe", "kim", "noor")},
                            "teams": {"ubuntumembers": {"members": ["jdoe", "kim", "noor"]},
                                      "kubuntu-members": {"members": ["kim"]}}})
        self.addCleanup(self.world.close)
        self.world.domains = {"ubuntu.com": "ubuntumembers", "kubuntu.org": "kubuntu-members"}
        self.world.write_config()
        self.world.fill({name: [f"{name}@{SECRET}"] for name in ("jdoe", "kim")},
                        opened=("ubuntu.com", "kubuntu.org"))

    def lpalias(self, *words, **more):
        """Runs a command; whatever it is, it prints no target."""
        ran = self.world.lpalias(*words, **more)
        self.assertNotIn(f"@{SECRET}", ran.stdout + ran.stderr)
        return ran

    def refuse(self, *words, why):
        self.assertIn(why, self.lpalias(*words, status=1).stderr)

    def json(self, *words, **more):
        return json.loads(self.lpalias(*words, "--json", **more).stdout)

    def ask(self, address):
        """The answer of the cache, as the server would give it; None: absent."""
        ran = self.world.lpalias("query", "--cache", "alias", address, status=None)
        self.assertIn(ran.status, (0, 2))
        return ran.stdout.strip() or None

    def rows(self, *words):
        return {row["address"]: row for row in self.json("list", *words)}


class Usage(People):
    def test_wrong_use_is_64_and_changes_nothing(self):
        before = self.json("status")["generation"]
        for words in [("ban", "jdoe"), ("ban", "jdoe", "--reason", ""), ("ban",),
                      ("ban", "no name", "--reason", "x"), ("ban", "-x", "--reason", "x"),
                      ("unban",), ("pause",), ("resume", "a", "b"), ("alias",), ("alias", "add"),
                      ("alias", "add", "x@ubuntu.com"), ("alias", "add", "x", "--for", "jdoe"),
                      ("alias", "add", "x@ubuntu.com", "--for", "jdoe", "--stdin"),
                      ("alias", "add", "x@ubuntu.com", "--for", "jdoe", "--target", "a@b.example"),
                      ("alias", "add", "x@ubuntu.com", "--stdin", "--target", "a@b.example"),
                      ("alias", "add", "x@ubuntu.com", "--target", "a@b.example", "--allow-reserved"),
                      ("alias", "add", "x@ubuntu.com", "--for", "jdoe", "--extension", "odd"),
                      ("alias", "set", "jdoe@ubuntu.com"), ("alias", "remove", "jdoe"),
                      ("alias", "set", "jdoe@ubuntu.com", "--extension", "odd"),
                      ("alias", "allow", '"odd"@ubuntu.com'), ("reserve",), ("reserve", "x"),
                      ("reserve", "x@ubuntu.com", "--list"), ("reserve", "--list", "--reason", "x"),
                      ("reserve", "x@ubuntu.com", "--domain", "ubuntu.com"),
                      ("login", "set", "jdoe"), ("login", "set", "jdoe", ""),
                      ("erase", "jdoe"), ("erase", "--yes")]:
            with self.subTest(words=words):
                self.assertNotEqual(self.lpalias(*words, status=USAGE).stderr, "")
        self.assertEqual(self.json("status")["generation"], before)

    def test_nobody_and_nothing_is_2(self):
        for words in [("unban", "nobody"), ("pause", "nobody"), ("resume", "nobody"),
                      ("erase", "--yes", "nobody"), ("alias", "remove", "nobody@ubuntu.com"),
                      ("alias", "set", "nobody@ubuntu.com", "--extension", "drop"),
                      ("login", "set", "nobody", "x"),
                      ("alias", "add", "x@ubuntu.com", "--for", "nobody")]:
            with self.subTest(words=words):
                self.lpalias(*words, status=2)

    def test_help(self):
        everything = self.lpalias("--help").stdout
        for command in ("ban", "unban", "pause", "resume", "alias add", "alias remove",
                        "alias allow", "alias set", "login set", "reserve", "erase"):
            self.assertIn(f"\n  {command} ", everything)
            self.assertIn(f"Usage: lpalias {command} ", self.lpalias(*command.split(), "--help").stdout)


class BanAndPause(People):
    def test_ban_says_what_became_of_it(self):
        ran = self.lpalias("ban", "KIM", "--reason", "sold \x1b[31mit")
        self.assertRegex(ran.stdout, r"(?s)^kim is banned; generation \d+\nADDRESS .*"
                                     r"\nkim@kubuntu\.org +refused +banned\nkim@ubuntu\.com +refused +banned\n$")
        self.assertIn("already", self.lpalias("ban", "kim", "--reason", "sold \x1b[31mit").stdout)
        self.assertTrue(self.json("ban", "kim", "--reason", "another reason")["changed"])
        shown = self.json("show", "kim")
        self.assertEqual((shown["is_banned"], shown["ban_reason"]), (True, "another reason"))
        self.assertRegex(self.lpalias("show", "kim").stdout,
                         r"(?m)^banned +\d{4}-.*\n *ban reason +another reason$")
        done = self.json("unban", "kim")
        self.assertEqual([(row["address"], row["state"]) for row in done["aliases"]],
                         [("kim@kubuntu.org", "active"), ("kim@ubuntu.com", "active")])
        self.assertFalse(self.json("unban", "kim")["changed"])
        self.assertEqual(self.json("show", "kim")["banned_since"], None)

    def test_ban_ahead_and_its_end(self):
        self.lpalias("ban", "later", "--reason", "x")
        self.assertIn("not seen yet", self.lpalias("show", "later").stdout)
        self.lpalias("unban", "later")
        self.lpalias("show", "later", status=2)
        self.lpalias("ban", "x" * 201, "--reason", "x", status=1)

    def test_a_ban_needs_no_key_of_the_targets(self):
        """Targets that were sealed with a key that is gone do not keep anybody from being banned."""
        os.rename(self.world.key_file, self.world.key_file + ".lost")
        self.world.lpalias("key", "generate")
        self.lpalias("pause", "jdoe", status=1)
        self.lpalias("ban", "jdoe", "--reason", "x")
        self.assertEqual(self.rows()["jdoe@ubuntu.com"]["reason"], "banned")

    def test_pause(self):
        self.assertRegex(self.lpalias("pause", "jdoe").stdout, r"^jdoe is paused; ")
        self.assertTrue(self.json("show", "jdoe")["is_paused"])
        self.assertFalse(self.json("pause", "jdoe")["changed"])
        self.assertIsNone(self.ask("jdoe@ubuntu.com"))
        self.assertRegex(self.lpalias("resume", "jdoe").stdout, r"jdoe@ubuntu\.com +active")
        self.assertEqual(self.ask("jdoe@ubuntu.com"), f"jdoe@{SECRET}")


class Logins(People):
    def sender(self, address):
        return self.world.lpalias("query", "--cache", "sender", address).stdout.strip()

    def test_a_login_of_its_own(self):
        self.assertEqual(self.sender("jdoe@ubuntu.com"), "jdoe")
        self.assertRegex(self.lpalias("login", "set", "JDOE", "jd").stdout,
                         r"^jdoe is allowed to send as login jd; ")
        self.assertEqual(self.sender("jdoe@ubuntu.com"), "jd")
        self.assertEqual(self.json("show", "jdoe")["login_name"], "jd")
        self.assertFalse(self.json("login", "set", "jdoe", "jd")["changed"])
        self.assertTrue(self.json("login", "set", "jdoe", "default")["changed"])
        self.assertEqual(self.sender("jdoe@ubuntu.com"), "jdoe")
        self.assertEqual(self.world.lpalias("verify").status, 0)

    def test_what_would_let_somebody_else_in(self):
        for login in ("kim", "KIM", "a,kim", "a kim", "!x"):
            with self.subTest(login=login):
                self.lpalias("login", "set", "jdoe", login, status=1)
        self.assertEqual(self.sender("jdoe@ubuntu.com"), "jdoe")

    def test_all_about_a_person(self):
        person = json.loads(self.world.lpalias("export-person", "JDOE").stdout)
        self.assertEqual([each["address"] for each in person["targets"]], [f"jdoe@{SECRET}"])
        self.assertEqual([alias["address"] for domain in person["domains"]
                          for alias in domain["aliases"]], ["jdoe@ubuntu.com"])
        self.assertIn("alias.active", [event["act"] for event in person["events"]])
        self.assertNotIn("kim", json.dumps(person))
        self.lpalias("export-person", "nobody", status=2)


class Extras(People):
    def add(self, address, name="jdoe", *words, **more):
        return self.lpalias("alias", "add", address, "--for", name, *words, **more)

    def test_an_extra_alias_goes_where_its_owner_goes(self):
        self.assertRegex(self.add("J@ubuntu.com").stdout, r"j@ubuntu\.com +active")
        self.add("jd@ubuntu.com", "jdoe", "--extension", "refuse")
        self.assertEqual(self.ask("j+x@ubuntu.com"), f"jdoe+x@{SECRET}")
        self.assertIsNone(self.ask("jd+x@ubuntu.com"))
        self.assertEqual(self.rows("--kind", "extra")["jd@ubuntu.com"]["owner"], "jdoe")
        self.world.lpalias("target", "set", "jdoe", f"new@{SECRET}")
        self.assertEqual(self.ask("j@ubuntu.com"), f"new@{SECRET}")
        self.world.lpalias("refresh")
        self.assertEqual(self.ask("j@ubuntu.com"), f"new@{SECRET}")
        self.assertIn("already", self.add("j@ubuntu.com").stdout)
        self.assertEqual(self.json("show", "jdoe")["domains"][0]["membership"]["extras"], ["j", "jd"])
        self.assertIn("extra: j jd", self.lpalias("show", "jdoe").stdout)

    def test_who_has_no_target_waits_with_it(self):
        self.add("n@ubuntu.com", "noor")
        self.assertEqual(self.rows()["n@ubuntu.com"]["state"], "pending")
        self.world.lpalias("target", "set", "noor", f"noor@{SECRET}")
        self.assertEqual(self.ask("n@ubuntu.com"), f"noor@{SECRET}")

    def test_at_most_three_a_person_and_domain(self):
        for i in range(3):
            self.add(f"j{i}@ubuntu.com")
        self.refuse("alias", "add", "j3@ubuntu.com", "--for", "jdoe", why="3 extra")
        for i in range(3):
            self.add(f"k{i}@kubuntu.org", "kim")
        self.add("k3@ubuntu.com", "kim")
        self.lpalias("alias", "remove", "j0@ubuntu.com")
        self.add("j3@ubuntu.com")

    def test_names_that_are_not_to_be_had(self):
        self.lpalias("alias", "add", "desk@ubuntu.com", "--target", f"a@{SECRET}")
        self.lpalias("reserve", "chair@ubuntu.com")
        self.add("k@ubuntu.com", "kim")
        for address, why in [("kim@ubuntu.com", "alias of kim"), ("k@ubuntu.com", "alias of kim"),
                             ("noor@ubuntu.com", "alias of noor"), ("desk@ubuntu.com", "static"),
                             ("chair@ubuntu.com", "reserved by hand"), ("abuse@ubuntu.com", "role"),
                             ("root@ubuntu.com", "reserved name"), ("kim+x@ubuntu.com", "extension"),
                             ("k+x@ubuntu.com", "extension"), ("postmaster+x@ubuntu.com", "extension"),
                             ("j@kubuntu.org", "no member"), ("j@foreign.example", "configuration"),
                             ("x" * 65 + "@ubuntu.com", "legal")]:
            with self.subTest(address=address):
                self.refuse("alias", "add", address, "--for", "jdoe", why=why)
        self.add("root@ubuntu.com", "jdoe", "--allow-reserved")
        self.assertEqual(self.ask("root@ubuntu.com"), f"jdoe@{SECRET}")

    def test_one_that_was_taken_away_is_nobody_elses(self):
        self.add("j@ubuntu.com")
        self.assertRegex(self.lpalias("alias", "remove", "j@ubuntu.com").stdout,
                         r"j@ubuntu\.com +gone +removed")
        self.assertIsNone(self.ask("j@ubuntu.com"))
        self.assertEqual(self.json("show", "jdoe")["domains"][0]["membership"]["extras"], [])
        self.assertFalse(self.json("alias", "remove", "j@ubuntu.com")["changed"])
        self.refuse("alias", "add", "j@ubuntu.com", "--for", "kim", why="was an alias of jdoe")
        self.world.launchpad.add_person("j")
        self.world.launchpad.add_member("ubuntumembers", "j")
        self.world.lpalias("refresh")
        self.assertEqual(self.rows()["j@ubuntu.com"]["state"], "gone")
        self.refuse("alias", "add", "j@ubuntu.com", "--for", "jdoe", why="name of somebody")
        self.lpalias("alias", "allow", "j@ubuntu.com")
        self.assertEqual((self.rows()["j@ubuntu.com"]["owner"], self.rows()["j@ubuntu.com"]["kind"]),
                         ("j", "member"))

    def test_one_that_was_taken_away_can_be_given_back(self):
        self.add("j@ubuntu.com")
        self.lpalias("alias", "remove", "j@ubuntu.com")
        self.add("j@ubuntu.com", "jdoe", "--extension", "drop")
        self.assertEqual(self.ask("j+x@ubuntu.com"), f"jdoe@{SECRET}")

    def test_a_members_own_alias_is_not_removed(self):
        self.refuse("alias", "remove", "jdoe@ubuntu.com", why="member's own")


class Statics(People):
    def put(self, address, *targets, **more):
        words = [word for target in targets for word in ("--target", target)]
        return self.lpalias("alias", "add", address, *words, **more)

    def test_a_static_alias_of_the_house(self):
        self.assertRegex(self.put("Press@ubuntu.com", f"a@{SECRET}", f"b@{SECRET}").stdout,
                         r"press@ubuntu\.com +active")
        self.assertEqual(self.ask("press+x@ubuntu.com"), f"a@{SECRET},b@{SECRET}")
        self.assertIn("already", self.put("press@ubuntu.com", f"a@{SECRET}", f"b@{SECRET}").stdout)
        self.put("press@ubuntu.com", f"c@{SECRET}")
        self.assertEqual(self.ask("press@ubuntu.com"), f"c@{SECRET}")
        self.lpalias("alias", "add", "press@ubuntu.com", "--stdin", stdin=f"d@{SECRET}\ne@{SECRET}\n")
        self.assertEqual(self.ask("press@ubuntu.com"), f"d@{SECRET},e@{SECRET}")
        self.lpalias("alias", "set", "press@ubuntu.com", "--extension", "append")
        self.assertEqual(self.ask("press+x@ubuntu.com"), f"d+x@{SECRET},e+x@{SECRET}")
        statics = lambda: self.json("domain", "list")[0]["static"]
        self.assertEqual(statics(), 1)
        self.lpalias("alias", "remove", "press@ubuntu.com")
        self.lpalias("reserve", "chair@ubuntu.com")
        self.assertEqual(statics(), 0, "neither a tombstone nor a reservation")
        self.assertIsNone(self.ask("press@ubuntu.com"))
        self.refuse("alias", "set", "press@ubuntu.com", "--extension", "drop", why="gone")
        self.put("press@ubuntu.com", f"f@{SECRET}")
        self.assertEqual(self.ask("press@ubuntu.com"), f"f@{SECRET}")

    def test_it_may_name_addresses_of_ours(self):
        self.put("board@ubuntu.com", "jdoe@ubuntu.com", "kim@ubuntu.com", "abuse@kubuntu.org")
        self.assertEqual(self.ask("board@ubuntu.com"),
                         "jdoe@ubuntu.com,kim@ubuntu.com,abuse@kubuntu.org")

    def test_but_not_lead_back_to_itself(self):
        self.world.domain_keys = {"kubuntu.org": 'catch-all = "a@ubuntu.com" '
                                                 'role "office" { targets = { "b@ubuntu.com" } }'}
        self.world.write_config()
        for address, target in [("a@ubuntu.com", "a@ubuntu.com"), ("a@ubuntu.com", "A+x@UBUNTU.com"),
                                ("a@ubuntu.com", "whoever@kubuntu.org"),
                                ("b@ubuntu.com", "office+x@kubuntu.org")]:
            with self.subTest(address=address, target=target):
                self.refuse("alias", "add", address, "--target", target, why="circles")
        self.put("one@ubuntu.com", "two@ubuntu.com")
        self.refuse("alias", "add", "two@ubuntu.com", "--target", "one@ubuntu.com", why="circles")
        self.put("two@ubuntu.com", "jdoe@ubuntu.com")

    def test_nor_may_an_import(self):
        ran = self.world.lpalias("import", "--static", "--format", "csv", "-", status=4, stdin=(
            "one@ubuntu.com,two@ubuntu.com\n"
            "two@ubuntu.com,three@ubuntu.com\n"
            f"three@ubuntu.com,one@ubuntu.com,a@{SECRET}\n"
            "self@ubuntu.com,self@ubuntu.com\n"
            "fine@ubuntu.com,jdoe@ubuntu.com\n"))
        self.assertIn("static 3 + refused 2", ran.stdout)
        self.assertEqual(ran.stderr.count("circles"), 2)
        self.assertEqual(self.ask("fine@ubuntu.com"), "jdoe@ubuntu.com")
        self.assertIsNone(self.ask("self@ubuntu.com"))

    def test_names_that_are_not_to_be_had(self):
        self.lpalias("reserve", "chair@ubuntu.com")
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        for address, why in [("jdoe@ubuntu.com", "alias of jdoe"), ("noor@ubuntu.com", "alias of noor"),
                             ("j@ubuntu.com", "alias of jdoe"), ("chair@ubuntu.com", "reserved by hand"),
                             ("abuse@ubuntu.com", "role"), ("jdoe+x@ubuntu.com", "extension"),
                             ("x@foreign.example", "configuration")]:
            with self.subTest(address=address):
                self.refuse("alias", "add", address, "--target", f"a@{SECRET}", why=why)
        self.refuse("alias", "add", "x@ubuntu.com", "--target", "nonsense", why="target 1")
        many = [f"t{i}@{SECRET}" for i in range(51)]
        self.assertIn("50", self.put("x@ubuntu.com", *many, status=1).stderr)
        ran = self.world.lpalias("import", "--static", "--format", "csv", "-", status=4,
                                 stdin=f"chair@ubuntu.com,a@{SECRET}\n")
        self.assertIn("reserved by hand", ran.stderr)

    def test_it_needs_no_refresh(self):
        with World() as world:
            world.make_key()
            world.lpalias("alias", "add", "press@ubuntu.com", "--target", f"a@{SECRET}")
            self.assertEqual(world.lpalias("query", "--cache", "alias", "press@ubuntu.com").stdout,
                             f"a@{SECRET}\n")
            world.lpalias("query", "--cache", "alias", "other@ubuntu.com", status=75)


class Reserved(People):
    def test_by_hand_and_lifted(self):
        self.assertRegex(self.lpalias("reserve", "Chair@ubuntu.com", "--reason", "an office").stdout,
                         r"chair@ubuntu\.com +refused +reserved")
        self.assertIn("already", self.lpalias("reserve", "chair@ubuntu.com").stdout)
        rows = self.json("reserve", "--list")
        mine = [row for row in rows if row["source"] == "by hand"]
        self.assertEqual([(row["name"], row["domain"], row["reason"]) for row in mine],
                         [("chair", "ubuntu.com", "an office")])
        self.assertRegex(self.lpalias("reserve", "--list", "--domain", "ubuntu.com").stdout,
                         r"\nchair +ubuntu\.com +by hand +\d{4}-\S+ +an office\n")
        self.assertEqual(self.json("show", "chair@ubuntu.com")["kind"], "static")
        self.assertIsNone(self.ask("chair@ubuntu.com"))
        self.refuse("alias", "set", "chair@ubuntu.com", "--extension", "append", why="reserved")
        self.lpalias("alias", "remove", "chair@ubuntu.com")
        self.lpalias("show", "chair@ubuntu.com", status=2)
        self.lpalias("alias", "add", "chair@ubuntu.com", "--for", "jdoe")

    def test_the_lists(self):
        self.world.domain_keys = {"ubuntu.com": 'reserved = { "chef", "cook" }'}
        self.world.write_config()
        rows = self.json("reserve", "--list")
        self.assertEqual([row["name"] for row in rows if row["source"] == "configured"],
                         ["chef", "cook"])
        self.assertIn({"name": "root", "domain": None, "source": "shipped", "since": None,
                       "reason": None}, rows)
        self.assertNotIn("chef", self.lpalias("reserve", "--list", "-d", "kubuntu.org").stdout)

    def test_what_somebody_has_is_not_reserved(self):
        self.lpalias("alias", "add", "desk@ubuntu.com", "--target", f"a@{SECRET}")
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        for address, why in [("jdoe@ubuntu.com", "somebody has it"), ("desk@ubuntu.com", "somebody"),
                             ("j@ubuntu.com", "somebody"), ("abuse@ubuntu.com", "role"),
                             ("jdoe+x@ubuntu.com", "extension"), ("x@foreign.example", "configuration")]:
            with self.subTest(address=address):
                self.refuse("reserve", address, why=why)
        self.lpalias("pause", "kim")
        self.refuse("reserve", "kim@ubuntu.com", why="somebody")
        self.lpalias("alias", "remove", "desk@ubuntu.com")
        self.refuse("reserve", "desk@ubuntu.com", why="nobody's already")
        # Who waits for a first target has nothing yet.
        self.lpalias("reserve", "noor@ubuntu.com")
        self.world.lpalias("target", "set", "noor", f"noor@{SECRET}")
        self.assertIsNone(self.ask("noor@ubuntu.com"))


class Allowed(People):
    def test_only_what_can_be(self):
        self.lpalias("alias", "add", "desk@ubuntu.com", "--target", f"a@{SECRET}")
        self.lpalias("reserve", "chair@ubuntu.com")
        for name in ("root", "desk", "chair", "abuse", "a..b"):
            self.world.launchpad.add_person(name)
            self.world.launchpad.add_member("ubuntumembers", name)
        self.world.lpalias("refresh")
        for address, why in [("nobody@ubuntu.com", "no member"), ("desk@ubuntu.com", "alias remove"),
                             ("chair@ubuntu.com", "alias remove"), ("abuse@ubuntu.com", "role")]:
            with self.subTest(address=address):
                self.refuse("alias", "allow", address, why=why)
        self.lpalias("alias", "allow", "a..b@ubuntu.com", status=USAGE)
        self.assertRegex(self.lpalias("alias", "allow", "root@ubuntu.com").stdout,
                         r"root@ubuntu\.com +pending")
        self.assertIn("already", self.lpalias("alias", "allow", "root@ubuntu.com").stdout)
        self.assertTrue(self.json("show", "root")["domains"][0]["membership"]["is_name_allowed"])
        self.assertIn("name allowed", self.lpalias("show", "root").stdout)
        # Never live, so the name goes with the word.
        self.assertRegex(self.lpalias("alias", "allow", "root@ubuntu.com", "--withdraw").stdout,
                         r"root@ubuntu\.com +refused +reserved")


class Erased(People):
    def test_erase_forgets_and_says_what_it_cannot_reach(self):
        self.lpalias("alias", "add", "j@ubuntu.com", "--for", "jdoe")
        self.lpalias("alias", "set", "jdoe@ubuntu.com", "--extension", "drop")
        self.lpalias("pause", "jdoe")
        self.lpalias("resume", "jdoe")
        ran = self.lpalias("erase", "--yes", "JDoe")
        self.assertIn("Backups", ran.stdout)
        self.assertIsNone(self.ask("jdoe@ubuntu.com"))
        person = self.json("show", "jdoe")
        self.assertEqual((person["target_count"], person["sources"]["operator"]["proven"]), (0, 0))
        membership = person["domains"][0]["membership"]
        self.assertEqual((membership["extras"], membership["extension"], membership["live_since"]),
                         ([], "append", None))
        rows = self.rows()
        self.assertEqual((rows["jdoe@ubuntu.com"]["state"], rows["jdoe@ubuntu.com"]["target_count"]),
                         ("pending", 0))
        self.assertEqual((rows["j@ubuntu.com"]["state"], rows["j@ubuntu.com"]["owner"]), ("gone", None))
        self.refuse("alias", "add", "j@ubuntu.com", "--for", "kim", why="erased")
        before = self.json("status")["generation"]
        self.world.lpalias("refresh")
        self.assertEqual(self.json("status")["generation"], before, "a refresh finds nothing to mend")
        self.assertEqual(self.ask("kim@ubuntu.com"), f"kim@{SECRET}")

    def test_a_leaver_is_gone_at_once(self):
        self.world.launchpad.remove_member("ubuntumembers", "jdoe")
        for seconds in (100, 200):
            self.world.lpalias("refresh", after_s=seconds)
        self.assertEqual(self.ask("jdoe@ubuntu.com"), f"jdoe@{SECRET}")
        self.assertTrue(self.json("erase", "--yes", "jdoe")["changed"])
        self.assertEqual(self.rows()["jdoe@ubuntu.com"]["state"], "gone")
        self.assertIsNone(self.ask("jdoe@ubuntu.com"))

    def test_a_ban_outlives_it(self):
        self.lpalias("ban", "jdoe", "--reason", "lives in Main Street")
        self.lpalias("erase", "--yes", "jdoe")
        person = self.json("show", "jdoe")
        self.assertEqual((person["is_banned"], person["ban_reason"]), (True, None))
        self.assertEqual(self.rows()["jdoe@ubuntu.com"]["reason"], "banned")
        self.lpalias("ban", "ahead", "--reason", "x")
        self.lpalias("erase", "--yes", "ahead")
        self.assertTrue(self.json("show", "ahead")["is_banned"])

    def test_it_can_be_done_again_and_lived_after(self):
        for _ in range(2):
            self.lpalias("erase", "--yes", "jdoe")
        self.world.lpalias("target", "set", "jdoe", f"back@{SECRET}")
        self.assertEqual(self.ask("jdoe@ubuntu.com"), f"back@{SECRET}")


if __name__ == "__main__":
    tap.main()
