"""docs/monitoring: the alerts fire when they should and only then, each has its section in
docs/operations.md, and rules and dashboard know no metric that lpaliasd does not have."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import tap
from lpalias_world import PATIENCE_S, World, program, why_not
from mail_sink import free_port
from status_client import get, wait_until

DOCS = os.path.join(HERE, "..", "..", "docs")
RULES = os.path.join(DOCS, "monitoring", "lpalias.rules.yml")
DASHBOARD = os.path.join(DOCS, "monitoring", "grafana.json")
OPERATIONS = os.path.join(DOCS, "operations.md")

SERVER = 'job="lpaliasd", instance="h"'
DOMAIN = f'{SERVER}, domain="d.example"'
MINUTES = 180  # that each series lasts; it is looked at their end


def gauge(name, before, after=None, last=10, labels=SERVER):
    """A series that has one value, and another one in its last minutes."""
    values = f"{before}x{MINUTES}" if after is None else f"{before}x{MINUTES - last - 1} {after}x{last}"
    return {"series": f"{name}{{{labels}}}", "values": values}


def steady(name, step, labels=SERVER):
    """A counter that grows by so much a minute."""
    return {"series": f"{name}{{{labels}}}", "values": f"0+{step}x{MINUTES}"}


def values(name, text, labels=SERVER):
    """A series in promtool's own notation."""
    return {"series": f"{name}{{{labels}}}", "values": text}


def jump(name, last=10, labels=SERVER):
    """A counter that rises once, in its last minutes."""
    return gauge(name, 2, 3, last, labels)


def temporary(text):
    return values("lpalias_lookups_total", text, f'{SERVER}, map="alias", outcome="temporary"')


def buckets(fast, slow):
    name = "lpalias_lookup_duration_seconds_bucket"
    return [steady(name, fast, f'{SERVER}, le="0.01"'),
            *(steady(name, fast + slow, f'{SERVER}, le="{le}"') for le in ("0.05", "+Inf"))]


def health(state, *arguments):
    return gauge("lpalias_cache_health", *arguments, labels=f'{SERVER}, state="{state}"')


def outcome(word, *arguments):
    return gauge("lpalias_refresh_last_outcome", *arguments, labels=f'{DOMAIN}, outcome="{word}"')


def stale(age_limit_s):
    """The last success is at 0 and it is 10800 now."""
    return [gauge("lpalias_refresh_last_success_timestamp_seconds", 0, labels=DOMAIN),
            gauge("lpalias_refresh_stale_after_seconds", age_limit_s)]


