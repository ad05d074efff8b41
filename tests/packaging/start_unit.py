"""start_unit.py SERVICE [SOCKET]: becomes what systemd would start for these unit files, as their
user, with the socket that they say, and with all but ReadWritePaths and StateDirectory read-only.
Reads only what the units of lpalias use."""

import configparser
import grp
import os
import pwd
import socket
import sys


def read_unit(path):
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    unit.optionxform = str
    if not unit.read(path):
        sys.exit(f"there is no {path}")
    return unit


def condition_holds(unit):
    return os.path.exists(unit["Unit"].get("ConditionPathExists", "/"))


def open_socket(section):
    path = section["ListenStream"]
    if os.path.exists(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.umask(0o777)
    listening.bind(path)
    os.chown(path, pwd.getpwnam(section["SocketUser"]).pw_uid, grp.getgrnam(section["SocketGroup"]).gr_gid)
    os.chmod(path, int(section["SocketMode"], 8))
    listening.listen(int(section["Backlog"]))
    return listening


def make_state_directory(service, user):
    """Gives its path, or None."""
    if "StateDirectory" not in service:
        return None
    path = os.path.join("/var/lib", service["StateDirectory"])
    os.makedirs(path, exist_ok=True)
    os.chown(path, user.pw_uid, user.pw_gid)
    os.chmod(path, int(service["StateDirectoryMode"], 8))
    return path


READ_ONLY = """
    for path in $1; do mount --bind "$path" "$path" || exit; done
    mount -o remount,bind,ro / && shift && exec "$@"
"""


def main():
    units = [read_unit(path) for path in sys.argv[1:]]
    if not all(condition_holds(unit) for unit in units):
        sys.exit("the condition does not hold")
    service = units[0]["Service"]
    if len(units) > 1:
        listening = open_socket(units[1]["Socket"])
        os.dup2(listening.fileno(), 3)
        os.set_inheritable(3, True)  # dup2 does not where it was descriptor 3 already
        os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.umask(int(service["UMask"], 8))
    user = pwd.getpwnam(service["User"])
    groups = {*os.getgrouplist(user.pw_name, user.pw_gid),
              *(grp.getgrnam(name).gr_gid for name in service.get("SupplementaryGroups", "").split())}
    writable = " ".join(filter(None, [service["ReadWritePaths"].lstrip("-"), make_state_directory(service, user)]))
    os.execvp("unshare", ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", writable,
                          "setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                          f"--groups={','.join(map(str, groups))}",
                          "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
                          *service["ExecStart"].split()])


main()
