// The explorer: <loop-explorer data-run='…'>, once on a page, where the run
// is what the page's own program computed.  What stands inside is shown
// without scripts.

import { best, limit, makeData, NAMES, scales, settling, train } from "./model.js";
import { program } from "./program.js";
import { complaint, defaults, fields, fromHash, general, say, toHash } from "./settings.js";
import { DataView, LossView, SurfaceView } from "./views.js";

/** @typedef {import("./model.js").Settings} Settings */

// The slider holds the logarithm of the learning rate.
const [SLOWEST, FASTEST] = [-3, 0.7];
const LONGEST_RUN = 4000;
const LONGEST_STEP = 350;

class Explorer {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    /** @type {import("./model.js").Recorded} */
    this.recorded = JSON.parse(host.dataset.run ?? "");
    this.points = this.recorded.x.length;
    this.standard = defaults(this.recorded);
    this.settings = this.standard;
    this.fields = fields(this.recorded);
    host.innerHTML = markup(this.fields);
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", "Explorer");
    this.pictures = this.all(".x-picture");
    this.surface = new SurfaceView(this.pictures[0]);
    this.views = [this.surface, new DataView(this.pictures[1]), new LossView(this.pictures[2])];
    this.timer = 0;
    this.dragging = false;
    this.judged = "";
    this.limit = 0;
    this.settles = (/** @type {number} */ _) => true;
    /** @type {import("./views.js").State} */
    this.state = this.run(this.standard);
    this.listen();
    const settings = fromHash(location.hash, this.recorded);
    this.take(settings ?? this.standard);
    if (settings) this.comeIntoView();
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {HTMLInputElement} */ (this.host.querySelector(selector));
  }

  /** @param {string} selector */
  all(selector) {
    return /** @type {HTMLElement[]} */ ([...this.host.querySelectorAll(selector)]);
  }

  listen() {
    this.host.addEventListener("input", ({ target }) => this.read(/** @type {any} */ (target)));
    this.host.addEventListener("change", () => this.commit());
    this.host.addEventListener("click", ({ target }) => {
      const button = /** @type {HTMLElement} */ (target).closest("button");
      if (button && button.ariaDisabled !== "true") this.press(button);
    });
    for (const details of this.all("details")) details.ontoggle = () => this.write();
    addEventListener("popstate", ({ state }) => this.follow(state));
    this.pictures.forEach((picture, i) => this.listenTo(picture, this.views[i]));
    this.listenToStart();
  }

  // The settings -----------------------------------------------------------

  /**
   * The address has changed: by a link, or by going back.
   * @param {unknown} before set where a reader left the page's own run
   */
  follow(before) {
    const settings = fromHash(location.hash, this.recorded);
    if (!settings && location.hash && !before) return;
    this.take(settings ?? this.standard);
    this.announce();
    if (settings) this.comeIntoView();
  }

  /** The address names a state: whoever follows it wants to see that state. */
  comeIntoView() {
    const { top, bottom } = this.host.getBoundingClientRect();
    if (bottom < 200 || top > innerHeight - 200) this.host.scrollIntoView();
  }

  /**
   * Read a control that is being changed.
   * @param {HTMLInputElement} control
   */
  read(control) {
    const { name, type, value } = control;
    if (type === "range") {
      const rate = Number((10 ** Number(value)).toPrecision(3));
      this.take({ learning_rate: Math.min(rate, this.fields.learning_rate.most) }, control);
    } else if (name === "optimizer") {
      this.take({ optimizer: /** @type {any} */ (value) }, control);
    } else {
      const wrong = complaint(this.fields[name], value);
      this.complain(name, wrong);
      if (!wrong) this.take({ [name]: Number(value) }, control);
    }
  }

  /**
   * Change settings and run the training with them.
   * @param {Partial<Settings>} changed
   * @param {Element} [control] where they come from
   * @param {boolean} [hold] the window of the surface
   */
  take(changed, control, hold = false) {
    this.settings = { ...this.settings, ...changed };
    for (const [name, value] of Object.entries({
      ...changed,
      ...(changed.learning_rate && { slider: Math.log10(changed.learning_rate) }),
    })) {
      const other = this.find(`[name=${name}]`);
      if (other !== control) other.value = String(value);
      this.complain(name, "");
    }
    this.compute(hold);
  }

  /**
   * Show beside a field what is wrong with it.
   * @param {string} name
   * @param {string} wrong
   */
  complain(name, wrong) {
    const place = this.find(`[data-error=${name}]`);
    if (!place) return;
    place.textContent = wrong;
    this.find(`[name=${name}]`).ariaInvalid = wrong ? "true" : null;
  }

  /** A change is complete: keep it in the address, so that it can be undone. */
  commit() {
    const hash = toHash(this.settings, this.standard);
    const before = fromHash(location.hash, this.recorded) ?? this.standard;
    if (hash === toHash(before, this.standard)) return;
    history.replaceState(1, "");
    history.pushState(null, "", hash || location.pathname + location.search);
    this.announce();
  }

  // The run ----------------------------------------------------------------

  /**
   * Return a run with these settings, shown to its end.
   * @param {Settings} settings
   */
  run(settings) {
    const { recorded } = this;
    const data = makeData(recorded, settings.noise);
    return {
      run: train(settings, recorded, data),
      data,
      least: best(data),
      reference: recorded.history,
      epoch: settings.epochs,
      marked: settings.epochs,
    };
  }

  /** @param {boolean} hold the window of the surface */
  compute(hold) {
    this.pause();
    this.state = this.run(this.settings);
    for (const view of this.views) view.draw(this.state, hold);
    this.judge();
    this.show(this.state.epoch);
    this.write();
  }

  /** Say whether the learning rate is below its limit. */
  judge() {
    const { optimizer, batch_size: size, learning_rate: rate } = this.settings;
    if (this.judged !== optimizer + size) {
      this.judged = optimizer + size;
      this.limit = scales(optimizer) ? 0 : limit(optimizer, size, this.recorded);
      this.settles = settling(optimizer, size, this.recorded);
      const share = (Math.log10(this.limit || 100) - SLOWEST) / (FASTEST - SLOWEST);
      this.find(".x-track").style.setProperty("--limit", String(share));
      this.find(".x-limit").textContent = this.limit ? `limit ${say(this.limit, 4)}` : "";
    }
    const batches = size < this.points ? " for these batches" : "";
    let text = `the limit${batches} is ${say(this.limit, 4)}`;
    let verdict = this.settles(rate) ? "Stable" : "Diverges";
    if (!this.limit) {
      verdict = "No fixed limit";
      text = `${NAMES[optimizer]} scales its steps; too large a rate wanders`;
    } else if (verdict === "Stable" && rate > this.limit) {
      text += ", and this rate lies beyond it";
    }
    const lost = this.state.run.loss.findIndex((loss) => !Number.isFinite(loss));
    const past = lost < 0 ? "" : ` From epoch ${lost} on the loss is infinite (∞) or not a number (NaN).`;
    const place = this.find(".x-verdict");
    place.dataset.verdict = verdict;
    place.replaceChildren(make("strong", `${verdict}:`), ` ${text}.${past}`);
    this.find("[name=slider]").setAttribute("aria-valuetext", `${rate}. ${verdict}: ${text}`);
  }

  /**
   * Show the run up to an epoch.
   * @param {number} epoch
   */
  show(epoch) {
    this.state.epoch = epoch;
    this.mark(epoch);
    this.find("[data-do=back]").ariaDisabled = String(epoch === 0);
    this.find("[data-do=step]").ariaDisabled = String(epoch === this.settings.epochs);
  }

  /**
   * Mark an epoch in all views, and say its numbers.
   * @param {number} epoch
   */
  mark(epoch) {
    const { state, settings } = this;
    state.marked = epoch;
    for (const view of this.views) view.mark(state);
    const [w, b] = [state.run.w, state.run.b].map((values) => say(values[epoch], 2));
    const loss = say(state.run.loss[epoch], 4);
    const outside = this.surface.shows(epoch) ? "" : ", outside of the picture";
    const titles = [
      `The loss over w and b: w ${w}, b ${b}${outside}`,
      `The line after epoch ${epoch}: y = ${w} x + ${b}`.replace("+ −", "− "),
      `The loss by epoch: ${loss}, at least ${say(state.least.loss, 4)}`,
    ];
    const numbers = `Epoch ${epoch} of ${settings.epochs}: w ${w}, b ${b}, loss ${loss}`;
    this.all("figcaption").forEach((caption, i) => (caption.textContent = titles[i]));
    for (const picture of this.pictures) {
      picture.ariaValueNow = String(epoch);
      picture.ariaValueMax = String(settings.epochs);
      picture.ariaValueText = numbers;
    }
    this.find(".x-readout").textContent = numbers;
  }

  /** Write the program and the table, if they are open. */
  write() {
    const code = this.find("[open] code");
    if (code) {
      const usual = program(this.standard, this.points).split("\n");
      const lines = program(this.settings, this.points).trimEnd().split("\n");
      code.replaceChildren(
        ...lines.flatMap((line) => [usual.includes(line) ? line : make("mark", line), "\n"]),
      );
    }
    const body = this.find("[open] tbody");
    if (body) body.innerHTML = this.rows().map((row) => `<tr><td>${row.join("<td>")}`).join("");
  }

  rows() {
    const { w, b, loss } = this.state.run;
    return w.map((_, epoch) => [epoch, ...[w, b, loss].map((values) => general(values[epoch]))]);
  }

  /** Say once, politely, how the run ended. */
  announce() {
    const [numbers, verdict] = [".x-readout", ".x-verdict"].map((place) => this.find(place).textContent);
    this.find("[role=status]").textContent = `${numbers}. ${verdict}`;
  }

  // The buttons ------------------------------------------------------------

  /** @param {HTMLButtonElement} button */
  press(button) {
    const { epoch } = this.state;
    const { epochs } = this.settings;
    const running = this.timer;
    this.pause();
    const action = button.dataset.do;
    if (action === "run" && !running) this.play(epoch === epochs ? 0 : epoch);
    if (action === "back") this.show(epoch - 1);
    if (action === "step") this.show(epoch + 1);
    if (action === "reset") {
      this.take(this.standard);
      this.commit();
    }
    if (action === "copy") {
      const text = program(this.settings, this.points);
      const detail = { button, text, what: "the program" };
      this.host.dispatchEvent(new CustomEvent("copytext", { bubbles: true, detail }));
    }
    if (action === "csv") {
      const lines = [["epoch", "w", "b", "loss"], ...this.rows()].map((row) => `${row.join()}\n`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(lines, { type: "text/csv" }));
      link.download = "run.csv";
      link.click();
      URL.revokeObjectURL(link.href);
    }
  }

  /** @param {number} from the epoch to start at */
  play(from) {
    const { epochs } = this.settings;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.show(epochs);
      this.announce();
      return;
    }
    this.show(from);
    this.find("[data-do=run]").textContent = "Pause";
    const next = () => {
      this.show(this.state.epoch + 1);
      if (this.state.epoch < epochs) return;
      this.pause();
      this.announce();
    };
    this.timer = setInterval(next, Math.min(LONGEST_STEP, LONGEST_RUN / epochs));
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.find("[data-do=run]").textContent = "Run";
  }

  // The pictures -----------------------------------------------------------

  /**
   * @param {HTMLElement} picture
   * @param {SurfaceView | DataView | LossView} view
   */
  listenTo(picture, view) {
    picture.onpointermove = (event) => {
      if (this.timer || this.dragging) return;
      const epoch = view.nearest(event);
      this.mark(epoch < 0 ? this.state.epoch : epoch);
    };
    picture.onpointerleave = () => this.mark(this.state.epoch);
    picture.onclick = (event) => {
      const epoch = view.nearest(event);
      if (epoch < 0 || this.dragging) return;
      this.pause();
      this.show(epoch);
    };
    picture.onkeydown = (event) => {
      const { epoch } = this.state;
      const { epochs } = this.settings;
      const [more, less] = [Math.min(epoch + 1, epochs), Math.max(epoch - 1, 0)];
      const keys = { ArrowRight: more, ArrowUp: more, ArrowLeft: less, ArrowDown: less, Home: 0, End: epochs };
      const wanted = keys[/** @type {keyof typeof keys} */ (event.key)];
      if (wanted === undefined) return;
      event.preventDefault();
      this.pause();
      this.show(wanted);
    };
  }

  /** The start can be dragged across the surface. */
  listenToStart() {
    const { surface } = this;
    const start = /** @type {SVGElement} */ (surface.start);
    const { least, most } = this.fields.w;
    start.onpointerdown = (event) => {
      event.preventDefault();
      start.setPointerCapture(event.pointerId);
      this.dragging = true;
    };
    start.onpointermove = (event) => {
      if (!this.dragging) return;
      const [w, b] = surface
        .value(surface.place(event))
        .map((v) => Math.min(Math.max(Number(v.toFixed(2)), least), most));
      this.take({ w, b }, undefined, true);
    };
    start.onlostpointercapture = () => {
      this.take({});
      this.commit();
      // The click that ends a drag chooses no epoch.
      setTimeout(() => (this.dragging = false));
    };
  }
}

