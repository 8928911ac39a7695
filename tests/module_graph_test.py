#!/usr/bin/python3
"""What the compiler cannot say about the rooms (src/CMakeLists.txt), which it keeps from including upwards: no room reaches
for what is inside another, headers include each other in no circle, big libraries are known to few, no room is crowded."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MOST_MODULES = 18

# Which rooms, or files, may include what begins like this.
KNOWN_TO = {
    "libtorrent/": "session swarm peers compression torrent transfer/metadata_session",
    "nlohmann/": "report cli/command_output cli/report_file capture/lvm_report",
    "CLI/": "cli",
    "blkid/": "disk",
}


def files():
    return sorted(path for pattern in ("include/ezio/*/*.hpp", "src/*/*.[ch]pp") for path in ROOT.glob(pattern))


def room(path):
    return path.parent.name


def includes(path):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def outside_of_rooms():
    for path in [*ROOT.glob("include/ezio/*.hpp"), *ROOT.glob("src/*.[ch]pp")]:
        yield f"{path.relative_to(ROOT)} is in no room"


def strangers():
    for path in files():
        for name in includes(path):
            if "/" in name and (name.startswith("../") or (ROOT / "src" / name).exists()):
                yield f"{path.relative_to(ROOT)} includes {name}, which is inside another room"


def circles():
    headers = {path.stem: path for path in files() if path.suffix == ".hpp"}
    done, way = set(), []

    def visit(stem):
        if stem in way:
            return ["headers include each other in a circle: " + " -> ".join([*way[way.index(stem):], stem])]
        if stem in done or stem not in headers:
            return []
        way.append(stem)
        below = [pathlib.Path(name).stem for name in includes(headers[stem]) if name.endswith(".hpp")]
        found = [circle for other in below for circle in visit(other)]
        way.pop()
        done.add(stem)
        return found

    return [circle for stem in sorted(headers) for circle in visit(stem)]


def known_elsewhere():
    for path in files():
        for start, few in KNOWN_TO.items():
            if any(name.startswith(start) for name in includes(path)) and not {
                    room(path), f"{room(path)}/{path.stem}"} & set(few.split()):
                yield f"{path.relative_to(ROOT)} includes {start}, which only these may: {few}"


def crowds():
    rooms = {}
    for path in files():
        rooms.setdefault(room(path), set()).add(path.stem)
    for name, modules in sorted(rooms.items()):
        if len(modules) > MOST_MODULES:
            yield f"{name} has {len(modules)} modules, more than {MOST_MODULES}"


def main():
    faults = [*outside_of_rooms(), *strangers(), *circles(), *known_elsewhere(), *crowds()]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
