"""Writes the files of the site as C: embed.py OUTPUT FRAME CATALOGUE FILE...

A page NAME.html is the content of the frame, which names its script NAME.js and, as its title, the
text NAME.title. {{key}} in both is a text of the catalogue, which scripts get as catalogue.js.
index.html is "/", another NAME.html is "/NAME", everything else "/static/NAME".
"""

import hashlib
import html
import json
import os
import re
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
BYTES_IN_A_LINE = 24


def path_of(name):
    """Where a file of that name stands in the site."""
    stem, extension = os.path.splitext(name)
    if extension != ".html":
        return "/static/" + name
    return "/" if stem == "index" else "/" + stem


def page(stem, body, frame, texts):
    """The whole page of that name; a key that is not in the catalogue ends the build."""
    markup = frame.replace("{{body}}", body).replace("{{script}}", stem + ".js")
    markup = markup.replace("{{title}}", "{{" + stem + ".title}}")
    return re.sub(r"\{\{([a-z.-]+)\}\}", lambda match: html.escape(texts[match[1]]), markup)


def literal(content):
    """The bytes as C string literals, one below the other; octal, as that cannot run on."""
    lines = (content[at:at + BYTES_IN_A_LINE] for at in range(0, len(content), BYTES_IN_A_LINE))
    return "\n".join('     "' + "".join(f"\\{byte:03o}" for byte in line) + '"' for line in lines)


def row(name, content):
    """The C initialiser of one file."""
    etag = hashlib.sha256(content).hexdigest()[:32]
    return (f'    {{"{path_of(name)}", "{TYPES[os.path.splitext(name)[1]]}", "\\"{etag}\\"",\n'
            f'{literal(content) or chr(34) * 2},\n     {len(content)}}},\n')


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    output, frame_path, catalogue_path, *paths = sys.argv[1:]
    frame, texts = read(frame_path), json.loads(read(catalogue_path))
    files = {"catalogue.js": "export default " + json.dumps(texts, ensure_ascii=False) + ";\n"}
    for path in paths:
        name, content = os.path.basename(path), read(path)
        stem, extension = os.path.splitext(name)
        files[name] = page(stem, content, frame, texts) if extension == ".html" else content
    rows = [row(name, content.encode("utf-8")) for name, content in sorted(files.items())]
    with open(output, "w", encoding="ascii") as file:
        file.write('/* Made of src/portal/pages by embed.py. */\n#include "portal/site_file.h"\n\n'
                   "const struct site_file site_files[] = {\n" + "".join(rows) + "};\n"
                   f"const size_t site_file_count = {len(rows)};\n")


main()
