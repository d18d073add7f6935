"""Repairs the virtual environment, offline, after the project's folder was moved or copied: it still names the old place.

    .venv/bin/python scripts/move_venv.py OLD NEW       # the .venv folder, as it was called and as it is called now

`make setup` runs this when it finds the environment in another place than the one it was made in.
"""

import re
import shlex
import sys
from pathlib import Path


def move(old: str, new: Path) -> None:
    """Make the scripts below `new`/bin start the Python beside them, and `activate` name `new`.

    Some versions of Python quote the folder in `activate` always, some only where it needs it.
    """
    named = re.compile("|".join(map(re.escape, (f'"{old}"', shlex.quote(old), old))).encode())
    quoted = shlex.quote(str(new)).encode()
    for file in (new / "bin").iterdir():
        if file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        head = b"\n".join(content.split(b"\n", 3)[:3])
        if b"\0" in content or old.encode() not in content:
            continue
        if content.startswith(b"#!") and b"/bin/python" in head:
            body = content.split(b"\n", 3)[3] if content.startswith(b"#!/bin/sh\n'''exec'") else content.split(b"\n", 1)[1]
            # not `#!PYTHON`: a name with spaces cannot stand there
            content = b"#!/bin/sh\n'''exec' \"" + bytes(new / "bin/python") + b'" "$0" "$@"\n\' \'\'\'\n' + body
        elif file.name.startswith("activate"):
            content = named.sub(lambda _: quoted, content)
        else:
            content = content.replace(old.encode(), bytes(new))
        file.write_bytes(content)


if __name__ == "__main__":
    move(sys.argv[1], Path(sys.argv[2]))
