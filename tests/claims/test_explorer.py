"""What the page of the explorer says is true.

That the explorer's script computes the numbers of Keras is tested in
``tests/explorer``; what it takes a browser to see, in ``tests/browser``.
"""

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from snippets import explorer
from snippets.linear_model import LinearModel
from snippets.training_loop import training_loop
from snippets.traps_steps import largest_curvature
from tests.claims.says import printed, ran, record, says
from tests.claims.sentences import DOCS, ROOT, read

NAME = "explorer"
PAGE = read(NAME)
BLOCKS = {block.name: block for block in PAGE.blocks}
SOURCE = (DOCS / f"{NAME}.md").read_text("utf-8")
SCRIPTS = DOCS / "assets/explorer"
EPOCH = re.compile(r"epoch +(\d+): w (\S+), b (\S+), loss (\S+)")
ORDER = (
    "tf.argsort(tf.random.stateless_uniform([len(x)], seed=(0, 0)))"
    ".numpy().tolist()"
)
OPTIMIZERS = {
    "sgd": lambda rate: tf.keras.optimizers.SGD(rate),
    "momentum": lambda rate: tf.keras.optimizers.SGD(rate, momentum=0.9),
    "nesterov": lambda rate: tf.keras.optimizers.SGD(
        rate, momentum=0.9, nesterov=True
    ),
    "adam": lambda rate: tf.keras.optimizers.Adam(rate),
}

Names = dict[str, Any]


def values(name: str) -> np.ndarray:
    """Return the data that the page hands to the explorer."""
    return np.array(json.loads(record(NAME)[name]))


X, Y = (values(f"[float(str(v)) for v in {n}.numpy()]") for n in "xy")
SHUFFLED = values(ORDER)
BEST = np.polyfit(X, Y, 1)
CURVATURES = np.array([2 * np.mean(X * X), 2.0])
LIMIT = 2 / CURVATURES[0]


def slopes(x: np.ndarray, y: np.ndarray, w: float, b: float) -> np.ndarray:
    errors = w * x + b - y
    return 2 * np.array([np.mean(errors * x), np.mean(errors)])


def loss(w: float, b: float) -> float:
    return float(np.mean((w * X + b - Y) ** 2))


LEAST = loss(*BEST)


class Run(NamedTuple):
    """What a run came to, in NumPy."""

    ends: np.ndarray
    """w and b at the start and after each epoch."""
    losses: np.ndarray
    """Of all the data, as many."""
    steps: np.ndarray
    """By how much each update moved w and b."""

    @property
    def apart(self) -> np.ndarray:
        """How far w and b are from the best, with a sign."""
        return self.ends - BEST


def descend(
    optimizer: str = "sgd",
    rate: float = 0.1,
    epochs: int = 10,
    size: int = 201,
    kind: Any = np.float64,
) -> Run:
    x, y = X.astype(kind), Y.astype(kind)
    if size < len(x):
        x, y = x[SHUFFLED], y[SHUFFLED]
    now = np.array([5.0, 0.0], kind)
    kept, mean, square = (np.zeros(2, kind) for _ in range(3))
    ends, steps = [now], list[np.ndarray]()
    for _ in range(epochs):
        for start in range(0, len(x), size):
            batch = slice(start, start + size)
            slope = slopes(x[batch], y[batch], *now).astype(kind)
            kept = kind(0.9) * kept - kind(rate) * slope
            mean = 0.9 * mean + 0.1 * slope
            square = 0.999 * square + 0.001 * slope**2
            count = len(steps) + 1
            step = {
                "sgd": -kind(rate) * slope,
                "momentum": kept,
                "nesterov": kind(0.9) * kept - kind(rate) * slope,
                "adam": -rate
                * (np.sqrt(1 - 0.999**count) / (1 - 0.9**count))
                * mean
                / (np.sqrt(square) + 1e-7),
            }[optimizer].astype(kind)
            now = now + step
            steps.append(step)
        ends.append(now)
    losses = [np.mean((w * x + b - y) ** 2) for w, b in ends]
    return Run(np.array(ends), np.array(losses), np.array(steps))


def swings(run: Run) -> int:
    """Return how often w comes past its best value."""
    return int(np.count_nonzero(np.diff(np.sign(run.apart[:, 0]))))


