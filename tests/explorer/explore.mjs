// Reads settings from standard input and writes what the explorer does with
// each: its numbers, its limit and its program.

import { readFileSync } from "node:fs";

import { limit, scales } from "../../docs/assets/explorer/model.js";
import { train } from "../../docs/assets/explorer/model.js";
import { program } from "../../docs/assets/explorer/program.js";
import { defaults } from "../../docs/assets/explorer/settings.js";

const recorded = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const standard = defaults(recorded);
const number = (value) => (Number.isFinite(value) ? value : String(value));

const runs = JSON.parse(readFileSync(0, "utf-8")).map((changed) => {
  const settings = { ...standard, ...changed };
  const { w, b, loss, path } = train(settings, recorded);
  return {
    w: w.map(number),
    b: b.map(number),
    loss: loss.map(number),
    updates: path.length - 1,
    limit: scales(settings.optimizer)
      ? undefined
      : limit(settings.optimizer, settings.batch_size, recorded),
    program: program(settings, recorded.x.length),
  };
});
console.log(JSON.stringify(runs));
