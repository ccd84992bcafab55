"""A loss of each row: in a loop over the rows, and of all at once."""

import tensorflow as tf

from snippets.data import make_data

Pair = tuple[tf.Tensor, tf.Tensor]


# region row_loss
def row_loss(row: Pair) -> tf.Tensor:
    """Return the squared error of the line 5 x in a row."""
    x, y = row
    return tf.square(5.0 * x - y)


def by_map_fn(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the loss of each row, of one after the other."""
    return tf.map_fn(row_loss, (x, y), fn_output_signature=tf.float32)


def by_vectorized_map(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Return the loss of each row, of all at once."""
    return tf.vectorized_map(row_loss, (x, y))


# endregion row_loss

if __name__ == "__main__":
    x, y = make_data()

    # region by_rows
    for way in (by_map_fn, by_vectorized_map):
        compiled_way = tf.function(way)
        graph = compiled_way.get_concrete_function(x, y).graph
        loops = [op for op in graph.get_operations() if "While" in op.type]
        mean = tf.reduce_mean(compiled_way(x, y))
        print(f"{way.__name__:17} loss {mean:.4f}, loops {len(loops)}")
    print(f"{'tensors':17} loss {tf.reduce_mean(row_loss((x, y))):.4f}")
    # endregion by_rows