def linked(text: str) -> dict[str, Any]:
    """Return the settings that the link with that text leads to."""
    [address] = re.findall(
        rf'<a\s+href="#([^"]*)">{text}</a>', " ".join(SOURCE.split())
    )
    pairs = [pair.split("=") for pair in address.split("&amp;")]
    return {k: v if k == "optimizer" else float(v) for k, v in pairs}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_numpy_descends_as_keras_does(optimizer: str) -> None:
    w, b = tf.Variable(5.0), tf.Variable(0.0)
    theirs = OPTIMIZERS[optimizer](0.3)
    x, y = (tf.constant(v, tf.float32) for v in (X, Y))
    for _ in range(4):
        explorer.train(w, b, theirs, x, y)
    ours = descend(optimizer, 0.3, 4).ends[-1]
    assert [float(w), float(b)] == pytest.approx([*ours], rel=1e-4)


# The page


@says("All blocks of this page, in order, as one file.")
@says("It needs TensorFlow alone.")
def test_all_blocks_ran_with_tensorflow_alone() -> None:
    blocks = [name.rpartition(":")[2] for name in record(NAME)]
    assert [n for n in blocks if n in BLOCKS] == [b.name for b in PAGE.blocks]
    modules = set()
    for block in PAGE.blocks:
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            assert not isinstance(node, ast.ImportFrom)
    assert modules == {"tensorflow"}


@says(
    "Five optimizers, the numbers of Keras, and the program for every setting."
)
@says(
    "The program for the settings of the explorer stands in the "
    "explorer itself."
)
def test_the_optimizers_and_the_program() -> None:
    program = (SCRIPTS / "program.js").read_text("utf-8")
    calls = dict(re.findall(r'(?m)^  (\w+): "(\w+\(.*\))"', program))
    assert [*calls] == ["sgd", "momentum", "nesterov", "rmsprop", "adam"]
    names = (SCRIPTS / "model.js").read_text("utf-8").split("NAMES = {")[1]
    named = re.findall(r"(?m)^  (\w+): ", names.split("}")[0])
    assert named == [*calls]
    for call in calls.values():
        made = f"tf.keras.optimizers.{call}".replace("RATE", "0.1")
        assert isinstance(eval(made), tf.keras.Optimizer)
    for setting in ("optimizer", "learning_rate", "batch_size", "epochs"):
        assert setting in program.split("export function program(")[1][:120]
    shown = (SCRIPTS / "explorer.js").read_text("utf-8")
    assert "The program for these settings" in shown


