#!/usr/bin/python3
"""portal_visit.py URL NAME: logs in to the portal there as NAME, without a browser, by way of a stand-in
Ubuntu One, and prints what the portal then says of that member. Status 0: one of the addresses is
live."""

import http.client
import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ubuntu_one_standin import bring


class Visit:
    """What one browser does at one site."""

    def __init__(self, url):
        self.site = urllib.parse.urlsplit(url)
        self.cookies = {}

    def request(self, method, path, fields=None):
        """The answer, of which the cookies are kept."""
        connection = http.client.HTTPConnection(self.site.hostname, self.site.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def log_in(self, name):
        """Where the portal sends the browser to in the end."""
        answer = self.request("GET", "/login")
        if answer.status != 303:
            sys.exit(f"/login: {answer.status} {answer.text}")
        brought = bring(answer.headers["Location"], name)
        back = urllib.parse.urlsplit(brought.url)
        fields = brought.fields if brought.method == "POST" else None
        return self.request(brought.method, f"{back.path}?{back.query}", fields).headers["Location"]


def main():
    _, url, name = sys.argv
    visit = Visit(url)
    location = visit.log_in(name)
    if location != "/me":
        sys.exit(f"{name} is not logged in: {location}")
    said = json.loads(visit.request("GET", "/api/me").text)
    live = [address["address"] for address in said["addresses"] if address["state"] == "active"]
    print(f"{name} is logged in, and these addresses are live: {', '.join(live) or 'none'}")
    sys.exit(0 if live else 1)


if __name__ == "__main__":
    main()
