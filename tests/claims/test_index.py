"""What the home page says is true."""

import json
import re
import textwrap
from typing import Any

import numpy as np
import pytest

from tests.claims.says import figure, printed, ran, record, says
from tests.claims.sentences import DOCS, ROOT, Page, names, read

SOURCE = (DOCS / "index.md").read_text("utf-8")
COURSE = re.findall(r"(?m)^\d+\. \[(.+?)\]\((\w+)\.md\)", SOURCE)
"""The titles and names of the pages of the course, in order."""
FENCE = re.compile(r"(?ms)^( *)(```+)(\S.*?)$\n(.*?)^\1\2$")
RUN = re.compile(r'run="(snippets/\w+\.py):(\w+)"')


def source(page: str) -> str:
    return (DOCS / f"{page}.md").read_text("utf-8")


def code(page: Page) -> str:
    return "\n".join(block.code for block in page.blocks)


@pytest.fixture(scope="module")
def loop() -> dict[str, Any]:
    return ran("first_loop", "loop")


@says(
    "Training loops in TensorFlow from first principles, where every "
    "block of Python runs and every output was made by the block above it."
)
@says("Every block of Python on this site was run to build it.")
@says("Every output and plot was made by the block above it.")
def test_every_block_of_python_ran_and_no_output_is_typed() -> None:
    for name in names():
        blocks = read(name).blocks
        kept = [*record(name)] if blocks else []
        for block in blocks:
            shown = [k for k in kept if k.rpartition(":")[2] == block.name]
            assert shown, f"{name}: {block.name}"
        for _, _, info, body in FENCE.findall(source(name)):
            kind = info.split()[0]
            if kind == "python":
                assert "run=" in info, f"{name}: {info}"
                assert not body
            elif kind not in ("explorer", "math", "program"):
                # Commands and files; none shows what something printed.
                assert kind in ("console", "json", "sh", "text", "yaml"), info
        assert "![" not in source(name).replace("\\![", ""), "a picture"


@says("What you copy is what ran.")
def test_what_is_shown_is_what_ran() -> None:
    """A page has sections alone, and their text is what runs.

    That the built page's blocks run alone is tested in ``tests/pages``.
    """
    for name in names():
        fences = [info for _, _, info, _ in FENCE.findall(source(name))]
        shown = [RUN.search(info) for info in fences if "run=" in info]
        for found, block in zip(shown, read(name).blocks, strict=True):
            assert found
            text = (ROOT / found[1]).read_text("utf-8")
            _, _, rest = text.partition(f"# region {found[2]}\n")
            section, _, _ = rest.partition(f"# endregion {found[2]}\n")
            assert textwrap.dedent(section).strip() == block.code.strip()


@says(
    "Learn how a model learns, from first principles, with code that "
    "works on the TensorFlow of today."
)
def test_the_code_works_on_the_newest_release() -> None:
    kept = json.loads((ROOT / "snippets/results/versions.json").read_text())
    tried = {n: run for n, run in kept.items() if "passed" in run}
    [newest] = [n for n in tried if "tfnewest" in n]

    def release(run: dict[str, Any]) -> tuple[int, ...]:
        return tuple(map(int, run["versions"]["TensorFlow"].split(".")))

    assert release(tried[newest]) == max(map(release, tried.values()))
    assert tried[newest]["failed"] == []


@says(
    "Scattered points around a rising line; ten fitted lines swing "
    "from steep towards the middle of the points, the last one "
    "strongest"
)
@says(
    "Ten steps of gradient descent turn the line from its start, `w = "
    "5` and `b = 0`, towards the data: `w = {{ float(w):.2f }}`, `b = "
    "{{ float(b):.2f }}`."
)
def test_the_loop_of_the_home_page(loop: dict[str, Any]) -> None:
    kept = record("index")
    for name in "wb":
        assert kept[f"float({name}):.2f"] == f"{float(loop[name]):.2f}"
    best = np.polyfit(loop["x"], loop["y"], 1)
    [axes] = figure("index", "loop")
    points, *lines = axes.points.values()
    assert len(lines) == 10
    slopes = [(line.y[-1] - line.y[0]) / 4 for line in lines]
    middles = [line.y[2] for line in lines]
    assert slopes == sorted(slopes, reverse=True)
    assert middles == sorted(middles)
    assert slopes[0] < 5 < slopes[0] + 1
    assert slopes[-1] == pytest.approx(float(loop["w"]), abs=1e-3)
    apart = [
        np.abs([s, m] - best) for s, m in zip(slopes, middles, strict=True)
    ]
    assert np.all(apart[-1] < 0.3 * np.abs([5.0, 0.0] - best))
    assert points.y[0] < points.y[-1]
    shown = read("index").blocks[0].code
    strengths = [
        eval(value, {"epoch": epoch})
        for value in re.findall(r"alpha=(.*?)\)", shown)
        for epoch in range(loop["epoch"] + 1)
    ]
    assert strengths == sorted(strengths)
    assert strengths[-1] <= 1
    assert "w, b = tf.Variable(5.0), tf.Variable(0.0)" in shown


