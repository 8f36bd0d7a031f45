"""From a syntax chunk to its tables (spec/format.md section 9)."""
from ptr_chunks import Damaged
from ptr_events import column

WIDEST_4 = 1  # a column of events whose values have 32 bits, as all here have
TABLES = {
    "statements": "kind flags suite line column end_line end_column first name",
    "suites": "kind flags owner line column colon_line colon_column end_line",
    "expressions": "op context flags parent statement line column end_line end_column",
    "logical": "first last",
    "comments": "line column",
    "code": "line",
}
TABLES = {name: columns.split() for name, columns in TABLES.items()}


def require(good, what):
    if not good:
        raise Damaged(what)


def syntax_of(item):
    """{"source", "python", "lines"} and "failure", or "names" and of each table
    a list of rows, which are dictionaries."""
    out = {key: item[key] for key in ("source", "python", "lines")}
    require(out["source"] > 0, "the syntax of no source")
    if "failure" in item:
        return dict(out, failure=item["failure"])
    out["names"] = item["names"]
    for name, columns in TABLES.items():
        table = item[name]
        values = [column(table.get(key), table["rows"], WIDEST_4) for key in columns]
        out[name] = [dict(zip(columns, row)) for row in zip(*values)]
    check(out)
    return out


def check_span(row, lines):
    begin = row["line"], row["column"]
    end = row["end_line"], row["end_column"]
    require((1, 0) <= begin <= end and end[0] <= lines, "a span")


def check(s):
    """That what rows refer to is there, and before them."""
    statements, suites, lines = s["statements"], s["suites"], s["lines"]
    require(suites and suites[0]["kind"] == 0, "the module's suite")
    for i, row in enumerate(statements):
        check_span(row, lines)
        require(1 <= row["kind"] <= 23 and row["name"] <= len(s["names"]), "a statement")
        require(row["suite"] < len(suites) and suites[row["suite"]]["owner"] <= i,
                "a statement's suite")
    for i, row in enumerate(suites[1:], 1):
        require(1 <= row["kind"] <= 5 and 1 <= row["line"] <= row["end_line"] <= lines,
                "a suite")
        require(1 <= row["owner"] <= len(statements)
                and statements[row["owner"] - 1]["suite"] < i, "a suite's owner")
    for i, row in enumerate(s["expressions"]):
        check_span(row, lines)
        require(1 <= row["op"] <= 6 and row["context"] <= 8, "an expression")
        require(row["parent"] <= i and (row["parent"] == 0) == (row["context"] > 0),
                "an expression's parent")
        require(1 <= row["statement"] <= len(statements), "an expression's statement")
    ends = [0] + [row["last"] for row in s["logical"]]
    require(all(end < row["first"] < row["last"] <= lines
                for end, row in zip(ends, s["logical"])), "the logical lines")
    for name in "comments", "code":
        numbers = [row["line"] for row in s[name]]
        require(numbers == sorted(set(numbers)) and numbers[-1:] <= [lines], name)
