"""A world of many members with targets, and how to kill a command in it: at a random moment, or at
each of its writes in turn."""

import json
import os
import shutil
import signal
import subprocess

from lpalias_world import World, program

TEAM, DOMAIN = "ubuntumembers", "ubuntu.com"
WRITES = ("pwrite64", "pwritev", "write", "fdatasync", "fsync", "msync", "fallocate", "ftruncate",
          "fchmod", "fchown", "unlink", "rename", "renameat", "renameat2")


def large_world(count, kind=World):
    """So many members of DOMAIN, which is open: m00000@ubuntu.com has m00000@target.example. kind:
    World, or what is made like one."""
    people = {f"m{number:05d}": {} for number in range(count)}
    world = kind({"people": people, "teams": {TEAM: {"members": list(people)}}}, page_size=300)
    world.domains = {DOMAIN: TEAM}
    world.write_config()
    world.make_key()
    world.lpalias("refresh")
    table = os.path.join(world.directory, "virtual")
    with open(table, "w", encoding="utf-8") as file:
        file.writelines(f"{name}@{DOMAIN} {name}@target.example\n" for name in people)
    world.lpalias("import", "--format", "virtual", table)
    world.lpalias("domain", "open", DOMAIN, "--yes")
    world.settle()
    return world


def alias_rows(world):
    """What the cache says of every alias, but for when."""
    listed = json.loads(world.lpalias("list", "--json", "--show-targets").stdout)
    return sorted((json.dumps({key: value for key, value in row.items() if key != "since"},
                              sort_keys=True) for row in listed))


def put_back(kept, path):
    """A copy of kept, a file or a directory, takes the place of path."""
    if os.path.isdir(kept):
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(kept, path)
    else:
        shutil.copy2(kept, path)


def kill_after(world, seconds, *arguments):
    """Runs lpalias and kills it and its children, which are all gone then."""
    with subprocess.Popen(world.lpalias_command(*arguments, is_wrapped=False),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.read()  # ends when nobody has it open any more


def kills_at_each_write(world, *arguments):
    """Runs lpalias again and again, each time until another one of its calls that write, sync or
    rename, which is the last thing that the process does (its parent then ends by itself). Yields
    (call, number) after each; the caller puts everything back."""
    for call in WRITES:
        for number in range(1, 1000):
            ran = subprocess.run(
                ["strace", "-qq", "-f", "-o", "/dev/null", f"-etrace={call}",
                 f"-einject={call}:signal=KILL:when={number}",
                 program("LPALIAS"), "-c", world.config_file, *arguments],
                capture_output=True, check=False, timeout=60)
            if ran.returncode == 0:
                break
            yield call, number
