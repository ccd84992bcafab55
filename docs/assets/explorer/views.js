// The three pictures of a run.  Each has draw(), for a new run, mark(), for
// another epoch of it, and nearest(), the epoch that the pointer means.

import { say, superscript } from "./settings.js";

/**
 * @typedef {object} State
 * @property {import("./model.js").Run} run
 * @property {import("./model.js").Data} data
 * @property {{w: number, b: number, loss: number}} least
 * @property {{w: number[], b: number[]}} reference the page's own run
 * @property {number} epoch up to which the run is shown
 * @property {number} marked the epoch that is marked
 */

const [WIDTH, LEFT, RIGHT, TOP, BOTTOM] = [340, 34, 8, 18, 34];
const FAR = 1e4;
const NEAR = 20;
const HALF = 3.5;
const WIDEST = 28;
const STEEP = 99;
const MOST_POINTS = 1000;
const MOST_DOTS = 60;
const LEAST_SHOWN = 1e-6;

/**
 * @param {Element} parent
 * @param {string} name
 * @param {string} css
 * @param {Record<string, string | number>} [attributes]
 */
function add(parent, name, css, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  set(element, { class: css, ...attributes });
  parent.append(element);
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
function set(element, attributes) {
  for (const name in attributes) element.setAttribute(name, String(attributes[name]));
}

/**
 * Return round numbers between two bounds, about so many.
 * @param {number[]} bounds
 * @param {number} count
 */
export function ticks([low, high], count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((v) => v * power >= rough) ?? 10);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i += 1) {
    found.push(Number((i * step).toPrecision(6)));
  }
  return found;
}

/**
 * Return round numbers on a logarithmic axis, with the powers of ten.
 * @param {number[]} bounds their logarithms
 */
export function logTicks([low, high]) {
  const decades = Math.ceil((high - low) / 4);
  const found = [];
  for (let power = decades * Math.floor(low / decades); power <= high; power += decades) {
    for (const factor of high - low < 1.5 ? [1, 2, 5] : [1]) {
      const log = power + Math.log10(factor);
      if (log >= low && log <= high) found.push(factor * 10 ** power);
    }
  }
  return found;
}

/** @param {number} value of a tick; large ones are powers of ten */
function short(value) {
  const power = Math.round(Math.log10(value));
  return power > 3 ? `10${superscript(power)}` : String(value).replace("-", "−");
}

/** A picture: axes around a window on a part of the plane, and a run in it. */
class View {
  /**
   * @param {Element} parent
   * @param {number} height
   * @param {string} across what the axes are called
   * @param {string} up
   */
  constructor(parent, height, across, up) {
    this.width = WIDTH - LEFT - RIGHT;
    this.height = height - TOP - BOTTOM;
    this.window = [[0, 1], [0, 1]];
    /** @type {number[][]} */
    this.points = [];
    this.root = add(parent, "svg", "", { viewBox: `0 0 ${WIDTH} ${height}`, "aria-hidden": "true" });
    this.plot = add(this.root, "svg", "", { x: LEFT, y: TOP, width: this.width, height: this.height });
    add(this.root, "path", "axis", { d: `M${LEFT} ${TOP}v${this.height}h${this.width}` });
    this.numbers = add(this.root, "g", "");
    this.back = add(this.plot, "g", "");
    this.ahead = add(this.plot, "path", "ahead");
    this.done = add(this.plot, "path", "path");
    this.beads = add(this.plot, "path", "dots");
    this.ring = add(this.plot, "circle", "mark", { r: 6, cx: -FAR });
    add(this.root, "text", "name", { x: WIDTH - RIGHT, y: height - 5 }).textContent = across;
    add(this.root, "text", "name left", { x: 4, y: 11 }).textContent = up;
  }

  /**
   * Return where a point is in the window; far points keep their direction.
   * @param {number[]} point
   */
  at([x, y]) {
    const [[left, right], [bottom, top]] = this.window;
    const px = ((x - left) / (right - left)) * this.width;
    const py = ((top - y) / (top - bottom)) * this.height;
    const scale = Math.max(10, Math.abs(px) / (FAR / 10), Math.abs(py) / (FAR / 10)) / 10;
    return [px, py].map((v) => Math.round((v / scale) * 10) / 10);
  }

  /**
   * Return where in the window an event is, in the picture's own units.
   * @param {MouseEvent} event
   */
  place({ clientX, clientY }) {
    const { left, top, width } = this.root.getBoundingClientRect();
    const unit = WIDTH / width;
    return [(clientX - left) * unit - LEFT, (clientY - top) * unit - TOP];
  }

