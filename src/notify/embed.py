"""Writes the built-in texts as C: embed.py OUTPUT TEXT... (each is named by its file, less ".txt")."""

import os
import sys


def literal(text):
    """The lines as C string literals, one below the other."""
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return "\n".join(f'     "{line}\\n"' for line in quoted)


def main():
    output, *paths = sys.argv[1:]
    rows = []
    for path in sorted(paths):
        with open(path, encoding="utf-8") as file:
            text = file.read().rstrip("\n")
        name = os.path.basename(path).removesuffix(".txt")
        rows.append(f'    {{"{name}",\n{literal(text)}}},\n')
    with open(output, "w", encoding="utf-8") as file:
        file.write('/* Made of src/notify/texts by embed.py. */\n#include "notify/builtin.h"\n\n'
                   "const struct builtin_text builtin_texts[] = {\n" + "".join(rows) + "};\n"
                   f"const size_t builtin_text_count = {len(rows)};\n")


main()
