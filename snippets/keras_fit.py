"""The same training by ``compile`` and ``fit``."""

import matplotlib.pyplot as plt
import tensorflow as tf

from snippets.data import BLUE, RED, make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.training_loop import training_loop


# region forgetful
class Forgetful(tf.keras.Model):
    """A line through the origin; its weight is hidden from Keras."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(5.0)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Return a prediction for each x, in the shape of x."""
        return x * self.w


# endregion forgetful

if __name__ == "__main__":
    x, y = make_data()
    history = training_loop(LinearModel(), x, y)

    # region fit
    fit_model = KerasLinearModel()
    fit_model.compile(
        optimizer=tf.keras.optimizers.SGD(learning_rate=0.1),
        loss=tf.keras.losses.MeanSquaredError(),
    )
    fit = fit_model.fit(
        x, y, epochs=10, batch_size=len(x), shuffle=False, verbose=0
    )
    for epoch, fit_loss in enumerate(fit.history["loss"], start=1):
        print(f"epoch {epoch:2}: loss {fit_loss:.4f}")
    # endregion fit

    # region compare
    print(f"loop: w {history['w'][-1]:.4f}, b {history['b'][-1]:.4f}")
    print(f"fit:  w {float(fit_model.w):.4f}, b {float(fit_model.b):.4f}")
    # endregion compare

    # region plot
    plt.semilogy(range(11), history["loss"], "o-", color=BLUE, label="loop")
    plt.semilogy(
        range(1, 11), fit.history["loss"], "s--", color=RED, label="fit"
    )
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.show()
    # endregion plot

    # region stuck
    forgetful = Forgetful()
    forgetful.compile(optimizer="sgd", loss="mse")
    stuck = forgetful.fit(
        x, y, epochs=3, batch_size=len(x), shuffle=False, verbose=0
    )
    print("weights:", forgetful.weights, "w:", float(forgetful.w))
    for epoch, stuck_loss in enumerate(stuck.history["loss"], start=1):
        print(f"epoch {epoch}: loss {stuck_loss:.4f}")
    # endregion stuck