  /**
   * Return the point at a place in the window.
   * @param {number[]} place
   */
  value([x, y]) {
    const [[left, right], [bottom, top]] = this.window;
    return [left + (x / this.width) * (right - left), top - (y / this.height) * (top - bottom)];
  }

  /**
   * Return a path through points, which breaks where one is not finite.
   * @param {number[][]} points
   */
  line(points) {
    let path = "";
    let joined = false;
    for (const point of points) {
      const finite = point.every(Number.isFinite);
      if (finite) path += `${joined ? "L" : "M"}${this.at(point)}`;
      joined = finite;
    }
    return path;
  }

  /** @param {number[][]} points */
  dots(points) {
    return points.map((point) => (point.every(Number.isFinite) ? `M${this.at(point)}h0` : "")).join("");
  }

  /**
   * Write the axes' numbers.
   * @param {number[]} across
   * @param {number[]} up
   * @param {(value: number) => number} [scale] of the numbers going up
   */
  label(across, up, scale = (value) => value) {
    this.numbers.replaceChildren();
    for (const value of across) {
      const x = LEFT + this.at([value, 0])[0];
      add(this.numbers, "text", "", { x, y: TOP + this.height + 15 }).textContent = short(value);
    }
    for (const value of up) {
      const y = TOP + 4 + this.at([0, scale(value)])[1];
      add(this.numbers, "text", "up", { x: LEFT - 5, y }).textContent = short(value);
    }
  }

  /**
   * Return the epoch nearest to where an event is; −1 if none is near.
   * @param {MouseEvent} event
   */
  nearest(event) {
    const [x, y] = this.place(event);
    let [found, least] = [-1, NEAR];
    for (let epoch = 0; epoch < this.points.length; epoch += 1) {
      const away = this.away(epoch, x, y);
      if (away < least) [found, least] = [epoch, away];
    }
    return found;
  }

  /**
   * Return how far an epoch is from a place in the window.
   * @param {number} epoch
   * @param {number} x
   * @param {number} y
   */
  away(epoch, x, y) {
    const [px, py] = this.at(this.points[epoch]);
    return Math.hypot(px - x, py - y);
  }

  /**
   * Show the run's epochs up to one of them, and mark one.
   * @param {State} state
   * @param {number[][]} [line] that joins them
   */
  mark({ epoch, marked }, line = this.points) {
    const { points, ring } = this;
    const each = (line.length - 1) / (points.length - 1);
    set(this.ahead, { d: this.line(line) });
    set(this.done, { d: this.line(line.slice(0, epoch * each + 1)) });
    const dots = points.length > MOST_DOTS ? [] : points.slice(0, epoch + 1);
    set(this.beads, { d: this.dots(dots) });
    const there = points[marked].every(Number.isFinite);
    const [cx, cy] = there ? this.at(points[marked]) : [-FAR, 0];
    set(ring, { cx, cy });
  }
}

/** The loss over w and b, with the path of the weights. */
export class SurfaceView extends View {
  /** @param {Element} parent */
  constructor(parent) {
    super(parent, 360, "w", "b");
    const { back } = this;
    this.rings = [1.4, 1, 0.75, 0.5, 0.25].map((size) => ({
      size,
      ring: add(back, "ellipse", "ring"),
      text: add(back, "text", ""),
    }));
    this.least = add(back, "path", "least dots");
    this.reference = add(back, "path", "reference");
    this.start = add(this.plot, "g", "start");
    add(this.start, "circle", "grip", { r: 17 });
    add(this.start, "circle", "", { r: 7 });
    this.half = HALF;
    this.updates = this.points;
  }

  /**
   * @param {State} state
   * @param {boolean} hold keep the window as it is
   */
  draw({ run, data, least, reference }, hold) {
    if (!hold) this.half = reach(run, least);
    const { half } = this;
    const middle = [least.w, least.b];
    this.window = middle.map((v) => [v - half, v + half]);
    this.label(ticks(this.window[0], 6), ticks(this.window[1], 6));
    this.points = run.w.map((w, i) => [w, run.b[i]]);
    this.updates = run.path.length > MOST_POINTS ? this.points : run.path;
    const [cx, cy] = this.at(middle);
    const narrow = Math.hypot(...data.x) / Math.sqrt(data.x.length);
    for (const { size, ring, text } of this.rings) {
      const radius = size * half;
      const ry = (size * this.height) / 2;
      set(ring, { cx, cy, rx: (size * this.width) / 2 / narrow, ry });
      set(text, { x: cx, y: cy - ry + 12 });
      text.textContent = say(least.loss + radius ** 2, 1);
    }
    set(this.least, { d: this.dots([middle]) });
    set(this.reference, { d: this.line(reference.w.map((w, i) => [w, reference.b[i]])) });
    set(this.start, { transform: `translate(${this.at(this.points[0])})` });
  }

