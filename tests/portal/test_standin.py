"""Holds the stand-in Ubuntu One to the facts: the consumer half of python3-openid must take it for a provider."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, os.pardir, "lib")
sys.path.insert(0, LIB)

import tap  # noqa: E402
from launchpad_standin import LaunchpadStandIn  # noqa: E402

try:
    from openid import fetchers
    from openid.consumer import consumer
    from openid.extensions import ax, sreg
    from openid.store.memstore import MemoryStore
    from openid_teams import teams

    from ubuntu_one_standin import UbuntuOneStandIn, bring

    # Only loopback servers are asked, and by plain urllib.
    fetchers.setDefaultFetcher(fetchers.Urllib2Fetcher())
    MISSING = None
except ImportError as error:
    MISSING = f"python3-openid cannot be imported: {error}"

DATA = os.path.join(LIB, "ubuntu.json")
RETURN_TO = "https://rp.example/auth/ok?state=s3cr3t"
REALM = "https://rp.example/"
PERSON = "bela-kovacs"
NICKNAME_URI = "http://axschema.org/namePerson/friendly"
VERIFIED_URI = "http://ns.login.ubuntu.com/2013/validation/account"
# As it was measured for a full request (facts 7.3).
MEASURED_SIGNED = ("assoc_handle,ax.count.nickname,ax.mode,ax.type.nickname,ax.value.nickname.1,claimed_id,identity,"
                   "lp.is_member,mode,ns,ns.ax,ns.lp,ns.sreg,op_endpoint,response_nonce,return_to,signed,sreg.email,"
                   "sreg.fullname,sreg.nickname,sreg.timezone")


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if MISSING:
            raise unittest.SkipTest(MISSING)
        cls.standin = UbuntuOneStandIn(DATA).start()
        cls.addClassCleanup(cls.standin.stop)

    def setUp(self):
        self.standin.reset()

    def ask(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.standin.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        response = connection.getresponse()
        response.text = response.read().decode()
        return response

    def control(self, name, /, **arguments):
        reply = self.ask(f"/+standin/{name}", "POST", json.dumps(arguments))
        return json.loads(reply.text)["result"] if reply.status == 200 else reply.text


class Discovery(Case):
    def types(self, document):
        return [each.text for each in xml.etree.ElementTree.fromstring(document).iter("{xri://$xrd*($v*2.0)}Type")]

    def test_root(self):
        wanted = self.types(self.ask("/+xrds").text)
        self.assertEqual("http://specs.openid.net/auth/2.0/server", wanted[0])
        self.assertEqual(wanted, self.types(self.ask("/", Accept="application/xrds+xml").text))
        page = self.ask("/")
        self.assertEqual(self.standin.root + "/+xrds", page.headers["X-XRDS-Location"])
        self.assertIn("text/html", page.headers["Content-Type"])

    def test_identifier(self):
        identifier = self.standin.accounts()[PERSON]["id"]
        page = self.ask(f"/+id/{identifier}")
        self.assertEqual(f"{self.standin.identifiers}{identifier}/+xrds", page.headers["X-XRDS-Location"])
        document = self.ask(f"/+id/{identifier}/+xrds").text
        self.assertEqual("http://specs.openid.net/auth/2.0/signon", self.types(document)[0])
        self.assertIn(f"<LocalID>{self.standin.identifiers}{identifier}</LocalID>", document)
        self.assertEqual(404, self.ask("/+id/nobody1").status)
        self.standin.set_account(PERSON, active=False)
        self.assertEqual(404, self.ask(f"/+id/{identifier}").status)


class Consumer(Case):
    def request(self, site, **extensions):
        """A checkid_setup as the library makes it, for whoever the person is."""
        request = site.begin(self.standin.root + "/")
        request.addExtension(sreg.SRegRequest(required=["nickname", "email"], optional=["fullname", "timezone"]))
        fetch = ax.FetchRequest()
        for uri, alias in extensions.get("attributes", {NICKNAME_URI: "nickname"}).items():
            fetch.add(ax.AttrInfo(uri, alias=alias, required=True))
        request.addExtension(fetch)
        request.addExtension(teams.TeamsRequest(extensions.get("teams", ["ubuntumembers", "edubuntu-members"])))
        return request.redirectURL(REALM, RETURN_TO)

    def complete(self, site, brought):
        fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(brought.url).query))
        fields.update(brought.fields)
        return site.complete(fields, brought.url.partition("&openid.")[0])

    def assert_is_person(self, response):
        self.assertEqual(consumer.SUCCESS, response.status, getattr(response, "message", ""))
        self.assertEqual(self.standin.identifiers + self.standin.accounts()[PERSON]["id"], response.identity_url)
        self.assertEqual(
            {"nickname": PERSON, "email": "bela@kovacs.example", "fullname": "Béla Kovács", "timezone": "UTC"},
            dict(sreg.SRegResponse.fromSuccessResponse(response).items()))
        self.assertEqual(PERSON, ax.FetchResponse.fromSuccessResponse(response).getSingle(NICKNAME_URI))
        self.assertEqual(["ubuntumembers"], teams.TeamsResponse.fromSuccessResponse(response).teams)

    def test_without_association(self):
        """The library verifies by check_authentication, as we do."""
        site = consumer.Consumer({}, None)
        self.assert_is_person(self.complete(site, bring(self.request(site), PERSON)))
        self.assertEqual(1, self.standin.count("check_authentication"))
        self.assertEqual(0, self.standin.count("associate"))

    def test_with_association(self):
        site = consumer.Consumer({}, MemoryStore())
        self.assert_is_person(self.complete(site, bring(self.request(site), PERSON)))
        self.assertEqual(1, self.standin.count("associate"))
        self.assertEqual(0, self.standin.count("check_authentication"))

    def test_by_post(self):
        site = consumer.Consumer({}, None)
        self.standin.add_fault("by-post")
        brought = bring(self.request(site), PERSON)
        self.assertEqual("POST", brought.method)
        self.assertTrue(brought.url.startswith(RETURN_TO), brought.url)
        self.assert_is_person(self.complete(site, brought))

    def test_the_library_refuses_too(self):
        for fault, status in (("tampered-nickname", consumer.FAILURE), ("foreign-endpoint", consumer.FAILURE),
                              ("verification-false", consumer.FAILURE), ("unsigned-nonce", consumer.FAILURE),
                              ("setup-needed", consumer.SETUP_NEEDED), ("cancel", consumer.CANCEL),
                              ("error", consumer.FAILURE)):
            with self.subTest(fault=fault):
                self.standin.reset()
                site = consumer.Consumer({}, None)
                self.standin.add_fault(fault, hits=1)
                self.assertEqual(status, self.complete(site, bring(self.request(site), PERSON)).status)
                self.assert_is_person(self.complete(site, bring(self.request(site), PERSON)))

    def test_a_verification_counts_once(self):
        query = urllib.parse.urlsplit(bring(self.request(consumer.Consumer({}, None)), PERSON).url).query
        body = query.replace("openid.mode=id_res", "openid.mode=check_authentication")
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        first = self.ask("/+openid", "POST", body, **form)
        self.assertEqual((200, "is_valid:true\nns:http://specs.openid.net/auth/2.0\n"), (first.status, first.text))
        self.assertIn("is_valid:false\n", self.ask("/+openid", "POST", body, **form).text)

    def test_signed_is_as_measured(self):
        query = urllib.parse.urlsplit(bring(self.request(consumer.Consumer({}, None)), PERSON).url).query
        fields = dict(urllib.parse.parse_qsl(query))
        self.assertEqual(MEASURED_SIGNED, fields["openid.signed"])
        self.assertRegex(fields["openid.response_nonce"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ[!-~]+$")
        self.assertEqual("1", fields["openid.ax.count.nickname"])

    def test_teams_empty_and_absent(self):
        for account, told in (("ingrid", True), ("noprofile", False)):
            if account == "noprofile":
                self.standin.add_account("noprofile", nickname=None)
            url = bring(self.request(consumer.Consumer({}, None), teams=["nobodys-team"]), account).url
            fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True))
            self.assertEqual("" if told else None, fields.get("openid.lp.is_member"), account)

    def test_validation(self):
        for verified, word in ((True, "token_via_email"), (False, "no")):
            self.standin.set_account(PERSON, verified=verified)
            site = consumer.Consumer({}, None)
            response = self.complete(site, bring(self.request(site, attributes={VERIFIED_URI: "v"}), PERSON))
            self.assertEqual(word, ax.FetchResponse.fromSuccessResponse(response).getSingle(VERIFIED_URI))


class Control(Case):
    def test_over_http(self):
        self.assertEqual(PERSON, self.control("accounts")[PERSON]["nickname"])
        self.assertIn("foreign-endpoint", self.control("fault-names"))
        self.assertEqual(1, self.control("add-fault", name="cancel", account=PERSON))
        self.assertIn("no such fault", self.control("add-fault", name="earthquake"))
        self.assertIn("no such account", self.control("log-in-as", name="nobody"))
        self.assertIn("an account has no karma", self.control("add-account", name="x", karma=1))
        self.assertIn("no such control", self.control("stop"))
        self.assertEqual([], self.control("log"), "what is asked of the stand-in itself is not logged")

    def test_whose_login(self):
        self.control("log-in-as", name=PERSON)
        site = consumer.Consumer({}, None)
        request = site.begin(self.standin.root + "/").redirectURL(REALM, RETURN_TO)
        self.assertIn("openid.mode=id_res", bring(request).url)
        self.assertIn("openid.mode=cancel", bring(request, "").url)
        self.control("log-in-as")
        with self.assertRaises(ValueError):
            bring(request)

    def test_faults_count_for_themselves(self):
        site = consumer.Consumer({}, None)
        request = site.begin(self.standin.root + "/").redirectURL(REALM, RETURN_TO)
        self.standin.add_fault("cancel", account=PERSON, hits=2)
        self.assertEqual(["id_res", "cancel", "id_res"], [
            dict(urllib.parse.parse_qsl(bring(request, PERSON).url))["openid.mode"] for _ in range(3)])
        self.assertIn("openid.mode=id_res", bring(request, "ingrid").url)

    def test_a_request_that_is_none(self):
        self.assertEqual(200, self.ask("/+openid").status)
        self.assertEqual(400, self.ask("/+openid?openid.mode=dance&openid.ns=http://specs.openid.net/auth/2.0").status)
        self.assertEqual(404, self.ask("/nowhere").status)
        self.assertEqual(400, self.ask("/unknown/+decide").status)

    def test_as_a_program(self):
        with tempfile.TemporaryDirectory() as directory:
            ready = os.path.join(directory, "ready")
            program = [sys.executable, os.path.join(LIB, "ubuntu_one_standin.py"), "--data", DATA,
                       "--ready-file", ready]
            with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
                root = process.stdout.readline().strip()
                connection = http.client.HTTPConnection(urllib.parse.urlsplit(root).netloc, timeout=10)
                connection.request("GET", "/+xrds")
                self.assertIn(root + "/+openid", connection.getresponse().read().decode())
                connection.close()
                process.terminate()
                self.assertEqual(0, process.wait(10))
            with open(ready, encoding="utf-8") as file:
                self.assertEqual(root, file.read().strip())


class Launchpad(Case):
    """The same people in both stand-ins, joined by the identifier."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.launchpad = LaunchpadStandIn(DATA).start()
        cls.addClassCleanup(cls.launchpad.stop)

    def test_every_account_is_a_person_of_its_teams(self):
        for name, account in self.standin.accounts().items():
            fields = self.launchpad.registry.objects[name]
            self.assertEqual((account["id"], account["email"]), (fields["openid"], fields["email"]))
        accounts = self.standin.accounts()
        self.assertEqual(len(accounts), len({each["id"] for each in accounts.values()}))
        self.assertIn("ubuntumembers", accounts["keiko"]["teams"], "by way of another team, too")
        self.assertNotIn("example-hidden-council", {team for each in accounts.values() for team in each["teams"]})

    def test_launchpadlib_finds_who_logged_in(self):
        try:
            from launchpadlib.launchpad import Launchpad as Service
        except ImportError as error:
            self.skipTest(f"launchpadlib cannot be imported: {error}")
        with tempfile.TemporaryDirectory() as cache:
            service = Service.login_anonymously("test", self.launchpad.origin + "/", cache, version="devel")
            identifier = "https://login.launchpad.net/+id/" + self.standin.accounts()[PERSON]["id"]
            self.assertEqual(PERSON, service.people.getByOpenIDIdentifier(identifier=identifier).name)
            self.assertIsNone(service.people.getByOpenIDIdentifier(identifier=identifier + "x"))
            self.launchpad.rename(PERSON, "bela-k")
            self.assertEqual("bela-k", service.people.getByOpenIDIdentifier(identifier=identifier).name)


if __name__ == "__main__":
    tap.main()
