import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import {
  complaint,
  defaults,
  fields,
  fromHash,
  general,
  say,
  toHash,
} from "../../docs/assets/explorer/settings.js";

const recorded = JSON.parse(readFileSync(process.env.RECORDED, "utf-8"));
const standard = defaults(recorded);

test("the defaults are those of the page's run", () => {
  assert.deepEqual(standard, {
    optimizer: "sgd",
    learning_rate: 0.1,
    batch_size: 201,
    epochs: 10,
    w: 5,
    b: 0,
    noise: 1,
  });
});

test("an address carries what differs from the defaults, and brings it back", () => {
  const settings = { ...standard, optimizer: "adam", learning_rate: 0.76, w: -1.5 };
  const hash = toHash(settings, standard);
  assert.equal(hash, "#optimizer=adam&learning_rate=0.76&w=-1.5");
  assert.deepEqual(fromHash(hash, recorded), settings);
  assert.equal(toHash(standard, standard), "");
});

test("an address of a heading carries no settings", () => {
  assert.equal(fromHash("", recorded), undefined);
  assert.equal(fromHash("#the-data", recorded), undefined);
  assert.equal(fromHash("#colour=red", recorded), undefined);
});

test("what an address says wrongly is as in the page's run", () => {
  for (const wrong of [
    "#optimizer=toString",
    "#learning_rate=-1",
    "#learning_rate=abc",
    "#batch_size=1.5",
    "#epochs=1e9",
    "#w=NaN",
    "#b=",
  ]) {
    assert.deepEqual(fromHash(wrong, recorded), standard, wrong);
  }
});

test("a number that cannot be used is said to be wrong, with its bounds", () => {
  const { learning_rate, batch_size } = fields(recorded);
  assert.equal(complaint(learning_rate, "0.5"), "");
  assert.equal(complaint(batch_size, " 32 "), "");
  for (const text of ["", "abc", "0", "-1", "5.1", "Infinity", "1,5"]) {
    assert.match(complaint(learning_rate, text), /^Learning rate: a number from 0.001 to 5/);
  }
  for (const text of ["0", "202", "1.5"]) {
    assert.match(complaint(batch_size, text), /whole number from 1 to 201/);
  }
});

test("numbers are said in digits while they have few, and else as powers of ten", () => {
  assert.equal(say(1.06168, 4), "1.0617");
  assert.equal(say(-0.001, 2), "0.00");
  assert.equal(say(-1.5, 2), "−1.50");
  assert.equal(say(123456, 2), "1.23 · 10⁵");
  assert.equal(say(-3.2e20, 2), "−3.20 · 10²⁰");
  assert.equal(say(Infinity, 2), "∞");
  assert.equal(say(-Infinity, 2), "−∞");
  assert.equal(say(NaN, 2), "NaN");
});

test("tables have numbers as Python's format g writes them", () => {
  for (const [value, text] of [
    [5, "5"],
    [0, "0"],
    [10.34474515914917, "10.3447"],
    [1.0616785287857056, "1.06168"],
    [-0.00001234567, "-1.23457e-05"],
    [999999.4, "999999"],
    [1234567, "1.23457e+06"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [NaN, "nan"],
  ]) {
    assert.equal(general(value), text);
  }
});