  /** @param {State} state */
  mark(state) {
    super.mark(state, this.updates);
  }

  /** @param {number} epoch */
  shows(epoch) {
    const [x, y] = this.at(this.points[epoch]);
    return !(x < 0 || y < 0 || x > this.width || y > this.height);
  }
}

/**
 * Return how far from the least loss the picture has to reach.
 * @param {import("./model.js").Run} run
 * @param {{w: number, b: number}} least
 */
function reach(run, least) {
  let farthest = 0;
  for (const [w, b] of run.path) {
    const away = Math.max(Math.abs(w - least.w), Math.abs(b - least.b));
    // The start is always shown.
    if (away < WIDEST || !farthest) farthest = Math.max(farthest, away);
  }
  let half = HALF;
  while (half < farthest * 1.05) half *= 2;
  return half;
}

/** The data, with the line of each epoch. */
export class DataView extends View {
  /** @param {Element} parent */
  constructor(parent) {
    super(parent, 175, "x", "y");
    this.cloud = add(this.back, "path", "data");
  }

  /** @param {State} state */
  draw({ run, data }) {
    this.window = [data.x, data.y].map((v) => [Math.min(...v), Math.max(...v)]);
    this.label(ticks(this.window[0], 4), ticks(this.window[1], 5));
    this.points = run.w.map((w, i) => [w, run.b[i]]);
    set(this.cloud, { d: this.dots([...data.x].map((x, i) => [x, data.y[i]])) });
  }

  /** @param {State} state */
  mark({ epoch, marked }) {
    const shown = this.points.slice(0, epoch + 1).slice(-MOST_DOTS);
    set(this.ahead, { d: shown.map((point) => this.line(this.ends(point))).join("") });
    set(this.done, { d: this.line(this.ends(this.points[marked])) });
  }

  /**
   * Return where a line ends: at the sides, or far above and below.
   * @param {number[]} line
   */
  ends([w, b]) {
    return this.window[0].map((x) => {
      const y = w * x + b;
      const high = Math.sign(y) * STEEP;
      return Math.abs(y) > STEEP ? [(high - b) / w, high] : [x, y];
    });
  }

  /**
   * @param {number} epoch
   * @param {number} x
   * @param {number} y
   */
  away(epoch, x, y) {
    const [w, b] = this.points[epoch];
    return Math.abs(this.at([0, w * this.value([x, y])[0] + b])[1] - y);
  }
}

/** The loss by epoch, on a logarithmic axis above the least there is. */
export class LossView extends View {
  /** @param {Element} parent */
  constructor(parent) {
    super(parent, 175, "epoch", "loss");
    this.floor = add(this.back, "path", "least");
    this.infinity = add(this.back, "text", "infinity");
    this.infinity.textContent = "∞";
  }

  /** @param {State} state */
  draw({ run, least }) {
    const log = (/** @type {number} */ loss) => Math.log10(Math.max(loss, LEAST_SHOWN));
    const floor = log(least.loss);
    const logs = run.loss.map(log);
    const height = Math.max(0.3, Math.max(...logs.filter(Number.isFinite)) - floor);
    const epochs = logs.length - 1;
    const top = floor + 1.06 * height;
    this.window = [[-0.02 * epochs, 1.03 * epochs], [floor - 0.17 * height, top]];
    const whole = ticks([0, epochs], 6).filter(Number.isInteger);
    this.label(whole, logTicks(this.window[1]), Math.log10);
    set(this.floor, { d: this.line(this.window[0].map((x) => [x, floor])) });
    // A loss past all numbers leads out of the picture.
    const lost = logs.findIndex((v) => !Number.isFinite(v));
    this.points = logs.map((v, epoch) => [epoch, epoch === lost ? top : v]);
    const [x] = this.at([lost < 0 ? -FAR : lost, top]);
    set(this.infinity, { x: Math.min(x + 4, this.width - 14), y: 14 });
  }

  /**
   * @param {number} epoch
   * @param {number} x
   */
  away(epoch, x) {
    return Math.abs(this.at([epoch, 0])[0] - x);
  }
}