NO_MAP = f'{SERVER}, map="unknown", outcome="no_map"'
# Alert -> (series with which it fires, several such; series with which it does not)
CASES = {
    "LpaliasServerDown": (
        [[gauge("up", 1, 0)], [gauge("other", 1)]],
        [[gauge("up", 1)], [gauge("up", 1, 0, last=1)], [gauge("up", 0, 1)]]),
    "LpaliasServerRestarts": (
        [[values("process_start_time_seconds", "0x130 1x9 2x9 3x9 4x20")]],
        [[values("process_start_time_seconds", "0x130 1x9 2x9 3x30")],
         [values("process_start_time_seconds", "0x60 1x9 2x9 3x9 4x90")]]),
    "LpaliasReloadRefused": (
        [[gauge("lpalias_last_reload_refused", 0, 1)]],
        [[gauge("lpalias_last_reload_refused", 1, 0)]]),
    "LpaliasTemporaryAnswers": (
        [[temporary(f"0+1x{MINUTES}")], [temporary("0x150 0+5x30")]],
        [[temporary(f"9x{MINUTES}")], [temporary("0x176 1x3")], [temporary("0x150 1x30")]]),
    "LpaliasUnknownMap": (
        [[jump("lpalias_lookups_total", labels=NO_MAP)]],
        [[jump("lpalias_lookups_total", labels=NO_MAP, last=30)]]),
    "LpaliasUnsendableReplies": (
        [[jump("lpalias_unsendable_replies_total")]],
        [[jump("lpalias_unsendable_replies_total", last=90)]]),
    "LpaliasSlowLookups": (
        [buckets(900, 100)],
        [buckets(10000, 1), buckets(0, 0)]),
    "LpaliasConnectionsEvicted": (
        [[jump("lpalias_connections_evicted_total", labels=f'{SERVER}, reason="limit"')],
         [jump("lpalias_connections_evicted_total", labels=f'{SERVER}, reason="descriptors"')]],
        [[jump("lpalias_connections_evicted_total", 30, f'{SERVER}, reason="limit"')]]),
    "LpaliasConnectionsStalled": (
        [[jump("lpalias_connections_stalled_total", labels=f'{SERVER}, waited_for="reader"')]],
        [[jump("lpalias_connections_stalled_total", 30, f'{SERVER}, waited_for="reader"')]]),
    "LpaliasConnectionsNearLimit": (
        [[gauge("lpalias_connections", 950), gauge("lpalias_connections_limit", 1024)]],
        [[gauge("lpalias_connections", 900), gauge("lpalias_connections_limit", 1024)],
         [gauge("lpalias_connections", 5, 1000, last=5), gauge("lpalias_connections_limit", 1024)]]),
    "LpaliasBadRequests": (
        [[jump("lpalias_connections_bad_total")]],
        [[jump("lpalias_connections_bad_total", last=30)]]),
    "LpaliasAcceptFailures": (
        [[jump("lpalias_accept_failures_total", labels=f'{SERVER}, listener="unix:/x"')]],
        [[gauge("lpalias_accept_failures_total", 2, labels=f'{SERVER}, listener="unix:/x"')]]),
    "LpaliasCacheUnreadable": (
        [[health("unreadable", 0, 1)]],
        [[health("unreadable", 1, 0)], [health("well", 1)]]),
    "LpaliasCacheDistrusted": (
        [[health("distrusted", 0, 1)]],
        [[health("distrusted", 1, 0)], [health("unreadable", 1)]]),
    "LpaliasCacheNearlyFull": (
        [[gauge("lpalias_cache_used_bytes", 900), gauge("lpalias_cache_limit_bytes", 1000)]],
        [[gauge("lpalias_cache_used_bytes", 700), gauge("lpalias_cache_limit_bytes", 1000)]]),
    "LpaliasReaderStuck": (
        [[steady("lpalias_cache_oldest_reader_age_seconds", 60)]],
        [[values("lpalias_cache_oldest_reader_age_seconds", "0+60x165 0+60x14")]]),
    "LpaliasStaleReaders": (
        [[steady("lpalias_cache_stale_readers_total", 1)]],
        [[jump("lpalias_cache_stale_readers_total")]]),
    "LpaliasOutboxStuck": (
        [[gauge("lpalias_outbox_oldest_timestamp_seconds", 0)]],
        [[gauge("lpalias_outbox_oldest_timestamp_seconds", 0, 9000)], [gauge("other", 1)]]),
    "LpaliasOutboxOverdue": (
        [[gauge("lpalias_outbox_overdue_notices", 0, 1)]],
        [[gauge("lpalias_outbox_overdue_notices", 1, 0)]]),
    "LpaliasDomainClosed": (
        [[gauge("lpalias_domain_open", 0, labels=DOMAIN),
          gauge("lpalias_domain_configured", 1, labels=DOMAIN)]],
        [[gauge("lpalias_domain_open", 1, 0, last=30, labels=DOMAIN),
          gauge("lpalias_domain_configured", 1, labels=DOMAIN)],
         [gauge("lpalias_domain_open", 0, labels=DOMAIN),
          gauge("lpalias_domain_configured", 0, labels=DOMAIN)]]),
    "LpaliasDomainNotConfigured": (
        [[gauge("lpalias_domain_configured", 0, labels=DOMAIN)]],
        [[gauge("lpalias_domain_configured", 1, labels=DOMAIN)]]),
    "LpaliasDomainHeld": (
        [[gauge("lpalias_domain_held", 0, 1, labels=DOMAIN)]],
        [[gauge("lpalias_domain_held", 1, 0, labels=DOMAIN)]]),
    "LpaliasDomainFrozen": (
        [[gauge("lpalias_domain_frozen", 0, 1, labels=DOMAIN)]],
        [[gauge("lpalias_domain_frozen", 1, 0, labels=DOMAIN)]]),
    "LpaliasRefreshStale": ([stale(3600)], [stale(21600)]),
    "LpaliasRefreshFailing": (
        [[outcome("unusable", 1)], [outcome("failed", 1)]],
        [[outcome("held", 1)], [outcome("applied", 1)], [outcome("unusable", 0, 1, 30)]]),
    "LpaliasRefreshNotRunning": (
        [[gauge("lpalias_refresh_last_attempt_timestamp_seconds", 0, labels=DOMAIN)]],
        [[gauge("lpalias_refresh_last_attempt_timestamp_seconds", 0, 9000, labels=DOMAIN)]]),
}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def promtool(*arguments, stdin=None):
    """Runs it; what it says when it finds something wrong, else None."""
    done = subprocess.run(["promtool", *arguments], input=stdin, text=True, capture_output=True,
                          timeout=120, check=False)
    return None if done.returncode == 0 else done.stdout + done.stderr


def alerts():
    """The names of the rules, in the order of the file."""
    return re.findall(r"^ +- alert: (\w+)$", read(RULES), re.MULTILINE)