@says(
    "Read the pages in this order, or only the one you need: each stands "
    "alone."
)
def test_the_pages_stand_alone_in_the_order_of_the_course() -> None:
    yaml = pytest.importorskip("yaml", reason="there is no generator here")
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda *_: None)  # type: ignore[attr-defined]
    loader.add_multi_constructor("tag:", lambda *_: None)  # type: ignore[attr-defined]
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    nav = str(yaml.load(text, loader)["nav"])
    pages = re.findall(r"'(\w+)\.md'", nav)
    course = [name for _, name in COURSE]
    assert course == [name for name in pages if name in course]
    for _, name in COURSE:
        blocks = read(name).blocks
        assert "import " in blocks[0].code, name
        assert not re.search(r"\bsnippets\.\w+", code(read(name))), name


@says(
    "[Foundations](foundations.md) Compute with tensors, take "
    "gradients, and find out why one is missing."
)
@says(
    "[Basic training loops](basic_training_loops.md) Write a loop "
    "yourself, step by step, then do the same with Keras."
)
@says(
    "[The explorer](explorer.md) Drag the learning rate past its "
    "limit, and see what momentum and other optimizers change."
)
@says(
    "[Silent failures](traps.md) Tell each by its symptoms, "
    "mend it, and test for it in a line or two."
)
@says(
    "[Errors in a training step](errors_in_a_step.md) Tell from a message "
    "what to look for, and mend it."
)
@says(
    "[The loop with the usual parts](usual_parts.md) Add mini-batches, "
    "metrics, validation and early stopping, one part at a time."
)
@says(
    "[Keras, from fit inwards](keras_from_fit_inwards.md) Use `fit`, "
    "open it, and choose between it and a loop of your own."
)
@says(
    "[How fast can the loop go?](how_fast.md) Make a loop several "
    "times as fast, and know when that is not worth it."
)
def test_what_the_pages_have() -> None:
    has = {
        "foundations": [
            "## Tensors",
            "## The gradient tape",
            "ways to get None",
        ],
        "basic_training_loops": ["## The loop", "## The same with Keras"],
        "explorer": ["drag the learning rate", "**3. Momentum", "**5. Adam"],
        "traps": ["## 1. ", "## 12. ", "symptom", "**The check"],
        "errors_in_a_step": ["| What you see |", "raises=", '"Mended"'],
        "usual_parts": [
            "## Mini-batches",
            "## Metrics",
            "## A validation split",
            "## Early stopping",
        ],
        "keras_from_fit_inwards": [
            "## The four calls",
            "## Inside fit",
            "## Which one?",
        ],
        "how_fast": ["## Seven ways to take the same steps", "## When not to"],
    }
    for name, parts in has.items():
        text = source(name)
        places = [text.find(part) for part in parts]
        assert -1 not in places, name
        if name != "traps":
            assert places == sorted(places), name
    traps = source("traps").split("\n## ")
    parts = [part for part in traps if re.match(r"\d+\. ", part)]
    assert len(parts) >= 12
    assert all('title="Mended"' in part for part in parts)
    [step] = re.findall(r"XLA step +(\S+)×", printed("how_fast", "read"))
    assert float(step) > 3


@says(
    "[A real problem](real_problem.md) Follow data from the first look "
    "to an accuracy, and say what it is worth."
)
@says(
    "[Save, stop, resume](save_and_resume.md) Kill a training and "
    "resume it so that its losses are equal to the last bit."
)
@says(
    "[Many devices, many machines](many_devices.md) Train on two "
    "devices, with two workers and with a parameter server, and lose a "
    "worker."
)
def test_what_the_later_pages_have() -> None:
    problem = source("real_problem")
    look, once, worth = (
        problem.index(f"\n## {title}")
        for title in (
            "Look at the data",
            "The test set, once",
            "What the numbers show, and what they do not",
        )
    )
    assert look < once < worth
    kept = record("real_problem")
    assert "accuracy" in "".join(kept.values())
    assert "SIGKILL" in code(read("save_and_resume"))
    assert printed("save_and_resume", "resumed").endswith("same losses: True")
    devices = source("many_devices")
    for title in ("Two devices in one", "Two processes", "A parameter server"):
        assert f"\n## {title}" in devices
    assert re.search(r"(?i)\bkill", code(read("many_devices")) + devices)


@says(
    "[Data for a loop](data_for_a_loop.md) Augment pictures, train on a rare "
    "class, scale inputs and targets, learn from rows without labels, and "
    "mix rows."
)
def test_what_the_page_on_data_has() -> None:
    text = source("data_for_a_loop")
    for part in (
        "## 1. Data augmentation",
        "## 2. Imbalanced data",
        "## 3. Scale inputs and targets",
        "## 4. Semi-supervised",
        "## 5. Mixup",
    ):
        assert part in text, part


