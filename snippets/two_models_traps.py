"""What goes wrong when two models train at once, and the checks."""

import math
import warnings

import tensorflow as tf

from snippets.two_models import (
    at_once,
    discriminator_loss,
    distance,
    generator_loss,
    in_turns,
    make_discriminator_step,
    make_generator_step,
    make_network,
    make_pair,
    make_ring,
    play,
    share_right,
    update,
)
from snippets.two_models_setup import Model, Optimizer, Step


# region movement
def movement(weights, act, *inputs) -> list[float]:
    """Return how far an act moves each weight: its largest change."""
    before = [weight.numpy() for weight in weights]
    act(*inputs)
    pairs = zip(weights, before, strict=True)
    return [float(abs(weight.numpy() - old).max()) for weight, old in pairs]


# endregion movement


# region check_update
def check_update(learner, other, act, *inputs) -> None:
    """Assert that an act moves every weight of one model, no other."""
    moved = movement(learner.weights + other.weights, act, *inputs)
    count = len(learner.weights)
    assert not any(map(math.isnan, moved)), "a weight is not a number"
    assert min(moved[:count]) > 0, f"the {learner.name} stands still"
    assert max(moved[count:]) == 0, f"the {other.name} moves as well"


# endregion check_update


# region both_moved
def both_moved(point, slope, d_optimizer, g_optimizer, penalty) -> None:
    """Update the slope by its own loss, and both by the point's loss."""
    with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
        d_loss, g_loss = slope * point, -slope * point
    d_gradient = d_tape.gradient(d_loss, slope)
    g_gradients = g_tape.gradient(g_loss, [point, slope])
    d_optimizer.apply_gradients([(d_gradient, slope)])
    g_optimizer.apply_gradients(zip(g_gradients, [point, slope], strict=True))


# endregion both_moved


# region make_summed_step
def make_summed_step(generator: Model, discriminator: Model) -> Step:
    """Return a step that updates both models by the sum of both losses."""
    both = tf.keras.Sequential([generator, discriminator])
    optimizer = tf.keras.optimizers.SGD(0.5)

    def step(real: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, ...]:
        with tf.GradientTape() as tape:
            fake_scores = both(noise, training=True)
            d_loss = discriminator_loss(discriminator(real), fake_scores)
            g_loss = generator_loss(fake_scores)
            loss = d_loss + g_loss
        update(both, optimizer, tape, loss)
        return d_loss, g_loss

    return step


# endregion make_summed_step


