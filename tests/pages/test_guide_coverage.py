"""The guide teaches all that a guide to basic training loops must teach.

Each case is one thing to teach and what shows it on the page: a piece of
the prose, of a block's code or of its output.
"""

import pytest

from engine.build.rendered import RenderedPage
from engine.keep.records import Record
from tests.conftest import REPOSITORY
from tests.pages.conftest import Pages

GUIDE = "basic_training_loops"

TAUGHT = [
    ("tensors are explained", "foundations.md#tensors"),
    ("variables are explained", "foundations.md#variables"),
    ("the tape is explained", "foundations.md#the-gradient-tape"),
    ("modules are explained", "foundations.md#modules"),
    ("TensorFlow is imported", "import tensorflow as tf"),
    ("Matplotlib is imported", "import matplotlib.pyplot as plt"),
    ("the colours are set up", "BLUE, RED, GREEN ="),
    ("the steps of a problem", "4. Run through the data"),
    ("gradients and an optimizer", "let an optimizer adjust"),
    ("the model's formula", "f(x) = x \\cdot W + b"),
    ("weight is slope", "the *weight*, the slope"),
    ("bias is offset", "the *bias*, its offset"),
    ("supervised learning", "*supervised learning*"),
    ("labels", "also called the label"),
    ("evenly spaced inputs", "The inputs are spaced evenly"),
    ("why the cast", "counts in `float64`"),
    ("stateless noise", "tf.random.stateless_normal"),
    ("batches", "cut into *batches*"),
    ("a model is a module", "class LinearModel(tf.Module)"),
    ("its start", "self.w = tf.Variable(5.0"),
    ("its check", "assert model(3.0) == 15.0"),
    ("its variables are printed", "<tf.Variable 'b:0'"),
    ("their order", "in alphabetical order"),
    ("initializers", "tf.keras.initializers.RandomNormal"),
    ("the loss's formula", "\\frac{1}{N} \\sum"),
    ("the loss", "tf.reduce_mean(tf.square(predictions - y))"),
    ("the broadcasting trap", "difference: (201, 201)"),
    ("the guard against it", "ValueError: y is (201,), predictions (201, 1)"),
    ("the starting loss", "loss before training: 10.3447"),
    ("four tasks of a loop", "4. let an optimizer adjust the"),
    ("variables are watched", "are watched automatically"),
    ("the tape", "with tf.GradientTape() as tape:"),
    ("the update", "model.w.assign_sub(learning_rate * dw)"),
    ("rebinding loses the variable", "gradient: None"),
    ("more optimizers", "`tf.keras.optimizers`"),
    ("the step", "def train("),
    ("the loop", "def training_loop("),
    ("ten epochs", "epochs=10"),
    ("the learning rate", "learning_rate=0.1"),
    ("history of a call", "It belongs to one call of the loop"),
    ("the untrained line", "epoch  0: w 5.00, b 0.00, loss 10.3447"),
    ("the last line", "epoch 10: w 3.05, b 1.73, loss 1.0617"),
    ("after the update", "is printed *after* the update"),
    ("where it would end", "best: w 2.96, b 1.93, loss 1.0080"),
    ("a module is saved", "assert_consumed"),
    ("the Keras model", "class KerasLinearModel(tf.keras.Model)"),
    ("add_weight", "self.add_weight("),
    ("Keras is no module", "is not a `tf.Module`"),
    ("the same numbers", "same history: True"),
    ("saved weights", 'save_weights("linear.weights.h5")'),
    ("loaded weights", "loaded.load_weights("),
    ("built before loading", "built before it can load weights"),
    ("fit is compiled", "`run_eagerly=False`"),
    ("the built-in optimizer", "tf.keras.optimizers.SGD(learning_rate=0.1)"),
    ("the built-in loss", "tf.keras.losses.MeanSquaredError()"),
    ("both work outside of fit", "also work outside of\n`fit`"),
    ("batches of 32", "batches of 32"),
    ("the whole set as a batch", "batch_size=len(x)"),
    ("fit's first loss", "epoch  1: loss 10.3447"),
    ("the same weights", "fit:  w 3.0503, b 1.7270"),
    ("why fit looks behind", "it is one epoch ahead"),
    ("next: traps", "](traps.md)"),
    ("next: a loop with metrics", "](usual_parts.md)"),
    ("next: fit", "](keras_from_fit_inwards.md)"),
    ("next: Keras on fit", "guides/training_with_built_in_methods"),
    ("next: a real problem", "](real_problem.md)"),
    ("next: saving", "](save_and_resume.md)"),
    ("next: TensorFlow on saving", "tensorflow.org/guide/checkpoint"),
    ("next: many devices", "](many_devices.md)"),
    ("next: TensorFlow on many devices", "distributed_training"),
]


@pytest.fixture(scope="module")
def page(pages: Pages) -> RenderedPage:
    return pages[GUIDE]


@pytest.fixture(scope="module")
def record(page: RenderedPage) -> Record:
    assert page.filled
    return page.filled.record


@pytest.mark.parametrize("shown", [s for _, s in TAUGHT], ids=dict(TAUGHT))
def test_the_guide_teaches(
    page: RenderedPage, record: Record, shown: str
) -> None:
    texts = [(REPOSITORY / f"docs/{GUIDE}.md").read_text("utf-8")]
    texts += [block.code for block in page.program.blocks]
    texts += [f"{block.output}\n{block.error}" for block in record.blocks]
    assert any(shown in text for text in texts)


def test_the_guide_draws_at_least_four_figures(record: Record) -> None:
    assert sum(bool(block.figure) for block in record.blocks) >= 4
