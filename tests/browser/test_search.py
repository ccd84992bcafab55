"""A reader's own words, or a pasted message, lead to the answer.

What is typed is what people write in questions and reports; the page named
beside it has to be among the first three that are found.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_pages import search

FIRST = 3
ASKED = {
    "retracing": "memory",
    "retrace": "memory",
    "triggered tf.function retracing": "memory",
    "NaN": "not_a_number",
    "loss is nan": "not_a_number",
    "loss nan after first epoch": "not_a_number",
    "set_seed": "same_run_twice",
    "reproducible": "same_run_twice",
    "different results every run": "same_run_twice",
    "class_weight": "weights_outputs_losses",
    "two outputs two losses": "weights_outputs_losses",
    "freeze layer": "freeze_and_fine_tune",
    "Unknown variable": "freeze_and_fine_tune",
    "learning rate scheduler custom loop": "freeze_and_fine_tune",
    "EMA": "freeze_and_fine_tune",
    "batch normalization frozen": "freeze_and_fine_tune",
    "Value in checkpoint could not be found in the restored object": (
        "save_and_resume"
    ),
    "resume training checkpoint": "save_and_resume",
    "'SymbolicTensor' object has no attribute 'numpy'": "watch_a_training",
    "TensorBoard": "watch_a_training",
    "progress bar": "watch_a_training",
    "callbacks custom training loop": "watch_a_training",
    "GAN two optimizers": "two_models",
    "GradientTape.gradient can only be called once": "two_models",
    "LSTM stateful reset_states": "sequences",
    "masking padded sequence loss": "sequences",
    "memory leak": "memory",
    "Session": "old_names",
    "module 'tensorflow' has no attribute 'Session'": "old_names",
    "get_scaled_loss": "old_names",
    "optimizer.lr": "old_names",
    "gradient is None": "foundations",
    "No gradients provided for any variable": "messages",
    "not enough values to unpack (expected 2, got 0)": "freeze_and_fine_tune",
    "loss does not go down": "traps",
    "early stopping": "usual_parts",
    "MirroredStrategy": "many_devices",
    "train_step": "keras_from_fit_inwards",
    "GradientTape": "foundations",
    "add_weight": "basic_training_loops",
    "assign_sub": "basic_training_loops",
}


@pytest.fixture(scope="module")
def home(chromium: Browser, address: str) -> Iterator[Page]:
    """The home page; what is searched is read once for all words."""
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(address)
    yield page
    page.close()


@pytest.mark.parametrize("words", ASKED)
def test_words_of_a_report_lead_to_the_page_that_answers(
    home: Page, words: str
) -> None:
    items = home.locator(".md-search-result__item")
    home.locator(".md-search__input").fill("")
    expect(items).to_have_count(0)
    search(home, words)
    found = [
        str(item.locator("a").first.get_attribute("href")).split("?")[0]
        for item in items.all()[:FIRST]
    ]
    pages = [link.split("#")[0].rstrip("/").split("/")[-1] for link in found]
    assert ASKED[words] in pages
