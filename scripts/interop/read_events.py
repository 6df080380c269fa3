"""Reads a file of events, one JSON object a line, with the CloudEvents library, and checks what its format demands.

usage: read_events.py FILE

Prints {"events": N}; ends with 1 at the first event that is none.
"""

import json
import re
import sys
from pathlib import Path

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent


def main() -> None:
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    seen = set()
    for number, line in enumerate(lines, 1):
        event = JSONFormat().read(CloudEvent, line)
        attributes = event.get_attributes()
        raw = json.loads(line)
        again = JSONFormat().read(CloudEvent, JSONFormat().write(event))
        if again.get_attributes() != attributes or again.get_data() != raw["data"]:
            raise SystemExit(f"line {number}: does not survive being written again")
        if (event.get_source(), event.get_id()) in seen:
            raise SystemExit(f"line {number}: source and id come twice")
        seen.add((event.get_source(), event.get_id()))
        # RFC 3986 path characters, RFC 3339, attribute names of lower-case letters and digits.
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", event.get_source()):
            raise SystemExit(f"line {number}: the source is no URI reference: {event.get_source()}")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", raw["time"]):
            raise SystemExit(f"line {number}: the time is not RFC 3339: {raw['time']}")
        for name in attributes:
            if not re.fullmatch(r"[a-z0-9]{1,20}", name):
                raise SystemExit(f"line {number}: {name} is no name of an attribute")
    print(json.dumps({"events": len(lines)}))


main()