@says(
    "The explorer starts from this program: the guide's data, model, "
    "loss and loop in one piece, with an optimizer from Keras."
)
@says("Update the weights once, on the batch (x, y).")
@says("Add the weights and the loss to the history, and print them.")
def test_the_run_is_that_of_the_guide(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x, y = (tf.constant(v, tf.float32) for v in (X, Y))
    guide = training_loop(LinearModel(), x, y)
    assert isinstance(ran(NAME, "start")["optimizer"], tf.keras.Optimizer)
    lines = EPOCH.findall(printed(NAME, "run"))
    assert [int(line[0]) for line in lines] == [*range(11)]
    for column, name in enumerate(("w", "b", "loss"), 1):
        found = [float(line[column]) for line in lines]
        assert found == pytest.approx(guide[name], rel=1e-4)
    w, b = tf.Variable(5.0), tf.Variable(0.0)
    explorer.train(w, b, tf.keras.optimizers.SGD(0.1), x, y)
    moved = [guide["w"][1], guide["b"][1]]
    assert [float(w), float(b)] == pytest.approx(moved, rel=1e-5)
    capsys.readouterr()
    history: dict[str, list[float]] = {"w": [], "b": [], "loss": []}
    explorer.report(history, w, b, x, y)
    wanted = [*moved, guide["loss"][1]]
    assert [v for [v] in history.values()] == pytest.approx(wanted, rel=1e-5)
    assert capsys.readouterr().out.startswith(f"epoch  0: w {moved[0]:.6g}")


@says("An epoch is one pass through the data.")
@says("With {{ len(x) }} points in a batch it is one update.")
@says(
    "With 32 it is {{ -(-len(x) // 32) }}: the thin line follows every "
    "update, the dots and the curve of the loss count epochs, and the "
    "loss is always that of all the data."
)
@says("Smaller batches take the data in a fixed shuffled order.")
def test_epochs_and_updates(tmp_path: Path) -> None:
    assert record(NAME)["len(x)"] == str(len(X)) == "201"
    assert record(NAME)["-(-len(x) // 32)"] == "7"
    assert sorted(SHUFFLED) == [*range(201)]
    assert np.abs(np.diff(SHUFFLED)).mean() > 30
    views = (SCRIPTS / "views.js").read_text("utf-8")
    assert "this.points : run.path;" in views, "of updates, unless too many"
    node = shutil.which("node")
    if not node:
        pytest.skip("no Node.js on this machine")
    given = {"x": X, "y": Y, "order": SHUFFLED, "noise": Y - 3 * X - 2}
    kept: Names = {n: [*map(float, value)] for n, value in given.items()}
    kept["order"] = SHUFFLED.tolist()
    history = {"w": [5.0], "b": [0.0], "loss": [0.0] * 11}
    rest = {"true_w": 3.0, "true_b": 2.0, "learning_rate": 0.1}
    (tmp_path / "run.json").write_text(
        json.dumps({**kept, **rest, "history": history})
    )
    asked = [{"batch_size": 201, "epochs": 3}, {"batch_size": 32, "epochs": 3}]
    told = subprocess.run(
        [node, ROOT / "tests/explorer/explore.mjs", tmp_path / "run.json"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    whole, small = json.loads(told.stdout)
    assert (whole["updates"], small["updates"]) == (3, 21)
    for found, size in ((whole, 201), (small, 32)):
        ours = descend(size=size, epochs=3)
        assert len(found["loss"]) == 4
        assert found["loss"] == pytest.approx([*ours.losses], rel=1e-4)
        assert found["w"] == pytest.approx([*ours.ends[:, 0]], rel=1e-4)


@says("Its run is the dotted line.")
def test_the_dotted_line() -> None:
    style = (SCRIPTS / "explorer.css").read_text("utf-8")
    assert "stroke-dasharray" in style.split(".reference {")[1].split("}")[0]
    script = (SCRIPTS / "explorer.js").read_text("utf-8")
    assert "reference: recorded.history" in script
    fence = SOURCE.split("```explorer ")[1].split("```")[0]
    assert '"history": {"w": {{ history["w"] }}' in fence


@says("Point at an epoch in one picture and it is marked in all three.")
def test_an_epoch_is_marked_in_all_pictures() -> None:
    """What the script does when a pointer moves; a browser shows it."""
    script = (SCRIPTS / "explorer.js").read_text("utf-8")
    moved = script.split("picture.onpointermove = ")[1].split("};")[0]
    assert "this.mark(" in moved
    marks = re.split(r"\n  mark\(epoch\) \{", script)[1].split("\n  }")[0]
    assert "for (const view of this.views) view.mark(state);" in marks
    views = re.search(r"this\.views = \[(.*?)\];", script)
    assert views
    assert re.findall(r"surface|\w+View", views[1]) == [
        "surface",
        "DataView",
        "LossView",
    ]
    assert "(picture, i) => this.listenTo(picture, this.views[i])" in script
    tests = (ROOT / "tests/browser/test_explorer.py").read_text("utf-8")
    assert "def test_pointing_at_an_epoch_marks_it_in_all_pictures(" in tests


# Guess first


@says('Guess, then <a href="#learning_rate=0.43">try 0.43</a>.')
@says(
    "Most of the way is done in one step, and each further epoch "
    "leaves of each weight's distance at most {{ abs(1 - 0.43 * 2 * "
    "float(tf.reduce_mean(x * x))):.2f }} of what was left."
)
@says(
    "Hardly any rate does better: at {{ 2 / (2 * float(tf.reduce_mean(x"
    " * x)) + 2):.4f }} both weights shrink their distance by the same "
    "factor, and any other rate is slower for one of the two."
)
def test_at_043() -> None:
    settings = linked("try 0.43")
    assert settings == {"learning_rate": 0.43}
    run = descend(rate=0.43)
    apart = np.hypot(*run.apart.T)
    assert apart[1] < 0.2 * apart[0]
    left = np.abs(run.apart[2:6] / run.apart[1:5])
    kept = record(NAME)
    most = kept["abs(1 - 0.43 * 2 * float(tf.reduce_mean(x * x))):.2f"]
    assert f"{left.max():.2f}" == most
    best = 2 / np.sum(CURVATURES)
    told = kept["2 / (2 * float(tf.reduce_mean(x * x)) + 2):.4f"]
    assert told == f"{best:.4f}"

    def slowest(rate: float) -> float:
        return float(np.max(np.abs(1 - rate * CURVATURES)))

    first, second = np.abs(1 - best * CURVATURES)
    assert first == pytest.approx(second, rel=1e-6)
    rates = np.linspace(0.01, 0.74, 500)
    assert all(slowest(rate) > first - 1e-9 for rate in rates)
    better = [slowest(rate) < slowest(0.43) for rate in rates]
    assert 0 < np.mean(better) < 0.05


@says(
    'Guess, then <a href="#optimizer=sgd&amp;learning_rate=0.76">try 0.76</a>.'
)
@says("The loss falls, and then it rises.")
@says(
    "`b` settles, but `w` overshoots, and each time it lands {{ abs(1 "
    "- 0.76 * 2 * float(tf.reduce_mean(x * x))):.2f }} times as far on "
    "the other side."
)
@says(
    'Give it time and <a href="#learning_rate=0.76&amp;epochs=60">see '
    "it diverge</a>. Far past the limit <a "
    'href="#learning_rate=2&amp;epochs=80">the numbers run out</a>: '
    "infinity, then no number at all."
)
def test_at_076_and_beyond() -> None:
    wanted = {"optimizer": "sgd", "learning_rate": 0.76}
    assert linked("try 0.76") == wanted
    diverge = {"learning_rate": 0.76, "epochs": 60}
    assert linked("see it diverge") == diverge
    run = descend(rate=0.76)
    turn = int(np.argmin(run.losses))
    assert 0 < turn < 5
    assert np.all(np.diff(run.losses[: turn + 1]) < 0)
    assert np.all(np.diff(run.losses[turn:]) > 0)
    w, b = run.apart.T
    assert abs(b[-1]) < 0.01
    assert np.all(np.sign(w[1:]) == -np.sign(w[:-1]))
    times = np.abs(w[1:] / w[:-1])
    [told] = [
        v for k, v in record(NAME).items() if k.startswith("abs(1 - 0.76")
    ]
    assert f"{times.mean():.2f}" == told
    assert float(told) > 1
    assert descend(rate=0.76, epochs=60).losses[-1] > 100 * run.losses[0]
    settings = linked("the numbers run out")
    assert settings == {"learning_rate": 2, "epochs": 80}
    with np.errstate(all="ignore"):
        lost = descend(rate=2.0, epochs=80, kind=np.float32).losses
    infinite = int(np.argmax(np.isinf(lost)))
    none = int(np.argmax(np.isnan(lost)))
    assert 0 < infinite < none
    assert np.all(np.isnan(lost[none:]))


@says(
    'Guess, then <a href="#optimizer=momentum&amp;epochs=60">take '
    "momentum</a> and raise the rate."
)
@says("It carries each step on into the next.")
@says(
    "Larger, nearly twice: a step that goes back and forth is braked "
    "by what is left of the last one."
)
@says(
    "But on the way to its limit momentum circles long around the least loss."
)
@says(
    "Nesterov's form looks ahead, circles less, and in the way Keras "
    'computes it <a href="#optimizer=nesterov&amp;learning_rate=0.51'
    '&amp;epochs=60">its limit is smaller</a>.'
)
@says(
    r"For momentum `#!math \beta` the limit is `#!math 2(1 + \beta)` "
    "divided by the curvature, and Nesterov's form in Keras divides "
    r"that by `#!math 1 + 2\beta`."
)
def test_momentum() -> None:
    wanted = {"optimizer": "momentum", "epochs": 60}
    assert linked("take momentum") == wanted
    w, kept = tf.Variable(0.0), tf.keras.optimizers.SGD(1.0, momentum=0.9)
    moves = []
    for slope in (-1.0, 0.0, 1.0):
        before = float(w)
        kept.apply_gradients([(tf.constant(slope), w)])
        moves.append(float(w) - before)
    carried, braked = moves[1:]
    assert carried == pytest.approx(0.9 * moves[0])
    assert abs(braked) < 1.0, "shorter than without momentum"
    limits = {
        "sgd": LIMIT,
        "momentum": 2 * 1.9 / CURVATURES[0],
        "nesterov": 2 * 1.9 / (1 + 2 * 0.9) / CURVATURES[0],
    }
    for name, limit in limits.items():
        below, above = (descend(name, f * limit, 800) for f in (0.98, 1.02))
        assert below.losses[-1] < LEAST + 0.01
        assert above.losses[-1] > 100
    assert limits["momentum"] == pytest.approx(1.9 * LIMIT)
    assert limits["nesterov"] < LIMIT
    shown = re.findall(r"\d\.\d+", printed(NAME, "momentum"))
    assert [*map(float, shown)] == pytest.approx(
        [limits["momentum"], limits["nesterov"]], abs=1e-4
    )
    assert limits["nesterov"] < linked("its limit is smaller")["learning_rate"]
    for rate in (0.1, 0.2, 0.3):
        epochs = [
            int(np.max(np.flatnonzero(run.losses > 1.01 * LEAST), initial=0))
            for run in (descend(n, rate, 80) for n in ("momentum", "nesterov"))
        ]
        assert epochs[0] > 2 * epochs[1], "momentum takes longer to settle"
    for rate in (0.5, 0.9, 1.3):
        long = descend("momentum", rate, 60)
        assert swings(long) > 20
        assert long.losses[-5:].max() > LEAST + 0.01


@says(
    "The same rate, updates from 8 points at a time: <a "
    'href="#batch_size=8">try batches of 8</a>.'
)
@says(
    "It comes near the least loss within an epoch, and then it goes "
    "round the same loop in every epoch, because each batch pulls "
    "towards a best line of its own."
)
@says(
    "The last batch, the one point that is left over, pulls hardest, "
    "just before the loss is taken."
)
@says(
    '<a href="#batch_size=8&amp;learning_rate=0.01">A smaller rate</a> '
    "makes the loop smaller."
)
def test_batches_of_8() -> None:
    assert linked("try batches of 8") == {"batch_size": 8}
    run = descend(size=8)
    updates = 26
    path = np.cumsum([[5.0, 0.0], *run.steps], axis=0)[1:]
    nearest = min(loss(*end) for end in path[: updates - 1])
    assert nearest - LEAST < 0.05 * (run.losses[0] - LEAST)
    loops = path.reshape(10, updates, 2)
    for epoch in range(3, 10):
        np.testing.assert_allclose(loops[epoch], loops[2], atol=1e-3)
    assert np.ptp(loops[-1], axis=0).min() > 0.1
    x, y = X[SHUFFLED], Y[SHUFFLED]
    lines = [
        np.polyfit(x[i : i + 8], y[i : i + 8], 1) for i in range(0, 200, 8)
    ]
    assert np.ptp(lines, axis=0).min() > 0.5
    pulls = np.hypot(*run.steps[-updates:].T)
    assert len(X) % 8 == 1
    assert int(np.argmax(pulls)) == updates - 1
    assert pulls[-1] > 2 * np.sort(pulls)[-2]
    smaller = descend(
        rate=linked("A smaller rate")["learning_rate"], size=8, epochs=60
    )
    small = np.cumsum(smaller.steps[-updates:], axis=0)
    assert np.all(np.ptp(small, axis=0) < 0.2 * np.ptp(loops[-1], axis=0))


@says(
    'Guess, then <a href="#optimizer=adam&amp;learning_rate=0.76&amp;'
    'epochs=60">try Adam at 0.76</a>.'
)
@says("It has no such limit.")
@says(
    "It does not diverge, since it divides each gradient by the size "
    "of the gradients before it."
)
@says(
    "But its first steps are about as long as the learning rate, so it "
    "runs past the least loss and swings back, more than once."
)
def test_adam() -> None:
    settings = linked("try Adam at 0.76")
    assert settings == {
        "optimizer": "adam",
        "learning_rate": 0.76,
        "epochs": 60,
    }
    run = descend("adam", 0.76, 60)
    np.testing.assert_allclose(np.abs(run.steps[:3]), 0.76, rtol=0.2)
    assert swings(run) > 2
    assert run.losses[-1] < 1.1 * LEAST
    for rate in (2.0, 5.0, 50.0):
        assert np.isfinite(descend("adam", rate, 200).losses).all()
        assert np.abs(descend("adam", rate, 200).steps).max() < 4 * rate


# Where the limit comes from


@says("The loss of a straight line is a bowl.")
@says(
    "Its curvature along `w` is the second derivative of the loss, "
    r"`#!math 2 \cdot \mathrm{mean}(x^2)`. Along `b` it is 2."
)
@says(
    "A step of gradient descent multiplies the distance from the least "
    "loss by one minus rate times curvature:"
)
@says(
    "The distance shrinks while that factor lies between −1 and 1, so "
    "for rates below two divided by the larger curvature. Here that is the "
    "one along `w`."
)
def test_the_curvature() -> None:
    x, y = (tf.constant(v, tf.float32) for v in (X, Y))
    ends = tf.Variable([1.0, -4.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            current_loss = explorer.loss(y, x * ends[0] + ends[1])
        first = inner.gradient(current_loss, ends)
    hessian = outer.jacobian(first, ends).numpy()
    np.testing.assert_allclose(hessian, np.diag(CURVATURES), atol=1e-5)
    assert np.all(CURVATURES > 0), "a bowl"
    assert CURVATURES.argmax() == 0
    for rate in (0.1, 0.43, 0.7, 0.76):
        run = descend(rate=rate, epochs=4)
        factors = run.apart[1:] / run.apart[:-1]
        np.testing.assert_allclose(
            factors, [1 - rate * CURVATURES] * 4, rtol=1e-5
        )
        shrinks = np.all(np.abs(run.apart[4]) < np.abs(run.apart[0]))
        assert shrinks == (rate < 2 / CURVATURES.max())
    curvature, limit = re.findall(r"\d\.\d+", printed(NAME, "limit"))
    assert float(curvature) == pytest.approx(CURVATURES[0], abs=1e-4)
    assert float(limit) == pytest.approx(2 / CURVATURES.max(), abs=1e-4)


@says(
    "With other inputs it need not be. If the mean of `x` is not 0, the two "
    "directions mix and the limit is lower than that; if `x` is small, the "
    "bowl is steeper along `b`. [Trap 10](traps.md#10-a-learning-rate-past-"
    "the-limit) computes the limit for any inputs."
)
@pytest.mark.parametrize("inputs", [X + 3, X / 4])
def test_the_limit_for_other_inputs(inputs: np.ndarray) -> None:
    curvatures = np.array([2 * np.mean(inputs**2), 2.0])
    x = tf.constant(inputs, tf.float32)
    largest = largest_curvature(LinearModel(), x, 3 * x + 2)
    assert (largest > 1.01 * curvatures.max()) == (inputs.mean() > 1)
    if inputs.mean() < 1:
        assert largest == pytest.approx(curvatures[1], rel=1e-5)
        assert curvatures[1] > curvatures[0]
    for factor, ends in ((0.98, True), (1.02, False)):
        place = np.array([1.0, -4.0])
        for _ in range(2000):
            step = slopes(inputs, 3 * inputs + 2, *place)
            place = place - factor * 2 / largest * step
        assert np.allclose(place, [3, 2], atol=0.5) == ends


@says(
    "Only `x` is in it: more noise lifts the least loss and leaves the "
    'limit where it is. <a href="#noise=3">See for yourself</a>.'
)
def test_more_noise() -> None:
    assert linked("See for yourself") == {"noise": 3}
    noise = Y - 3 * X - 2
    least = []
    for part in (1, 3):
        y = 3 * X + 2 + part * noise
        line = np.polyfit(X, y, 1)
        least.append(float(np.mean((np.polyval(line, X) - y) ** 2)))
        change = slopes(X, y, 1.0, 0.0) - slopes(X, y, 0.0, 0.0)
        assert change[0] == pytest.approx(CURVATURES[0])
    assert least[1] == pytest.approx(9 * least[0])
    assert "y" not in {
        node.id
        for node in ast.walk(ast.parse(BLOCKS["limit"].code))
        if isinstance(node, ast.Name)
    }


# Elsewhere


@says("[Silent failures](traps.md): a rate past its limit is one of them.")
@says(
    "[The loop with the usual parts](usual_parts.md) lets the learning "
    "rate fall while it trains."
)
def test_the_pages_that_come_next() -> None:
    traps = (DOCS / "traps.md").read_text("utf-8")
    assert re.search(r"(?m)^## \d+\. A learning rate past the limit$", traps)
    parts = (DOCS / "usual_parts.md").read_text("utf-8")
    assert "\n## A learning-rate schedule\n" in parts
    decay = read("usual_parts")
    assert any("CosineDecay(" in block.code for block in decay.blocks)