@says(
    "[Several tasks, one model](several_tasks.md) Leave out labels that are "
    "missing, train on two data sets, and balance the losses."
)
def test_what_the_page_on_several_tasks_has() -> None:
    text = source("several_tasks")
    for part in (
        "## 1. Missing labels",
        "## 2. Two tasks, two data sets",
        "## 3. One loss drowns the other",
    ):
        assert part in text, part


@says(
    "[Other gradients](other_gradients.md) Take the gradient of an input, of "
    "a derivative and of a reward, and define one yourself."
)
def test_what_the_page_on_other_gradients_has() -> None:
    text = source("other_gradients")
    for part in (
        "## 1. The gradient with respect to the input",
        "needs two derivatives",
        "## 3. A policy gradient",
        "a gradient that you define",
    ):
        assert part in text, part


@says(
    "[Other loops](other_loops.md) Find a learning rate in a hundred steps, "
    "take two gradients for one, learn from a replay buffer, and bring a loop "
    "from PyTorch."
)
def test_what_the_page_on_other_loops_has() -> None:
    text = source("other_loops")
    parts = "learning rate finder", "two gradients, and", "make_memory"
    for part in (*parts, "## 4. From PyTorch"):
        assert part in text, part
    tried = printed("other_loops", "find_rate").split()[0]
    assert int(tried) == pytest.approx(100, abs=10)


@says(
    "[Reading the curves](reading_the_curves.md) Tell overfitting from other "
    "shapes, measure what mends it, and choose a rate and a batch size."
)
def test_what_the_page_on_curves_has() -> None:
    text = source("reading_the_curves")
    for part in (
        "## Underfitting",
        "## Overfitting",
        "each mend, measured",
        "## How to choose the learning rate",
        "## How to choose the batch size",
    ):
        assert part in text, part


@says(
    "[Weights, outputs, losses](weights_outputs_losses.md) Weight rows and "
    "classes, train two outputs, and check what your loss is the mean of."
)
@says(
    "[Freeze, unfreeze, fine-tune](freeze_and_fine_tune.md) Freeze a layer "
    "and see that it stays frozen, and train parts at their own rates."
)
@says(
    "[Watch a training](watch_a_training.md) Follow a loop with bars, logs, "
    "TensorBoard and callbacks, and tell why one shows nothing."
)
@says(
    "[When the loss is not a number](not_a_number.md) Find where a NaN comes "
    "from, and stop or skip before it spoils the weights."
)
@says(
    "[The same run twice](same_run_twice.md) Set the seeds that count, and "
    "check that two runs agree to the last bit."
)
@says(
    "[Two models, two optimizers](two_models.md) Train a small GAN by hand, "
    "and see ways in which it goes wrong."
)
@says(
    "[Sequences](sequences.md) Mask a padded loss, carry and reset a state, "
    "and clip gradients that explode."
)
@says(
    "[Memory and leaks](memory.md) Count what a loop keeps, and keep no more "
    "than you need."
)
@says(
    "[Is the GPU used?](on_a_gpu.md) Find out why a GPU is not found, where "
    "a step runs, and whether it has work enough."
)
@says(
    "Go by the symptoms of [silent failures](traps.md), by [the curves]("
    "reading_the_curves.md), or by those of a [loss that is not a number]("
    "not_a_number.md) and of [runs that differ](same_run_twice.md)."
)
@says(
    "Look it up among [all messages](messages.md) of this site, or paste it "
    "into the search."
)
@says("A name that is gone stands in [old tutorials](old_names.md).")
def test_what_the_pages_for_a_symptom_have() -> None:
    has = {
        "weights_outputs_losses": [
            "## `class_weight`",
            "## Two outputs",
            "## A loss per row",
        ],
        "freeze_and_fine_tune": [
            "a frozen layer goes on learning",
            "## Different learning rates",
        ],
        "watch_a_training": [
            "## A progress bar",
            "## A log",
            "## TensorBoard",
            "## Callbacks in a loop",
        ],
        "not_a_number": [
            "## Where NaN",
            "## Find the operation",
            "## Stop, or skip the step",
        ],
        "same_run_twice": ["## 1. A seed", "## 8. Check it: train twice"],
        "two_models": ["The smallest GAN", "One optimizer for two models"],
        "sequences": ["padded sequence", "reset_states", "Exploding"],
        "memory": ["## Traces that stay", "check"],
        "on_a_gpu": [
            "returns an empty list",
            "found but not used",
            "slower than the CPU",
        ],
        "old_names": ["## 2. Sessions"],
    }
    for name, parts in has.items():
        text = source(name)
        assert "| What you see |" in text or name == "old_names", name
        for part in parts:
            assert part in text, f"{name}: {part}"
    # What is gone is said by the run, not by the page's source.
    assert any("gone" in text for text in record("old_names").values())
    listed = re.findall(r"(?m)^- `(\w+):", source("messages"))
    assert {"foundations", "not_a_number", "old_names"} <= set(listed)
