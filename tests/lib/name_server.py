"""A name server with a root of its own: knotd on a loopback port, which serves and signs the root and
all zones below it, and the trust anchor of that root. Nothing else of the DNS is there.

    with NameServer() as dns:
        dns.zones["ubuntu.com"] = Zone(texts=['"proof=1"'])
        dns.serve()                       # also after a change
        dns.config_lines                  # the section dns { } of lpalias.conf
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from mail_sink import free_port

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
DAY_S = 86_400
# Signatures of the root hold for as long as no test moves the clock.
LONG, SHORT = "3650d", "20d"
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
    is_served: bool = True   # else the server refuses to answer for it


class NameServer:
    """See the top of the file."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="lpalias-dns-")
        self.anchors = self.path("root.ds")
        self.port = free_port()
        self.zones = {}
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

    @property
    def config_lines(self):
        return [f'dns {{ servers = {{ "127.0.0.1:{self.port}" }} trust-anchors = "{self.anchors}"',
                "timeout = 30s }"]

    def serve(self):
        """Writes all zones and starts the server anew; returns when it answers."""
        self.stop()
        self._write_config()
        self._write_zones()
        with open(self.path("out"), "ab") as out:
            self.process = subprocess.Popen(
                [shutil.which("knotd", path=PATH), "-c", self.path("knot.conf")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        end = time.monotonic() + PATIENCE_S
        while not all(self._is_answered(name) for name in self._served()):
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

    def _served(self):
        return [".", *(name for name, zone in self.zones.items() if zone.is_served)]

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
        for name in self._served():
            zone = self.zones.get(name, Zone())
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
        os.makedirs(self.path("db/keys"), exist_ok=True)
        if "ksk" not in self._keymgr(zone, "list"):
            self._keymgr(zone, "generate", "ksk=yes", "zsk=yes", "algorithm=ECDSAP256SHA256")
        return [f"{owner} 60 {line.partition(' ')[2]}"
                for line in self._keymgr(zone, "ds").splitlines() if line.split()[4] == "2"]

    def _is_answered(self, name):
        """Does the server know the zone? SOA over UDP, RFC 1035 section 4.1."""
        number = secrets.token_bytes(2)
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
        question = number + struct.pack("!HHHHH", 0, 1, 0, 0, 0) + labels + b"\0\0\6\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(1)
            with contextlib.suppress(OSError):
                client.connect(("127.0.0.1", self.port))
                client.send(question)
                reply = client.recv(4096)
                return reply[:2] == number and reply[3] & 15 == 0
        return False
