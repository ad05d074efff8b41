"""Writes the files of the site as C: embed.py OUTPUT FILE...

index.html is "/", another NAME.html is "/NAME", everything else "/static/NAME".
"""

import hashlib
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/vnd.microsoft.icon",
}
BYTES_IN_A_LINE = 24


def path_of(name):
    """Where a file of that name stands in the site."""
    stem, extension = os.path.splitext(name)
    if extension != ".html":
        return "/static/" + name
    return "/" if stem == "index" else "/" + stem


def literal(content):
    """The bytes as C string literals, one below the other; octal, as that cannot run on."""
    lines = (content[at:at + BYTES_IN_A_LINE] for at in range(0, len(content), BYTES_IN_A_LINE))
    return "\n".join('     "' + "".join(f"\\{byte:03o}" for byte in line) + '"' for line in lines)


def row(path):
    """The C initialiser of one file."""
    with open(path, "rb") as file:
        content = file.read()
    name = os.path.basename(path)
    etag = hashlib.sha256(content).hexdigest()[:32]
    return (f'    {{"{path_of(name)}", "{TYPES[os.path.splitext(name)[1]]}", "\\"{etag}\\"",\n'
            f'{literal(content) or chr(34) * 2},\n     {len(content)}}},\n')


def main():
    output, *paths = sys.argv[1:]
    rows = [row(path) for path in sorted(paths)]
    with open(output, "w", encoding="ascii") as file:
        file.write('/* Made of src/portal/pages by embed.py. */\n#include "portal/page.h"\n\n'
                   "const struct page pages[] = {\n" + "".join(rows) + "};\n"
                   f"const size_t page_count = {len(rows)};\n")


main()
