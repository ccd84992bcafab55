"""A graph network: the batch of a step is the whole graph."""

import numpy as np
import tensorflow as tf

from snippets.other_loops_finder import make_step
from snippets.other_loops_setup import Model


# region make_graph
def make_graph(nodes: int = 200):
    """Return links, features, and labels of nodes in two groups.

    Links have a shape of (nodes, nodes), features of (nodes, 4).
    """
    draw = np.random.default_rng(0)
    y = np.arange(nodes) % 2
    chance = np.where(y[:, None] == y, 0.06, 0.006)
    links = np.triu(draw.random((nodes, nodes)) < chance, 1)
    x = draw.normal(y[:, None] - 0.5, 2.0, (nodes, 4))
    return (links | links.T).astype("float32"), x.astype("float32"), y


# endregion make_graph


# region normalize
def normalize(links: np.ndarray) -> tf.SparseTensor:
    """Return the links, and one of each node to itself, as weights.

    Kipf and Welling, arXiv:1609.02907, equation 2.
    """
    links = links + np.eye(len(links), dtype="float32")
    roots = np.sqrt(links.sum(axis=1))
    return tf.sparse.from_dense(links / roots / roots[:, None])


# endregion normalize


# region GraphNetwork
class GraphNetwork(tf.keras.Model):
    """Scores of two classes for each node, from nodes up to two links away."""

    def __init__(self, links: tf.SparseTensor) -> None:
        super().__init__()
        self.links = links
        self.hidden = tf.keras.layers.Dense(16)
        self.scores = tf.keras.layers.Dense(2)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a row of scores for each row of x."""
        x = tf.sparse.sparse_dense_matmul(self.links, self.hidden(x))
        x = self.scores(tf.nn.relu(x))
        return tf.sparse.sparse_dense_matmul(self.links, x)


# endregion GraphNetwork


# region loss_of_known
known = np.arange(20)
crossentropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def loss_of_known(y: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the loss of the nodes whose labels are known."""
    return crossentropy(tf.gather(y, known), tf.gather(logits, known))


# endregion loss_of_known


# region share_right
def share_right(model: Model, x: np.ndarray, y: np.ndarray) -> float:
    """Return the accuracy for the nodes whose labels no step has seen."""
    right = np.argmax(model(x), axis=1) == y
    return float(np.delete(right, known).mean())


# endregion share_right


if __name__ == "__main__":
    # region graph
    links, x, y = make_graph()
    tf.keras.utils.set_random_seed(0)
    for each in (normalize(links), tf.sparse.eye(len(x))):
        model = GraphNetwork(each)
        adam = tf.keras.optimizers.Adam(0.01)
        step = make_step(model, loss_of_known, adam)
        for _ in range(100):
            current_loss = step(x, y)
        print(f"loss of the known nodes {current_loss:.2f}")
        print(f"accuracy of the others {share_right(model, x, y):.2f}")
    # endregion graph
