"""The pages for monitoring of lpaliasd, as a monitoring system reads them.

    metrics = scrape(world.metrics)
    metrics["lpalias_lookups_total", ("map", "alias"), ("outcome", "found"), ("protocol", "policy")]

An endpoint is a unix socket path or a loopback port. Reading metrics needs python3-prometheus-client.
"""

import http.client
import time

from lpalias_world import PATIENCE_S, connect


class Connection(http.client.HTTPConnection):
    """HTTP over either kind of endpoint."""

    def __init__(self, endpoint):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.endpoint = endpoint

    def connect(self):
        self.sock = connect(self.endpoint)


def get(endpoint, path, method="GET"):
    """(status, body, headers) of a page."""
    connection = Connection(endpoint)
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        return reply.status, reply.read().decode("utf-8"), reply.headers
    finally:
        connection.close()


def families(endpoint):
    """The metrics as Prometheus' own parser sees them."""
    from prometheus_client.parser import text_string_to_metric_families
    status, body, _ = get(endpoint, "/metrics")
    if status != 200:
        raise AssertionError(f"/metrics: {status}\n{body}")
    return list(text_string_to_metric_families(body))


def scrape(endpoint):
    """{(sample, (label, value), ...) in the order of labels: number}"""
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in families(endpoint) for sample in family.samples}


def scrape_fresh(endpoint):
    """What is counted by now: metrics that are younger than a tenth of a second may be shown again."""
    time.sleep(0.11)
    return scrape(endpoint)


def wait_until(endpoint, condition, what):
    """The first scrape that satisfies condition."""
    end = time.monotonic() + PATIENCE_S
    while True:
        seen = scrape_fresh(endpoint)
        if condition(seen):
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"it never came about that {what}")
