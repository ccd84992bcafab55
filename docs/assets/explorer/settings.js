// The settings: their bounds, how numbers are written, and the address that
// carries them, as in #optimizer=sgd&learning_rate=0.76

import { NAMES } from "./model.js";

/**
 * @typedef {import("./model.js").Settings} Settings
 * @typedef {import("./model.js").Recorded} Recorded
 *
 * @typedef {object} Field
 * @property {string} label
 * @property {number} least
 * @property {number} most
 * @property {boolean} [whole]
 */

/**
 * Return the fields that hold numbers.
 * @param {Recorded} recorded
 * @returns {Record<string, Field>}
 */
export function fields(recorded) {
  return {
    learning_rate: { label: "Learning rate", least: 0.001, most: 5 },
    batch_size: { label: "Batch size", least: 1, most: recorded.x.length, whole: true },
    epochs: { label: "Epochs", least: 1, most: 200, whole: true },
    w: { label: "Start w", least: -50, most: 50 },
    b: { label: "Start b", least: -50, most: 50 },
    noise: { label: "Noise", least: 0, most: 5 },
  };
}

/**
 * Return the settings of the page's own run.
 * @param {Recorded} recorded
 * @returns {Settings}
 */
export function defaults({ x, learning_rate, history }) {
  return {
    optimizer: "sgd",
    learning_rate,
    batch_size: x.length,
    epochs: history.loss.length - 1,
    w: history.w[0],
    b: history.b[0],
    noise: 1,
  };
}

/**
 * Return what is wrong with a field's text; nothing if it can be used.
 * @param {Field} field
 * @param {string} text
 */
export function complaint({ label, least, most, whole }, text) {
  const value = text.trim() === "" ? NaN : Number(text);
  if (value >= least && value <= most && !(whole && value % 1)) return "";
  const kind = whole ? "a whole number" : "a number";
  return `${label}: ${kind} from ${least} to ${most}, please.`;
}

/**
 * Return the address that carries the settings; empty for the defaults.
 * @param {Settings} settings
 * @param {Settings} standard
 */
export function toHash(settings, standard) {
  const parts = Object.entries(settings)
    .filter(([name, value]) => value !== /** @type {any} */ (standard)[name])
    .map(([name, value]) => `${name}=${value}`);
  return parts.length ? `#${parts.join("&")}` : "";
}

/**
 * Return the settings that an address carries; nothing if it carries none.
 * What it does not say, or says wrongly, is as in the page's own run.
 * @param {string} hash
 * @param {Recorded} recorded
 * @returns {Settings | undefined}
 */
export function fromHash(hash, recorded) {
  const settings = defaults(recorded);
  const known = fields(recorded);
  let found = false;
  for (const [name, text] of new URLSearchParams(hash.slice(1))) {
    if (!Object.hasOwn(settings, name)) continue;
    found = true;
    if (name === "optimizer") {
      if (Object.hasOwn(NAMES, text)) settings.optimizer = /** @type {any} */ (text);
    } else if (!complaint(known[name], text)) {
      /** @type {any} */ (settings)[name] = Number(text);
    }
  }
  return found ? settings : undefined;
}

/**
 * Return the number in the given digits, or what it is instead.
 * @param {number} value
 * @param {number} digits after the point
 */
export function say(value, digits) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Math.abs(value) >= 1e5) {
    const [number, power] = value.toExponential(2).split("e+");
    return `${number.replace("-", "−")} · 10${superscript(Number(power))}`;
  }
  return value.toFixed(digits).replace(/^-0(\.0+)?$/, "0$1").replace("-", "−");
}

/**
 * Return a whole number as an exponent.
 * @param {number} power not negative
 */
export function superscript(power) {
  return [...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
}

/**
 * Return the number as Python's format "g" has it: six digits.
 * @param {number} value
 */
export function general(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size && (size < 1e-4 || size >= 1e6)) {
    const [number, power] = value.toExponential(5).split("e");
    const sign = power[0];
    return `${Number(number)}e${sign}${power.slice(1).padStart(2, "0")}`;
  }
  return String(Number(value.toPrecision(6)));
}
