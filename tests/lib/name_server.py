"""A name server with a root of its own: knotd on a loopback port, which serves and signs the root and
all zones below it, and the trust anchor of that root. Nothing else of the DNS is there.

    with NameServer() as dns:
        dns.zones["ubuntu.com"] = Zone(texts=['"proof=1"'])
        dns.serve()                       # also after a change
        dns.config()                      # the section dns { } of lpalias.conf
"""

import contextlib
import os
import pathlib
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field

from mail_sink import free_port

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
DAY_S = 86_400
# Signatures of the root hold for as long as no test moves the clock.
LONG, SHORT = "3650d", "20d"
RCODE = 15       # mask of a header's fourth byte
CD = 16          # bit of the same: "do not validate for me", RFC 4035 section 3.2.2
DNSKEY = 48
SHA_256 = "2"  # digest type of a DS, RFC 4509
# Only what hangs takes so long, however busy the machine.
PATIENCE_S = 60


def why_not():
    """A sentence what is missing, or None."""
    for name in ("knotd", "keymgr"):
        if shutil.which(name, path=PATH) is None:
            return f"{name} is not installed"
    return None


@dataclass
class Zone:
    """A zone below the root; `texts` are TXT records as they stand in a zone file."""
    texts: list = field(default_factory=list)
    is_signed: bool = True
    delegation: str = "own"  # DS of the zone's own key, of "another", or "none"
    lifetime: str = LONG     # of signatures
    has_file: bool = True    # else every question about it fails with SERVFAIL
    is_served: bool = True   # else the server refers to another one


