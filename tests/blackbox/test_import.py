"""`lpalias import`: targets that are addresses of ours are taken to where they lead in the end."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import tap
from house import DOMAIN, OTHER_DOMAIN, House, why_not_here

UNUSABLE = 4


@unittest.skipIf(why_not_here(), why_not_here() or "")
class Resolving(unittest.TestCase):
    """ann, ben, cid and dan are members here, ann and eve in the other domain."""

    def setUp(self):
        self.house = House(["ann", "ben", "cid", "dan"], others=["ann", "eve"])
        self.addCleanup(self.house.close)

    def take(self, *rows, status=0):
        return self.house.run("import", "--format", "virtual", "-", status=status,
                              stdin="".join(f"{row}\n" for row in rows))

    def answer(self, name, domain=DOMAIN):
        return self.house.answer(f"{name}@{domain}")

    def test_by_the_file_in_any_order(self):
        self.take(f"ann@{OTHER_DOMAIN} ann@{DOMAIN}", f"ann@{DOMAIN} new-ann@home.example")
        self.assertEqual(self.answer("ann"), "new-ann@home.example")
        self.assertEqual(self.answer("ann", OTHER_DOMAIN), "new-ann@home.example")

    def test_by_the_cache(self):
        self.take(f"eve@{OTHER_DOMAIN} ben@{DOMAIN}")
        self.assertEqual(self.answer("eve", OTHER_DOMAIN), "ben@home.example")

    def test_through_several_to_several(self):
        self.take(f"cid@{DOMAIN} desk@{DOMAIN}", f"desk@{DOMAIN} ben@{DOMAIN}, x@far.example",
                  f"ben@{DOMAIN} new-ben@home.example")
        self.assertEqual(self.answer("cid"), "new-ben@home.example,x@far.example")

    def test_an_extension_goes_along(self):
        self.take(f"cid@{DOMAIN} ben+from-cid@{DOMAIN}")
        self.assertEqual(self.answer("cid"), "ben+from-cid@home.example")

    def test_what_leads_nowhere_is_reported(self):
        ran = self.take(f"ann@{DOMAIN} nobody@{DOMAIN}", status=UNUSABLE)
        self.assertIn("leads nowhere", ran.stderr)
        self.assertNotIn("nobody@", ran.stderr)
        self.assertEqual(self.answer("ann"), "ann@home.example")

    def test_a_circle_is_reported(self):
        ran = self.take(f"ann@{DOMAIN} ben@{DOMAIN}", f"ben@{DOMAIN} ann@{DOMAIN}",
                        f"cid@{DOMAIN} cid@{DOMAIN}", status=UNUSABLE)
        self.assertEqual(ran.stderr.count("leads in a circle"), 3)
        self.assertEqual(self.answer("ann"), "ann@home.example")


if __name__ == "__main__":
    tap.main()