def metrics_in(expression):
    return set(re.findall(r"\b(?:lpalias|process)_\w+", expression))


def dashboard_panels():
    return json.loads(read(DASHBOARD))["panels"]


def dashboard_expressions():
    """Of all panels, with Grafana's variables filled in."""
    for panel in dashboard_panels():
        for target in panel.get("targets", []):
            text = target["expr"]
            for name, value in (("$__rate_interval", "5m"), ("$job", ".*"), ("$instance", ".*")):
                text = text.replace(name, value)
            yield text


def needs_promtool(test):
    return unittest.skipIf(shutil.which("promtool") is None, "promtool is not installed")(test)


class Rules(unittest.TestCase):
    """The alert rules by themselves."""

    @needs_promtool
    def test_promtool_has_nothing_to_say(self):
        self.assertIsNone(promtool("check", "rules", RULES))

    def test_each_alert_has_cases_of_both_kinds(self):
        self.assertEqual(sorted(CASES), sorted(alerts()))
        for name, (fires, quiet) in CASES.items():
            self.assertTrue(fires and quiet, name)

    @needs_promtool
    def test_each_alert_fires_and_does_not_fire(self):
        """All cases of an alert in one file of promtool's own unit tests."""
        for name, (fires, quiet) in CASES.items():
            query = f'count(ALERTS{{alertname="{name}", alertstate="firing"}})'
            tests = [{"interval": "1m", "input_series": series,
                      "promql_expr_test": [{"expr": query, "eval_time": f"{MINUTES}m",
                                            "exp_samples": wanted}]}
                     for cases, wanted in ((fires, [{"labels": "{}", "value": 1}]), (quiet, []))
                     for series in cases]
            with self.subTest(alert=name), tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "test.json")  # JSON is YAML
                with open(path, "w", encoding="utf-8") as file:
                    json.dump({"rule_files": [os.path.abspath(RULES)], "evaluation_interval": "1m",
                               "tests": tests}, file)
                self.assertIsNone(promtool("test", "rules", path))


class Manual(unittest.TestCase):
    """docs/operations.md says what each alert means and what to do."""

    def sections(self):
        """{alert: text} of "## Alerts"."""
        text = re.search(r"^## Alerts\n(.*?)(?=^## |\Z)", read(OPERATIONS),
                         re.MULTILINE | re.DOTALL)[1]
        parts = re.split(r"^### (\w+)\n", text, flags=re.MULTILINE)[1:]
        return dict(zip(parts[::2], parts[1::2]))

    def test_each_alert_has_its_section_and_points_there(self):
        self.assertEqual(list(self.sections()), alerts())
        self.assertEqual(re.findall(r"runbook: operations\.md#(\w+)", read(RULES)),
                         [name.lower() for name in alerts()])

    def test_each_section_says_what_to_do(self):
        sections = self.sections()
        for name, text in sections.items():
            others = [other for other in sections if other != name and other in text]
            self.assertTrue("```" in text or others, name)

    @unittest.skipIf(why_not(), why_not() or "")
    def test_the_commands_exist_with_their_options(self):
        blocks = "".join(re.findall(r"```\n(.*?)```", "".join(self.sections().values()), re.DOTALL))
        usage = subprocess.run([program("LPALIAS"), "--help"], capture_output=True, text=True,
                               check=True).stdout
        for line in re.findall(r"^lpalias (.*?)(?: +#.*)?$", blocks, re.MULTILINE):
            words = line.split()
            command = " ".join(word for word in words[:2] if re.fullmatch(r"[a-z-]+", word) and
                               not word.startswith("-"))
            found = re.search(rf"^  {re.escape(command)}\b.*$", usage, re.MULTILINE) or \
                re.search(rf"^  {words[0]}( .*)?$", usage, re.MULTILINE)
            self.assertIsNotNone(found, line)
            for option in (word for word in words if word.startswith("--")):
                self.assertIn(option, found[0], line)


