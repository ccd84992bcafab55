// Measures the built site with Lighthouse and the Nu HTML checker, checks the
// types of the explorer, prints a table, and exits with 1 if a threshold is missed.

import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import * as chromeLauncher from "chrome-launcher";
import lighthouse from "lighthouse";
import vnu from "vnu-jar";

import { serve } from "./server.mjs";

const run = promisify(execFile);
const site = resolve(process.argv[2] ?? "../../site");
const RUNS = 3;
const CHROMIUM = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// What each page has to reach. Weights are what everything loaded weighs,
// compressed, in kB.
const PAGES = [
  { path: "/", performance: 99, weight: 110, requests: 10 },
  { path: "/basic_training_loops/", performance: 99, weight: 110, requests: 10 },
  { path: "/explorer/", performance: 99, weight: 110, requests: 12 },
  { path: "/notebooks/basic_training_loops/", performance: 0, weight: 300, requests: 10 },
];
const CATEGORIES = ["accessibility", "best-practices", "seo"];

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Return what Lighthouse measures on a page: medians of several runs. */
async function measure(address, port) {
  await fetch(address); // the server compresses a file once
  const results = [];
  for (let i = 0; i < RUNS; i += 1) {
    const { lhr } = await lighthouse(address, { port, logLevel: "error" });
    results.push(lhr);
  }
  const of = (read) => median(results.map(read));
  const last = results.at(-1);
  const requests = last.audits["network-requests"].details.items.filter(
    (item) => item.url.startsWith("http"),
  );
  const host = new URL(address).host;
  return {
    performance: of((lhr) => Math.round(lhr.categories.performance.score * 100)),
    ...Object.fromEntries(
      CATEGORIES.map((name) => [
        name,
        of((lhr) => Math.round(lhr.categories[name].score * 100)),
      ]),
    ),
    lcp: of((lhr) => lhr.audits["largest-contentful-paint"].numericValue) / 1000,
    cls: of((lhr) => lhr.audits["cumulative-layout-shift"].numericValue),
    weight: requests.reduce((sum, item) => sum + item.transferSize, 0) / 1000,
    requests: requests.length,
    strangers: requests.filter((item) => new URL(item.url).host !== host).length,
    failed: Object.values(last.audits)
      .filter((audit) => audit.score !== null && audit.score < 0.9)
      .map((audit) => audit.id),
  };
}

/** Return the faults that the Nu HTML checker finds in all pages. */
async function validate() {
  const files = (await readdir(site, { recursive: true }))
    .filter((name) => name.endsWith(".html"))
    .map((name) => join(site, name));
  const options = ["-jar", vnu, "--errors-only", "--format", "json", ...files];
  const { stderr } = await run("java", options, { maxBuffer: 1e9 }).catch((e) => e);
  return { pages: files.length, faults: JSON.parse(stderr).messages };
}

/** Return the faults that TypeScript finds in the explorer's modules. */
async function checkTypes() {
  const options = ["node_modules/typescript/bin/tsc", "--project", "."];
  const { stdout } = await run(process.execPath, options).catch((e) => e);
  return stdout.split("\n").filter(Boolean);
}

const missed = [];
const hold = (where, what, holds) => {
  if (!holds) missed.push(`${where}: ${what}`);
};

const { server, address } = await serve(site);
const chrome = await chromeLauncher.launch({
  chromePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
  chromeFlags: CHROMIUM,
});
const rows = {};
try {
  for (const page of PAGES) {
    const found = await measure(address + page.path, chrome.port);
    const { failed, ...numbers } = found;
    rows[page.path] = {
      ...numbers,
      lcp: `${found.lcp.toFixed(2)} s`,
      weight: `${found.weight.toFixed(1)} kB`,
    };
    hold(page.path, "performance", found.performance >= page.performance);
    for (const name of CATEGORIES) hold(page.path, name, found[name] === 100);
    hold(page.path, "LCP over 1.5 s", found.lcp <= 1.5 || !page.performance);
    hold(page.path, "CLS", found.cls === 0);
    hold(page.path, "weight", found.weight <= page.weight);
    hold(page.path, "requests", found.requests <= page.requests);
    hold(page.path, "another host was asked", found.strangers === 0);
    if (failed.length) console.log(`${page.path} could do better: ${failed.join(", ")}`);
  }
} finally {
  chrome.kill();
  server.close();
}
console.table(rows);

const { pages, faults } = await validate();
for (const fault of faults.slice(0, 20)) {
  console.log(`${fault.url}:${fault.lastLine}: ${fault.message}`);
}
console.log(`HTML: ${faults.length} faults on ${pages} pages`);
hold("HTML", "faults", faults.length === 0);

const types = await checkTypes();
for (const fault of types) console.log(fault);
console.log(`Types: ${types.length} faults`);
hold("types", "faults", types.length === 0);

for (const line of missed) console.log(`Missed: ${line}`);
process.exit(missed.length ? 1 : 0);
