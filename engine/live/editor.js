// Lets a reader edit the blocks of a page: edits are kept by the browser and
// run by the server, and what comes of it stands in the page's own place.

import { Block } from "./block.js";
import { button, make } from "./elements.js";
import { GONE, serverOf } from "./server.js";

const PROSE = "The text around it keeps the page's numbers.";

export function begin(script, elements) {
  const { send, answers } = serverOf(script);
  const key = `${location.pathname}.edits`;
  const spoken = make("div", "live-spoken");
  spoken.setAttribute("role", "status");
  const words = make("span");
  const dock = make(
    "section",
    "live-dock",
    words,
    button("", "Take home as script", "Take home as script", takeHome),
    button("", "Bring all back", "Bring all of the page's back", bringAllBack),
  );
  dock.setAttribute("aria-label", "Your edits");
  dock.hidden = true;
  document.body.append(spoken);
  elements[0].closest("article, main, body").append(dock);
  const on = { change, run, stop, back };
  const blocks = elements.map((element, i) => new Block(element, i + 1, on));
  let running;
  let lost = "";
  restore();
  send("warm").catch(() => {});
  return {
    toggle: (index) => (blocks[index].area ? blocks[index].close() : edit(index)),
    edit,
  };

  function edit(index) {
    blocks[index].open();
    blocks[index].area.focus();
  }

  // Edits ------------------------------------------------------------------

  function edited() {
    return blocks.filter((block) => block.isEdited);
  }

  function edits() {
    return Object.fromEntries(edited().map((b) => [b.number, b.text]));
  }

  function change(block) {
    for (const other of blocks.slice(block.number - 1)) other.isOld = true;
    keep(block);
    sum();
  }

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? [];
    } catch {
      return [];
    }
  }

  /** Keep the block's edit beside those that other tabs have made. */
  function keep({ isEdited, number, page, text }) {
    const others = kept().filter(([other]) => other !== number);
    store(isEdited ? [...others, [number, page, text]] : others);
  }

  function store(all) {
    try {
      if (all.length) localStorage.setItem(key, JSON.stringify(all));
      else localStorage.removeItem(key);
      lost = "";
    } catch {
      lost = ", which this browser has no room to keep";
    }
  }

  function sum() {
    const numbers = edited().map(({ number }) => number);
    words.textContent = numbers.length
      ? `You edited block${numbers.length > 1 ? "s" : ""} ${numbers.join(", ")}${lost}`
      : "You ran what the page shows";
    dock.hidden = !numbers.length && !blocks.some(({ own }) => own);
    document.documentElement.classList.toggle("live-docked", !dock.hidden);
  }

  function restore() {
    const all = kept();
    store([]);
    for (const [number, page, text] of all) {
      // Its block may have moved, or have other code now.
      const there = blocks[number - 1];
      const same = [there, ...blocks].find((block) => block?.page === page);
      const block = same ?? there;
      if (!block || text === block.page) continue;
      block.change(text);
      block.open();
      if (same) continue;
      block.state.textContent = "The page has changed since this edit";
    }
  }

  // What the page shows ----------------------------------------------------

  function back(block) {
    bringBack(block);
    spoken.textContent = `Block ${block.number} is as it was`;
    block.edit.focus();
  }

  function bringAllBack() {
    const first = blocks.find(({ isEdited, own }) => isEdited || own);
    blocks.forEach(bringBack);
    spoken.textContent = "The page is as it was";
    first.edit.focus({ preventScroll: true });
  }

  function bringBack(block) {
    if (running?.block === block) {
      running.isUnwanted = true;
      stop();
    }
    block.bringBack();
    sum();
  }

  // Runs -------------------------------------------------------------------

  async function run(block) {
    if (running) {
      spoken.textContent = `Block ${running.block.number} still runs`;
      return;
    }
    const run = {
      block,
      texts: blocks.map(({ text }) => text),
      shown: new Set(),
      began: performance.now(),
      at: "Starts",
    };
    running = run;
    spoken.textContent = "";
    block.busy = true;
    tick(run);
    const timer = setInterval(tick, 100, run);
    for await (const event of answers(block.number, edits())) take(run, event);
    clearInterval(timer);
    running = null;
    block.state.textContent = "";
    if (!run.isUnwanted) tell(run);
    block.busy = false;
    sum();
  }

  function stop() {
    send("stop").catch(() => {});
  }

  function tick({ block, at, began }) {
    block.state.textContent = `${at} · ${seconds(began)}`;
  }

  function seconds(began) {
    return `${((performance.now() - began) / 1000).toFixed(1)} s`;
  }

  function take(run, event) {
    const { number } = run.block;
    if (event.begun) run.at = `Block ${event.begun} of ${number}`;
    run.notice ??= event.notice;
    if (run.isUnwanted || !(event.html || event.fault)) return;
    const block = blocks[(event.block ?? number) - 1];
    const above = blocks.slice(0, block.number);
    const notes = run.notice ? [run.notice] : [];
    if (above.some(({ page }, i) => run.texts[i] !== page)) notes.push(PROSE);
    block.show(event, notes);
    run.last = { ...event, block };
    run.shown.add(block);
    block.isOld = above.some(({ text }, i) => text !== run.texts[i]);
  }

  /** Say once, to eyes and ears, how a run has ended. */
  function tell({ block, last, notice, shown, began }) {
    const { state } = block;
    if (last.block !== block) {
      const link = make("a", "", `Block ${last.block.number} failed`);
      link.href = `#block:${last.block.number}`;
      state.append(link);
    } else if (!last.fault) {
      const how = last.good ? "Ran in" : "Failed after";
      state.textContent = `${how} ${seconds(began)}`;
    }
    const what = last.words ?? last.fault;
    spoken.textContent =
      `Your run of block ${last.block.number}: ${what} ${notice ?? ""}`;
    if (!last.good) return;
    for (const other of blocks.slice(0, block.number)) {
      // What this run had no reason to show is as the page has it.
      if (!shown.has(other)) other.hide();
    }
  }

  // Taking it home ---------------------------------------------------------

  async function takeHome() {
    try {
      const answer = await (await send("script", { edits: edits() })).json();
      if (answer.fault) throw new Error(answer.fault);
      const link = make("a");
      link.href = URL.createObjectURL(new Blob([answer.script]));
      link.download = `${script.dataset.name}_edited.py`;
      link.click();
      URL.revokeObjectURL(link.href);
      spoken.textContent = "The script is taken home";
    } catch (error) {
      const isOurs = error.constructor === Error;
      words.textContent = spoken.textContent = isOurs ? error.message : GONE;
    }
  }
}
