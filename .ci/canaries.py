"""The known answers that akit shows every live judge first (src/grader/canary_table.rs), for scripts that play one."""

import pathlib
import re

TABLE = pathlib.Path(__file__).resolve().parent.parent / "src/grader/canary_table.rs"


def strings(name):
    """The texts of a constant of the table, in order."""
    table = TABLE.read_text(encoding="utf-8")
    body = re.search(rf"const {name}\b[^=]*= \[(.*?)\n\];", table, re.S).group(1)
    return re.findall(r'"((?:[^"\\]|\\.)*)"', body)


# Rubrics of bad answers; of good ones the rubrics and the answers.
BAD_RUBRICS = strings("RUBRICS")
GOOD_RUBRICS, GOOD_ANSWERS = strings("GOOD")[::2], strings("GOOD")[1::2]