# region make_gan_step
def make_gan_step(gan: Model, optimizer: Optimizer) -> Step:
    """Return a step that updates whatever of the pair is trainable."""
    optimizer.build(gan.trainable_variables)

    def step(noise: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = generator_loss(gan(noise, training=True))
        update(gan, optimizer, tape, loss)
        return loss

    return step


# endregion make_gan_step


# region minimax_loss
def minimax_loss(fake: tf.Tensor) -> tf.Tensor:
    """Return the discriminator's loss of the fake points, negated."""
    return -tf.reduce_mean(tf.nn.softplus(fake))


# endregion minimax_loss


# region q_loss
def q_loss(online: Model, target: Model, *seen: tf.Tensor) -> tf.Tensor:
    """Return how far the values are from what the target hopes for.

    Seen are the states, in the rows of a matrix, the number of the action
    taken in each, the rewards, and the states that followed.
    """
    state, action, reward, following = seen
    best = tf.reduce_max(target(following), axis=1)
    reward = tf.ensure_shape(reward, best.shape)
    aim = tf.stop_gradient(reward + 0.9 * best)
    value = tf.gather(online(state, training=True), action, batch_dims=1)
    value = tf.ensure_shape(value, best.shape)
    return tf.reduce_mean(tf.square(value - aim))


# endregion q_loss


# region follow
def follow(target: Model, online: Model, share: float) -> None:
    """Move each weight of the target by a share of the way to the model's."""
    for weight, ahead in zip(target.weights, online.weights, strict=True):
        weight.assign_add(share * (ahead - weight))


# endregion follow


# region distill_loss
def distill_loss(
    student: Model, teacher: Model, x: tf.Tensor, temperature: float
) -> tf.Tensor:
    """Return the cross-entropy of the student with the teacher's labels."""
    labels = tf.nn.softmax(teacher(x, training=False) / temperature)
    logits = student(x, training=True) / temperature
    labels = tf.ensure_shape(labels, logits.shape)
    losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    return temperature**2 * tf.reduce_mean(losses)


# endregion distill_loss


if __name__ == "__main__":
    steps, batch = 400, 128
    reals = make_ring([steps, batch])
    noises = tf.random.stateless_normal([steps, batch, 2], seed=(0, 2))
    shown = tf.random.stateless_normal([300, 2], seed=(0, 3))
    paths = {"at once": play(at_once), "in turns": play(in_turns)}
    pair = generator, discriminator = make_pair()
    d_optimizer = tf.keras.optimizers.SGD(0.1)
    g_optimizer = tf.keras.optimizers.SGD(0.1)
    train_discriminator = make_discriminator_step(*pair, d_optimizer)
    train_generator = make_generator_step(*pair, g_optimizer)

    # region healthy
    real, noise = reals[0], noises[0]
    check_update(discriminator, generator, train_discriminator, real, noise)
    check_update(generator, discriminator, train_generator, noise)
    print("each step moves its own model")
    # endregion healthy

    try:
        # region one_tape
        with tf.GradientTape() as tape:
            fake = generator(noise, training=True)
            scores = [discriminator(p, training=True) for p in (real, fake)]
            d_loss = discriminator_loss(*scores)
            g_loss = generator_loss(scores[1])
        update(discriminator, d_optimizer, tape, d_loss)
        update(generator, g_optimizer, tape, g_loss)
        # endregion one_tape
    except RuntimeError as error:
        print(error)

    # region two_tapes
    with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
        fake = generator(noise, training=True)
        scores = [discriminator(p, training=True) for p in (real, fake)]
        d_loss = discriminator_loss(*scores)
        g_loss = generator_loss(scores[1])
    update(discriminator, d_optimizer, d_tape, d_loss)
    update(generator, g_optimizer, g_tape, g_loss)
    print(f"losses {d_loss:.2f} and {g_loss:.2f}, one forward pass")
    # endregion two_tapes

    # region wrong_variables
    path = play(both_moved)
    for rounds in (0, 30):
        point, slope = path[rounds]
        print(f"after {rounds} rounds: point {point:.2f}, slope {slope:.2f}")
    # endregion wrong_variables

    try:
        # region gan_variables
        gan = tf.keras.Sequential([generator, discriminator])
        train_gan = make_gan_step(gan, tf.keras.optimizers.SGD(0.1))
        check_update(generator, discriminator, train_gan, noise)
        # endregion gan_variables
    except AssertionError as error:
        print(error)

    # region summed
    generator, discriminator = make_pair()
    train_both = tf.function(make_summed_step(generator, discriminator))
    for step in range(101):
        d_loss, g_loss = train_both(reals[step], noises[step])
        if step % 100 == 0:
            away = distance(generator(shown))
            print(f"{d_loss:.2f} and {g_loss:.2f}, {away:.1f} from the circle")
    # endregion summed

    try:
        # region one_optimizer
        point = tf.Variable(1.0, name="point")
        slope = tf.Variable(0.0, name="slope")
        optimizer = tf.keras.optimizers.Adam(learning_rate=0.1)
        in_turns(point, slope, optimizer, optimizer)
        # endregion one_optimizer
    except ValueError as error:
        print(error)

    # region counted_twice
    slope, point = tf.Variable(0.0), tf.Variable(0.0)
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.1)
    optimizer.build([slope, point])
    for rounds in range(1, 31):
        for variable in (slope, point):
            optimizer.apply_gradients([(tf.constant(-1.0), variable)])
        if rounds in (1, 30):
            print(f"slope {slope.numpy():.4f}, point {point.numpy():.4f}")
    print("updates counted:", int(optimizer.iterations))
    # endregion counted_twice

    # region two_optimizers
    for variable in (slope, point):
        variable.assign(0.0)
        optimizer = tf.keras.optimizers.Adam(learning_rate=0.1)
        for _ in range(rounds):
            optimizer.apply_gradients([(tf.constant(-1.0), variable)])
    print(f"slope {slope.numpy():.4f}, point {point.numpy():.4f}")
    assert int(optimizer.iterations) == rounds
    # endregion two_optimizers

    # region flags
    generator, discriminator = make_pair()
    gan = tf.keras.Sequential([generator, discriminator])
    train_gan = make_gan_step(gan, tf.keras.optimizers.SGD(0.1))
    compiled = tf.function(train_gan)
    compiled(noise)  # to see whether it runs
    discriminator.trainable = False
    for name, act in (("eager", train_gan), ("compiled", compiled)):
        far = max(movement(discriminator.weights, act, noise))
        print(f"{name}: the discriminator moved by {far:.4f}")
    # endregion flags

    # region no_flags
    train_generator = make_generator_step(
        generator, discriminator, tf.keras.optimizers.SGD(0.1)
    )
    check_update(generator, discriminator, train_generator, noise)
    # endregion no_flags

    # region recipe
    generator, discriminator = make_pair()
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile("sgd", loss)
    discriminator.trainable = False
    gan = tf.keras.Sequential([generator, discriminator])
    gan.compile("sgd", loss)
    # endregion recipe

    # region recipe_step
    act, labels = discriminator.train_on_batch, tf.ones((batch, 1))
    for trainable in (False, True):
        discriminator.trainable = trainable
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            moved = movement(discriminator.weights, act, real, labels)
        print(f"trainable {trainable}: moved by {max(moved):.4f}")
        for warning in told:
            print(warning.message)
    # endregion recipe_step

    try:
        # region cut
        generator, discriminator = make_pair()
        with tf.GradientTape() as tape:
            fake = generator(noise, training=True).numpy()
            g_loss = generator_loss(discriminator(fake, training=True))
        variables = generator.trainable_variables
        gradients = tape.gradient(g_loss, variables)
        print("missing:", gradients.count(None), "of", len(variables))
        optimizer = tf.keras.optimizers.SGD(0.1)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        # endregion cut
    except ValueError as error:
        print(error)

    # region uncut
    with tf.GradientTape() as tape:
        fake = generator(noise, training=True)
        g_loss = generator_loss(discriminator(fake, training=True))
    gradients = tape.gradient(g_loss, variables)
    print("missing:", gradients.count(None), "of", len(variables))
    assert None not in gradients
    # endregion uncut

    # region beaten
    generator, discriminator = make_pair()
    train_discriminator = make_discriminator_step(
        generator, discriminator, tf.keras.optimizers.SGD(0.5)
    )
    for real, noise in zip(reals[:200], noises[:200], strict=True):
        d_loss = train_discriminator(real, noise)
    fake = generator(noise)
    right = share_right(discriminator, real, fake)
    print(f"loss {d_loss:.2f}, right about {right:.1f} of all points")
    # endregion beaten

    # region vanished
    variables = generator.trainable_variables
    for loss in (minimax_loss, generator_loss):
        with tf.GradientTape() as tape:
            g_loss = loss(discriminator(generator(noise)))
        gradients = tape.gradient(g_loss, variables)
        length = tf.linalg.global_norm(gradients)
        print(f"{loss.__name__}: {g_loss:.2f}, gradient {length:.2f}")
    # endregion vanished

    # region target_network
    online = make_network(2, "online")
    target = tf.keras.models.clone_model(online)
    target.set_weights(online.get_weights())
    optimizer = tf.keras.optimizers.SGD(0.1)
    seen = noises[0], tf.zeros(batch, tf.int32), noises[0, :, 0], noises[1]

    def train_online() -> None:
        """Update the online network by its loss."""
        with tf.GradientTape() as tape:
            loss = q_loss(online, target, *seen)
        update(online, optimizer, tape, loss)

    check_update(online, target, train_online)
    moved = movement(target.weights, follow, target, online, 0.1)
    print(f"the copy followed by {max(moved):.4f}")
    # endregion target_network

    # region no_copy
    target = online
    moved = movement(target.weights, train_online)
    print(f"the target moved by {max(moved):.4f} in the step itself")
    # endregion no_copy

    # region distilled
    layers = [tf.keras.Input((2,)), tf.keras.layers.BatchNormalization()]
    layers += [tf.keras.layers.Dense(3)]
    teacher = tf.keras.Sequential(layers, name="teacher")
    student = make_network(3, "student")

    def train_student() -> None:
        """Update the student by the labels of its teacher."""
        with tf.GradientTape() as tape:
            loss = distill_loss(student, teacher, noises[0], 2.0)
        update(student, optimizer, tape, loss)

    optimizer = tf.keras.optimizers.SGD(0.1)
    check_update(student, teacher, train_student)
    print("the student moved, and no weight of the teacher")
    # endregion distilled

    # region persistent
    with (
        tf.GradientTape() as d_tape,
        tf.GradientTape() as g_tape,
        tf.GradientTape(persistent=True) as tape,
    ):
        fake = generator(noise, training=True)
        scores = [discriminator(p, training=True) for p in (real, fake)]
        d_loss = discriminator_loss(*scores)
        g_loss = generator_loss(scores[1])
    # endregion persistent

    # region same_gradients
    for model, own_tape, loss in (
        (discriminator, d_tape, d_loss),
        (generator, g_tape, g_loss),
    ):
        variables = model.trainable_variables
        own = own_tape.gradient(loss, variables)
        shared = tape.gradient(loss, variables)
        far = max(
            float(tf.reduce_max(abs(a - b)))
            for a, b in zip(own, shared, strict=True)
        )
        print(f"{model.name}: gradients differ by {far:.4f} at most")
    del tape
    # endregion same_gradients

    # region kept
    kept = [p**2 + s**2 - 0.3 * p * s for p, s in paths["in turns"]]
    print(f"in turns: from {min(kept):.4f} to {max(kept):.4f}")
    grown = math.hypot(*paths["at once"][-1])
    print(f"at once: {grown:.4f}, expected {(1 + 0.3**2) ** 15:.4f}")
    # endregion kept
