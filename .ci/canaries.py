"""The known answers that every live judge is tested on (src/grader/canary_table.rs), for scripts that play a judge."""

import pathlib
import re

TABLE = pathlib.Path(__file__).resolve().parent.parent / "src/grader/canary_table.rs"


def strings(name):
    """The strings of a constant in the table, in order."""
    table = TABLE.read_text(encoding="utf-8")
    body = re.search(rf"const {name}\b[^=]*= \[(.*?)\n\];", table, re.S).group(1)
    return re.findall(r'"((?:[^"\\]|\\.)*)"', body)


# Bad answers are recognized by their rubrics, good ones by rubric and answer.
BAD_RUBRICS = strings("RUBRICS")
GOOD_RUBRICS, GOOD_ANSWERS = strings("GOOD")[::2], strings("GOOD")[1::2]
