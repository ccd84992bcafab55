"""Count what is kept: graphs, and bytes in tensors and variables."""

import gc
import logging
import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf


# region living
def living(kind: type) -> list[Any]:
    """Return all objects of a type that Python still has."""
    objects = gc.get_objects()
    return [thing for thing in objects if issubclass(type(thing), kind)]


# endregion living


# region count_graphs
def count_graphs() -> int:
    """Return how many graphs are kept that have operations in them."""
    gc.collect()
    return sum(len(graph.get_operations()) > 0 for graph in living(tf.Graph))


# endregion count_graphs


# region count_bytes
def count_bytes() -> int:
    """Return how many bytes are kept in tensors and variables."""
    kept = living(type(tf.constant(0.0))) + living(tf.Variable)
    return sum((k.shape.num_elements() or 0) * k.dtype.size for k in kept)


# endregion count_bytes


# region messages
class Messages(logging.Handler):
    """Keeps what TensorFlow would print in its log, but for addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        tf.get_logger().handlers = [self]

    def emit(self, record: logging.LogRecord) -> None:
        """Add a message."""
        self.texts.append(re.sub(" at 0x[0-9a-f]+", "", record.getMessage()))


# endregion messages


# region check_growth
def check_growth(work: Callable[[], object], rounds: int = 2) -> None:
    """Assert that work, done again, leaves no more than it left before."""
    work()
    work()
    graphs, size = count_graphs(), count_bytes()
    for _ in range(rounds):
        work()
    graphs, size = count_graphs() - graphs, count_bytes() - size
    assert graphs <= 0, f"{graphs} more graphs after {rounds} rounds"
    assert size <= 0, f"{size} more bytes after {rounds} rounds"


# endregion check_growth

if __name__ == "__main__":
    # region freeze
    gc.collect()
    gc.freeze()
    # endregion freeze
