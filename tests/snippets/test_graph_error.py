"""The message of an operation that fails in a graph has a fixed build."""

from snippets.graph_error import graph_error


def test_the_cause_is_the_last_line_but_one() -> None:
    lines = graph_error()
    assert lines[0] == "Graph execution error:"
    assert lines[-2].startswith("Received a label value of 3 which is outside")
    assert "{{node" in lines[-1]


def test_run_eagerly_there_is_the_cause_alone() -> None:
    [line] = graph_error(run_eagerly=True)
    assert "Received a label value of 3 which is outside" in line
    assert "Graph execution error" not in line
