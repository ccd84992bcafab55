"""Traps of metrics: never reset, and averaging batches instead of rows."""

import tensorflow as tf

from snippets.data import make_data
from snippets.keras_model import KerasLinearModel
from snippets.linear_model import LinearModel
from snippets.loss import loss
from snippets.traps_steps import train

if __name__ == "__main__":
    x, y = make_data()

    # region never_reset
    model, mean_loss = LinearModel(), tf.keras.metrics.Mean()
    for epoch in range(1, 5):
        for start in range(3):
            batch_x, batch_y = x[start::3], y[start::3]
            batch_loss = loss(batch_y, model(batch_x))
            mean_loss.update_state(batch_loss, sample_weight=len(batch_x))
            train(model, batch_x, batch_y, 0.03)
        print(f"epoch {epoch}: loss {mean_loss.result():.2f}")
    # endregion never_reset

    # region reset
    model, mean_loss = LinearModel(), tf.keras.metrics.Mean()
    for epoch in range(1, 5):
        mean_loss.reset_state()
        for start in range(3):
            batch_x, batch_y = x[start::3], y[start::3]
            batch_loss = loss(batch_y, model(batch_x))
            mean_loss.update_state(batch_loss, sample_weight=len(batch_x))
            train(model, batch_x, batch_y, 0.03)
        print(f"epoch {epoch}: loss {mean_loss.result():.2f}")
    assert int(mean_loss.count) == len(x)
    # endregion reset

    # region rows_as_one
    model, metric = KerasLinearModel(), tf.keras.metrics.MeanSquaredError()
    for start in range(0, len(x), 32):
        rows = slice(start, start + 32)
        metric.update_state(y[rows], model(x[rows]))
    print(f"metric {metric.result():.4f}, loss {loss(y, model(x)):.4f}")
    model.compile(loss="mse", metrics=["mse"])
    log = model.evaluate(x, y, verbose=0, return_dict=True)
    print(f"evaluate: mse {log['mse']:.4f}, loss {log['loss']:.4f}")
    # endregion rows_as_one

    # region rows_apart
    model, metric = KerasLinearModel(), tf.keras.metrics.MeanSquaredError()
    inputs, outputs = x[:, tf.newaxis], y[:, tf.newaxis]
    for start in range(0, len(x), 32):
        rows = slice(start, start + 32)
        metric.update_state(outputs[rows], model(inputs[rows]))
    print(f"metric {metric.result():.4f}, loss {loss(y, model(x)):.4f}")
    model.compile(loss="mse", metrics=["mse"])
    log = model.evaluate(inputs, outputs, verbose=0, return_dict=True)
    print(f"evaluate: mse {log['mse']:.4f}, loss {log['loss']:.4f}")
    assert abs(metric.result() - loss(y, model(x))) < 0.001
    # endregion rows_apart

    # region mean_of_means
    model, losses = LinearModel(), []
    for start in range(0, len(x), 32):
        rows = slice(start, start + 32)
        losses.append(float(loss(y[rows], model(x[rows]))))
    mean = sum(losses) / len(losses)
    print(f"mean {mean:.4f}, loss {loss(y, model(x)):.4f}")
    # endregion mean_of_means

    # region mean_of_rows
    model, mean_loss = LinearModel(), tf.keras.metrics.Mean()
    for start in range(0, len(x), 32):
        rows = slice(start, start + 32)
        batch_loss = loss(y[rows], model(x[rows]))
        mean_loss.update_state(batch_loss, sample_weight=len(x[rows]))
    mean = float(mean_loss.result())
    print(f"mean {mean:.4f}, loss {loss(y, model(x)):.4f}")
    assert abs(mean - loss(y, model(x))) < 0.001
    # endregion mean_of_rows
