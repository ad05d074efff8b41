"""Commands of a manual, to be tried as they are written there.

A block that is tried has `rehearsal=NAME` behind its language; blocks of one NAME are tried in the
order of the text:

    ```console rehearsal=lost-machine        what an operator types and sees
    # lpalias status --json                  a command: behind "# ", root's prompt
    {"generation": 12, ...}                  what it prints; "..." stands for anything, any digits
    # lpalias query alias gone@ubuntu.com    # status 2
    ```

    ```conf rehearsal=install file=/etc/lpalias/lpalias.conf
    a file as it is to be
    ```

Output that is not shown is not compared. A command ends with status 0 unless its line says other.
"""

import re
from typing import NamedTuple

FENCE = re.compile(r"^```(\S*)[ \t]*(.*)$")
STATUS = re.compile(r"\s+# status (\d+)$")


class Step(NamedTuple):
    """One command with what is shown of its output, or one file."""
    line: int
    command: str
    status: int
    shown: str
    file: str = None


class Block(NamedTuple):
    """A fenced block: where it begins, its language, its NAME=VALUE words, its lines."""
    line: int
    language: str
    words: dict
    lines: list


def blocks(path):
    """All fenced blocks of a Markdown file."""
    found, block = [], None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().splitlines(), 1):
            fence = FENCE.match(line)
            if fence and block is None:
                words = dict(word.partition("=")[::2] for word in fence[2].split())
                block = Block(number, fence[1], words, [])
            elif fence:
                found.append(block)
                block = None
            elif block is not None:
                block.lines.append(line)
    return found


def steps_of(block):
    """The commands of a console block, or the one file of another."""
    if "file" in block.words:
        text = "\n".join(block.lines) + "\n"
        return [Step(block.line, "", 0, text, block.words["file"])]
    steps = []
    for number, line in enumerate(block.lines, block.line + 1):
        if line.startswith("# "):
            status = STATUS.search(line)
            command = STATUS.sub("", line)[2:]
            steps.append(Step(number, command, int(status[1]) if status else 0, ""))
        elif steps:
            steps[-1] = steps[-1]._replace(shown=steps[-1].shown + line + "\n")
        else:
            raise ValueError(f"line {number}: output before the first command")
    return steps


def rehearsals(path):
    """{NAME: [Step, ...]} in the order of the text."""
    found = {}
    for block in blocks(path):
        if "rehearsal" in block.words:
            found.setdefault(block.words["rehearsal"], []).extend(steps_of(block))
    return found


def looks_like(shown, said):
    """Whether an output has the shape that the manual shows."""
    def shape(text):
        lines = [re.sub(r"\d+", "0", re.sub(r"[ \t]+", " ", line)).rstrip() for line in text.strip().splitlines()]
        return "\n".join(lines)
    pattern = re.escape(shape(shown)).replace(r"\.\.\.", "(?s:.*)")
    return re.fullmatch(pattern, shape(said)) is not None


def command_lines(path):
    """(line, words) of each `lpalias ...` in the blocks and the code spans of a Markdown file; words are
    those up to a pipe, a redirection or a comment."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    is_fenced = False
    for number, line in enumerate(lines, 1):
        if FENCE.match(line):
            is_fenced = not is_fenced
        is_block = is_fenced or line.startswith("    ")
        for piece in [line.strip().removeprefix("# ")] if is_block else re.findall(r"`([^`]+)`", line):
            for command in re.split(r"[;|&]+|\$\(", piece):
                command = re.split(r"\s#|[<>)]", command)[0].strip()
                command = re.sub(r"^(ExecStart=)?(/\S*/)?(?=lpalias )", "", command)
                if re.match(r"lpalias [a-z-]", command):
                    yield number, command.split()[1:]
