"""Two models and two optimizers in one checkpoint, as a GAN has them."""

import tensorflow as tf

# region new_gan
Parts = dict[str, tf.keras.Model | tf.keras.Optimizer]


def new_gan() -> Parts:
    """Return two models, and an optimizer for each, at their start."""
    gan = {}
    for name in ("generator", "discriminator"):
        layer = tf.keras.layers.Dense(2, kernel_initializer="ones")
        model = tf.keras.Sequential([tf.keras.Input((2,)), layer])
        sgd = tf.keras.optimizers.SGD(0.1, momentum=0.9)
        sgd.build(model.trainable_variables)
        gan |= {name: model, f"{name}_optimizer": sgd}
    return gan


# endregion new_gan


# region train_each
def train_each(gan: Parts, steps: int) -> None:
    """Take steps with each model, which stand for those of a GAN."""
    x = tf.constant([[1.0, 2.0]])
    for _ in range(steps):
        for name in ("generator", "discriminator"):
            variables = gan[name].trainable_variables
            with tf.GradientTape() as tape:
                current_loss = tf.reduce_mean(gan[name](x) ** 2)
            gradients = tape.gradient(current_loss, variables)
            gan[f"{name}_optimizer"].apply(gradients, variables)


# endregion train_each


# region after_break
def after_break(names: list[str]) -> float:
    """Return by how much a break changes what the generator makes.

    The checkpoint has the parts of the GAN that are named.
    """
    whole, stopped, new = new_gan(), new_gan(), new_gan()
    train_each(whole, 6)
    train_each(stopped, 3)
    saved = tf.train.Checkpoint(**{name: stopped[name] for name in names})
    reader = tf.train.Checkpoint(**{name: new[name] for name in names})
    reader.read(saved.write("gan")).assert_consumed()
    train_each(new, 3)
    x = tf.constant([[1.0, 2.0]])
    found = new["generator"](x) - whole["generator"](x)
    return float(tf.reduce_max(abs(found)))


# endregion after_break


if __name__ == "__main__":
    # region models_alone
    names = ["generator", "discriminator"]
    print(f"difference {after_break(names):.4f}")
    # endregion models_alone

    # region all_parts
    names += ["generator_optimizer", "discriminator_optimizer"]
    print(f"difference {after_break(names):.4f}")
    # endregion all_parts
