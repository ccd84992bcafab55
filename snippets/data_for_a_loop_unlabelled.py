"""Labelled and unlabelled rows in one step."""

import tensorflow as tf

from snippets.data_for_a_loop_imbalance import cross_entropy
from snippets.data_for_a_loop_setup import Adam, Dataset, Model, Step, slices


# region make_clusters
def make_clusters(rows: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return points, (rows, 2), and labels, (rows, 1), of two clusters.

    They are 4 apart in the first number and wide in the second.
    """
    luck = tf.random.stateless_uniform((rows, 1), (0, 0))
    y = tf.cast(luck < 0.5, tf.float32)
    noise = tf.random.stateless_normal((rows, 2), (0, 1)) * [0.5, 2.0]
    return noise + tf.concat([4 * y - 2, 0 * y], axis=1), y


# endregion make_clusters


# region make_flat
def make_flat() -> Model:
    """Return a linear model of two numbers that starts with zeros."""
    line = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    return tf.keras.Sequential([tf.keras.Input((2,)), line])


# endregion make_flat


# region unlabelled_loss
def unlabelled_loss(logits: tf.Tensor) -> tf.Tensor:
    """Return the mean loss against what the model is sure of itself.

    Takes logits (batch, 1). A row below 90 % counts as 0.
    """
    p = tf.stop_gradient(tf.sigmoid(logits))
    labels = tf.cast(p > 0.5, tf.float32)
    sure = tf.cast(tf.abs(p - 0.5) > 0.4, tf.float32)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
    return tf.reduce_mean(sure * each)


# endregion unlabelled_loss


# region make_joint_step
def make_joint_step(model: Model, share: float) -> Step:
    """Return a step for labelled and unlabelled rows; share weighs these."""
    optimizer = Adam(0.05)

    def step(x: tf.Tensor, y: tf.Tensor, unlabelled: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            total = cross_entropy(y, model(x, training=True))
            total += share * unlabelled_loss(model(unlabelled, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(total, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return total

    compiled: Step = tf.function(step)
    return compiled


# endregion make_joint_step


# region learn_both
def learn_both(data: Dataset, share: float, epochs: int) -> Model:
    """Return a model trained on batches of ((x, y), unlabelled)."""
    model = make_flat()
    step = make_joint_step(model, share)
    for _ in range(epochs):
        for (x, y), unlabelled in data:
            step(x, y, unlabelled)
    return model


# endregion learn_both


# region Joint
class Joint(tf.keras.Model):
    """A model for fit on batches of ((x, y), unlabelled)."""

    def train_step(self, data: tuple[tf.Tensor, ...]) -> dict[str, tf.Tensor]:
        """Update the weights; return the sum of both losses."""
        (x, y), unlabelled = data
        with tf.GradientTape() as tape:
            total = cross_entropy(y, self(x, training=True))
            total += unlabelled_loss(self(unlabelled, training=True))
        variables = self.trainable_variables
        gradients = tape.gradient(total, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"total": total}


# endregion Joint


if __name__ == "__main__":
    # region few_labels
    unlabelled, y_true = make_clusters(500)
    x = tf.constant([[-1.5, -3.0], [1.5, 3.0]])
    y = tf.constant([[0.0], [1.0]])
    labelled = slices((x, y)).batch(2)
    others = slices(unlabelled).shuffle(500, seed=0).batch(50)
    for few in (labelled, labelled.repeat()):
        print("batches:", len(tf.data.Dataset.zip((few, others))))
    # endregion few_labels

    # region learn_from_both
    data = tf.data.Dataset.zip((labelled.repeat(), others))
    for share in (0.0, 1.0):
        model = learn_both(data, share, epochs=15)
        found = model(unlabelled, training=False) > 0
        right = tf.reduce_mean(tf.cast(found == (y_true > 0.5), tf.float32))
        print(f"share {share:.0f}: {right:.0%} right")
    # endregion learn_from_both

    # region soft_labels
    logits = tf.Variable([[0.7]])
    for stopped in (False, True):
        with tf.GradientTape() as tape:
            p = tf.sigmoid(logits)
            p = tf.stop_gradient(p) if stopped else p
            error = tf.nn.sigmoid_cross_entropy_with_logits(p, logits)
        slope = tape.gradient(error, logits).numpy().item()
        print(f"stopped: {stopped}, gradient: {slope:.2f}")
    # endregion soft_labels

    try:
        # region no_target
        model = make_flat()
        model.compile("sgd", tf.keras.losses.BinaryCrossentropy())
        model.fit(others, shuffle=False, verbose=0)
        # endregion no_target
    except ValueError as error:
        print(error)

    # region joint_fit
    flat = make_flat()
    joint = Joint(flat.inputs, flat.outputs)
    joint.compile(Adam(0.05))
    joint.fit(data, epochs=15, shuffle=False, verbose=0)
    found = joint(unlabelled, training=False) > 0
    right = tf.reduce_mean(tf.cast(found == (y_true > 0.5), tf.float32))
    print(f"{right:.0%} right")
    # endregion joint_fit