/**
 * @param {string} tag
 * @param {string} text
 */
function make(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** @param {Record<string, import("./settings.js").Field>} all */
function markup(all) {
  const field = (/** @type {string} */ name, /** @type {string} */ text, /** @type {string} */ control) =>
    `<div><label for="x-${name}">${text}</label>
      <${control} id="x-${name}" name="${name}" autocomplete="off"`;
  const number = (/** @type {string} */ name, step = 1) =>
    `${field(name, all[name].label, `input type="number" step="${step}"`)} aria-describedby="x-${name}-error">
      <span class="x-error" id="x-${name}-error" data-error="${name}" aria-live="polite"></span></div>`;
  const options = Object.entries(NAMES).map(([key, text]) => `<option value="${key}">${text}</option>`);
  const picture = (/** @type {string} */ name) =>
    `<figure class="x-view"><figcaption id="x-${name}"></figcaption>
      <div class="x-picture" tabindex="0" role="slider" aria-valuemin="0" aria-labelledby="x-${name}"></div>
    </figure>`;
  const button = (/** @type {string} */ action, /** @type {string} */ text) =>
    `<button type="button" data-do="${action}">${text}</button>`;
  return `<div class="x-row">
      ${field("optimizer", "Optimizer", "select")}>${options.join("")}</select></div>
      ${number("learning_rate", 0.01)}
      <div class="x-track"><input type="range" name="slider" min="${SLOWEST}" max="${FASTEST}" step="0.01"
        autocomplete="off" aria-label="Learning rate, logarithmic">
        <span class="x-limit" aria-hidden="true"></span></div>
    </div>
    <p class="x-verdict"></p>
    <div class="x-views">${["surface", "data", "loss"].map(picture).join("")}</div>
    <div class="x-row x-player">${button("run", "Run")}${button("back", "Back")}
      ${button("step", "Step")}${button("reset", "Reset")}<span class="x-readout"></span></div>
    <div class="x-row">${number("batch_size")}${number("epochs")}
      ${number("w", 0.1)}${number("b", 0.1)}${number("noise", 0.1)}</div>
    <details><summary>The program for these settings</summary>${button("copy", "Copy the program")}
      <pre><code tabindex="0" role="group" aria-label="The program"></code></pre></details>
    <details><summary>The run in numbers</summary>${button("csv", "Save as CSV")}
      <table class="x-table" tabindex="0"><caption>The run, epoch by epoch</caption>
        <thead><tr><th scope="col">epoch<th scope="col">w<th scope="col">b<th scope="col">loss</thead>
        <tbody></tbody></table></details>
    <div class="spoken" role="status"></div>`;
}

customElements.define(
  "loop-explorer",
  class extends HTMLElement {
    connectedCallback() {
      if (!this.hasAttribute("role")) new Explorer(this);
    }
  },
);