class NameServer:
    """See the top of the file."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="lpalias-dns-")
        os.makedirs(self.path("db/keys"))
        self.anchors = self.path("root.ds")
        self.port = free_port()
        self.zones = {}
        self.ds = {}  # of the zones' keys
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the server and removes everything."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def config(self, ports=(), anchors=None, timeout="30s"):
        """The section of lpalias.conf; by default for this server and its root."""
        servers = ", ".join(f'"127.0.0.1:{port}"' for port in ports or [self.port])
        return (f'dns {{ servers = {{ {servers} }} trust-anchors = "{anchors or self.anchors}" '
                f'timeout = {timeout} }}')

    def serve(self):
        """Writes all zones and starts the server anew; returns when it answers."""
        self.stop()
        self._write_config()
        self._write_zones()
        with open(self.path("out"), "ab") as out:
            self.process = subprocess.Popen(
                [shutil.which("knotd", path=PATH), "-c", self.path("knot.conf")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        loaded = [".", *(name for name, zone in self.zones.items()
                         if zone.has_file and zone.is_served)]
        end = time.monotonic() + PATIENCE_S
        while not all(self._is_loaded(name) for name in loaded):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.path("out"), encoding="utf-8") as out:
                    raise RuntimeError(f"knotd does not serve\n{out.read()}")
            time.sleep(0.01)

    def stop(self):
        """Ends the server; the port answers no more."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)
            self.process = None

    def _write_config(self):
        lines = [
            "server:",
            f"    rundir: {self.directory}",
            f"    listen: 127.0.0.1@{self.port}",
            "    udp-workers: 1",
            "    tcp-workers: 1",
            "    background-workers: 1",
            "log:",
            "  - target: stderr",
            "    any: info",
            "database:",
            f"    storage: {self.path('db')}",
            "policy:",
        ]
        for lifetime in (LONG, SHORT):
            lines += [f"  - id: {lifetime}", "    single-type-signing: on", "    manual: on",
                      f"    rrsig-lifetime: {lifetime}", "    rrsig-refresh: 1d"]
        lines.append("zone:")
        for name, zone in {".": Zone(), **self.zones}.items():
            if not zone.is_served:
                continue
            lines += [f"  - domain: {name}", f"    file: {self._zone_file(name)}",
                      "    zonefile-sync: -1", "    journal-content: none",
                      f"    dnssec-policy: {zone.lifetime}",
                      f"    dnssec-signing: {'on' if zone.is_signed else 'off'}"]
        with open(self.path("knot.conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def _zone_file(self, name):
        return self.path(f"zone-{name}")

    def _write_zones(self):
        top = [". 60 SOA ns. hostmaster. 1 3600 600 86400 60", ". 60 NS ns.", "ns. 60 A 127.0.0.1"]
        for name, zone in self.zones.items():
            top.append(f"{name}. 60 NS ns.")
            own = self._ds(name, f"{name}.")
            top += {"own": own, "another": self._ds("another", f"{name}."), "none": []}[
                zone.delegation]
            if not zone.has_file:
                pathlib.Path(self._zone_file(name)).unlink(missing_ok=True)
                continue
            self._write_zone(name, [f"{name}. 60 SOA ns. hostmaster. 1 3600 600 86400 60",
                                    f"{name}. 60 NS ns.",
                                    *(f"{name}. 60 TXT {text}" for text in zone.texts)])
        self._write_zone(".", top)
        with open(self.anchors, "w", encoding="utf-8") as file:
            file.write("\n".join(self._ds(".", ".")) + "\n")

    def _write_zone(self, name, lines):
        with open(self._zone_file(name), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def _keymgr(self, zone, *arguments):
        return subprocess.run(
            [shutil.which("keymgr", path=PATH), "-D", self.path("db/keys"), zone, *arguments],
            check=True, capture_output=True, text=True, timeout=PATIENCE_S).stdout

    def _ds(self, zone, owner):
        """The DS records of the zone's key, which is made at the first call."""
        if zone not in self.ds:
            self._keymgr(zone, "generate", "ksk=yes", "zsk=yes", "algorithm=ECDSAP256SHA256")
            self.ds[zone] = [line.partition(" ")[2] for line in self._keymgr(zone, "ds").splitlines()
                             if line.split()[4] == SHA_256]
        return [f"{owner} 60 {ds}" for ds in self.ds[zone]]

    def _is_loaded(self, name):
        """Asks for the SOA over UDP (RFC 1035 section 4.1): SERVFAIL as long as it is not."""
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
        query = (secrets.token_bytes(2) + struct.pack("!HHHHH", 0, 1, 0, 0, 0) + labels
                 + struct.pack("!BHH", 0, 6, 1))
        with contextlib.suppress(OSError):
            return exchange(self.port, query)[3] & RCODE == 0
        return False


def exchange(port, query, timeout_s=1):
    """The reply of the server on that loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout_s)
        client.connect(("127.0.0.1", port))
        client.send(query)
        return client.recv(65_535)


class Resolver(threading.Thread):
    """Stands between lpalias and a NameServer as a resolver with ways of its own: it fails questions
    for the types in `failing` (but for the root), and those about the names in `bogus` unless it is
    told not to validate, and with `is_old` knows nothing of DNSSEC."""

    def __init__(self, dns, failing=(), bogus=(), is_old=False):
        super().__init__(daemon=True)
        self.dns, self.failing, self.bogus, self.is_old = dns, failing, bogus, is_old
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def close(self):
        with contextlib.suppress(OSError):  # it says "not connected", and wakes the thread
            self.socket.shutdown(socket.SHUT_RDWR)
        self.join(PATIENCE_S)
        self.socket.close()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(65_535)
            if not query:
                break
            self.socket.sendto(self._answer(query), client)

    def _answer(self, query):
        end = query.index(0, 12) + 1  # of the name; no compression in a question
        name = wire_name(query[12:end])
        kind = struct.unpack_from("!H", query, end)[0]
        is_told_not_to = query[3] & CD
        if (kind in self.failing and name) or (name in self.bogus and not is_told_not_to):
            return query[:2] + b"\x80\x82" + query[4:6] + b"\0" * 6 + query[12:end + 4]
        if self.is_old:  # without EDNS nobody wants signatures (RFC 3225)
            query = query[:10] + b"\0\0" + query[12:end + 4]
        return exchange(self.dns.port, query, PATIENCE_S)


def wire_name(labels):
    """ "ubuntu.com" of its labels, each behind its length; "" for the root."""
    words = []
    while labels[0]:
        words.append(labels[1:1 + labels[0]].decode("ascii").lower())
        labels = labels[1 + labels[0]:]
    return ".".join(words)
