"""A graph network sees neighbours, and learns from the labels it is told."""

import numpy as np
import tensorflow as tf

from snippets.other_loops_graph import (
    GraphNetwork,
    known,
    loss_of_known,
    make_graph,
    normalize,
    share_right,
)

LINKS, X, Y = make_graph(40)


def test_links_have_no_direction_and_lead_to_others() -> None:
    assert (LINKS.shape, X.shape, Y.shape) == ((40, 40), (40, 4), (40,))
    np.testing.assert_array_equal(LINKS, LINKS.T)
    assert set(np.unique(LINKS)) == {0.0, 1.0}
    assert not LINKS.diagonal().any()
    links, _, y = make_graph()
    within = links[y[:, None] == y].sum() / links.sum()
    assert 0.8 < within < 1.0


def test_links_are_normalized_by_the_roots_of_both_degrees() -> None:
    degrees = np.diag((LINKS.sum(axis=1) + 1) ** -0.5)
    due = degrees @ (LINKS + np.eye(40)) @ degrees
    found = tf.sparse.to_dense(normalize(LINKS))
    np.testing.assert_allclose(found, due, atol=1e-6)


def test_a_network_is_two_sums_over_neighbours() -> None:
    links = normalize(LINKS)
    model = GraphNetwork(links)
    found = model(X)
    kernel, bias, last, shift = model.get_weights()
    sums = tf.sparse.to_dense(links).numpy()
    hidden = np.maximum(sums @ (X @ kernel + bias), 0)
    due = sums @ (hidden @ last + shift)
    np.testing.assert_allclose(found, due, atol=1e-5)


def test_other_nodes_have_no_part_in_the_loss() -> None:
    logits = tf.random.stateless_normal((40, 2), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = loss_of_known(Y, logits)
    gradient = tf.convert_to_tensor(tape.gradient(loss, logits)).numpy()
    shares = tf.nn.log_softmax(logits).numpy()
    due = -shares[np.arange(20), Y[:20]].mean()
    np.testing.assert_allclose(loss, due, rtol=1e-5)
    assert gradient[known].all()
    assert not np.delete(gradient, known, axis=0).any()


def test_the_accuracy_is_that_of_other_nodes() -> None:
    scores = np.eye(2)[Y]
    scores[:25] = scores[:25, ::-1]
    assert share_right(lambda x: scores, X, Y) == 15 / 20