class Dashboard(unittest.TestCase):
    """The dashboard for Grafana."""

    def test_panels_have_their_own_id_and_place(self):
        panels = dashboard_panels()
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells

    def test_the_source_of_the_data_is_chosen_by_who_looks(self):
        variables = {variable["name"]: variable
                     for variable in json.loads(read(DASHBOARD))["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        for panel in dashboard_panels():
            for target in panel.get("targets", []):
                self.assertEqual(target["datasource"]["uid"], "${datasource}", panel["title"])

    @needs_promtool
    def test_the_expressions_are_expressions(self):
        rules = [{"record": f"panel:{number}", "expr": text}
                 for number, text in enumerate(dashboard_expressions())]
        self.assertGreater(len(rules), 20)
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "rules.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"groups": [{"name": "panels", "rules": rules}]}, file)
            self.assertIsNone(promtool("check", "rules", path))


@unittest.skipIf(why_not(), why_not() or "")
class Scrape(unittest.TestCase):
    """What lpaliasd really says."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        path = os.path.join(cls.world.directory, "metrics")
        cls.world.server = [f'metrics = "unix:{path}"']
        cls.world.write_config()
        cls.world.fill()
        cls.world.start_server()
        wait_until(path, lambda seen: ("lpalias_outbox_notices",) in seen, "it counted")
        cls.text = get(path, "/metrics")[1]
        cls.samples = set(re.findall(r"^(\w+)", cls.text, re.MULTILINE))

    @needs_promtool
    def test_promtool_has_nothing_to_say(self):
        self.assertIsNone(promtool("check", "metrics", stdin=self.text))

    def test_each_metric_is_described_once(self):
        described = re.findall(r"^# HELP (\w+) .+\n# TYPE \1 (\w+)$", self.text, re.MULTILINE)
        self.assertEqual(len(described), self.text.count("# HELP "))
        self.assertEqual(len({name for name, _ in described}), len(described))
        names = {name for name, _ in described}
        self.assertEqual({re.sub("_(bucket|sum|count)$", "", sample)
                          for sample in self.samples}, names)

    def test_rules_and_dashboard_know_nothing_else(self):
        for where, text in [("rules", read(RULES)), ("dashboard", read(DASHBOARD))]:
            self.assertEqual(metrics_in(text) - self.samples, set(), where)

    def test_each_metric_is_in_the_manual(self):
        manual = read(os.path.join(DOCS, "protocols.md"))
        names = set(re.findall(r"^# TYPE (\w+)", self.text, re.MULTILINE))
        self.assertEqual(names - set(re.findall(r"`(\w+)`", manual)), set())


@unittest.skipIf(why_not(), why_not() or "")
@unittest.skipIf(shutil.which("prometheus") is None, "prometheus is not installed")
class Prometheus(unittest.TestCase):
    """Prometheus itself reads the metrics and evaluates the rules."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.web, metrics = free_port(), free_port()
        self.world.server = [f'metrics = "inet:127.0.0.1:{metrics}"']
        self.world.write_config()
        self.world.fill()
        self.world.start_server()
        path = os.path.join(self.world.directory, "prometheus.json")  # JSON is YAML
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                       "rule_files": [os.path.abspath(RULES)],
                       "scrape_configs": [{"job_name": "lpaliasd", "static_configs": [
                           {"targets": [f"127.0.0.1:{metrics}"]}]}]}, file)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={path}", f"--web.listen-address=127.0.0.1:{self.web}",
             f"--storage.tsdb.path={self.world.directory}/tsdb"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def ask(self, path):
        """What its API says; None while it is starting."""
        try:
            status, body, _ = get(self.web, path)
        except OSError:
            return None
        return json.loads(body)["data"] if status == 200 else None

    def wait_for(self, query, wanted):
        end = time.monotonic() + PATIENCE_S
        path = "/api/v1/query?query=" + urllib.parse.quote(query)
        while True:
            found = self.ask(path)
            values = [row["value"][1] for row in found["result"]] if found else None
            if values == wanted:
                return
            if time.monotonic() > end:
                self.fail(f"{query} stays {values}")
            time.sleep(0.1)

    def evaluated_rules(self):
        """All rules, once each was evaluated."""
        end = time.monotonic() + PATIENCE_S
        while True:
            rules = [rule for group in self.ask("/api/v1/rules")["groups"]
                     for rule in group["rules"]]
            if all(rule["health"] != "unknown" for rule in rules):
                return rules
            if time.monotonic() > end:
                self.fail("not all rules are evaluated")
            time.sleep(0.1)

    def test_it_reads_and_evaluates(self):
        self.world.ask("domain", "ubuntu.com")
        self.wait_for('lpalias_lookups_total{map="domain", outcome="found", protocol="socketmap"}',
                      ["1"])
        self.wait_for("sum(lpalias_domain_open)", ["5"])
        self.wait_for('ALERTS{alertname="LpaliasDomainClosed", domain="kubuntu.org"}', ["1"])
        rules = self.evaluated_rules()
        self.assertEqual(sorted(rule["name"] for rule in rules), sorted(alerts()))
        self.assertEqual({rule["name"] for rule in rules if rule["health"] != "ok"}, set())
        self.wait_for('count(ALERTS{alertname!="LpaliasDomainClosed"}) or vector(0)', ["0"])
        self.world.stop_server()
        self.wait_for('ALERTS{alertname="LpaliasServerDown"}', ["1"])


if __name__ == "__main__":
    tap.main()
