// One block of the page: its editor, and the place of a reader's own runs.

import { button, coloured, make } from "./elements.js";

export class Block {
  /** `on` tells what a reader wants: change, run, stop or back. */
  constructor(element, number, on) {
    this.element = element;
    this.number = number;
    this.on = on;
    this.code = element.querySelector("pre > code");
    this.isPython = this.code.closest(".language-python") !== null;
    this.shown = [...this.code.childNodes];
    this.page = this.code.textContent.replace(/\n$/, "");
    this.text = this.page;
    this.edit = element.querySelector(".live-edit");
  }

  get isEdited() {
    return this.text !== this.page;
  }

  open() {
    if (this.area) return;
    const area = make("textarea", "live-area");
    area.value = this.text;
    area.rows = area.cols = 1;
    area.spellcheck = false;
    for (const name of ["autocapitalize", "autocomplete", "autocorrect"]) {
      area.setAttribute(name, "off");
    }
    area.setAttribute("aria-label", `Code of block ${this.number}`);
    area.addEventListener("input", () => this.change(area.value));
    area.addEventListener("keydown", (event) => this.press(event));
    this.area = area;
    // The code below has the colours, and grows with what is written.
    this.code.after(area);
    this.code.setAttribute("aria-hidden", "true");
    this.element.classList.add("live-open");
    this.sayOpen("Close", true);
    this.addTools();
  }

  close() {
    if (!this.area) return;
    this.area.remove();
    this.area = null;
    this.code.removeAttribute("aria-hidden");
    this.element.classList.remove("live-open");
    this.sayOpen("Edit", false);
    this.tidy();
  }

  sayOpen(text, isOpen) {
    this.edit.textContent = text;
    this.edit.setAttribute("aria-expanded", isOpen);
    this.edit.setAttribute("aria-label", `${text} block ${this.number}`);
  }

  press(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) return this.on.run(this);
    const { value, selectionStart } = this.area;
    const line = value.slice(0, selectionStart).split("\n").at(-1);
    const deeper = this.isPython && /:\s*$/.test(line) ? "    " : "";
    const begin = `\n${line.match(/^\s*/)[0]}${deeper}`;
    // Nothing else leaves Ctrl-Z its work.
    document.execCommand("insertText", false, begin);
  }

  change(text) {
    this.text = text;
    this.code.replaceChildren(
      ...(this.isEdited ? coloured(`${text}\n`, this.isPython) : this.shown),
    );
    this.element.classList.toggle("live-edited", this.isEdited);
    this.on.change(this);
  }

  /** Show the page's own again. */
  bringBack() {
    if (this.isEdited) this.change(this.page);
    this.hide();
    this.close();
    this.tidy();
  }

  // Below the code stand the means to run it, and what becomes of that.

  addTools() {
    if (this.tools) return;
    const { number, on } = this;
    this.run = button("live-run", "Run", `Run up to block ${number}`, () =>
      on.run(this),
    );
    this.run.title = "Ctrl-Enter";
    this.stop = button("", "Stop", "Stop the run", () => on.stop());
    this.stop.hidden = true;
    const back = button(
      "",
      "Bring back",
      `Bring the page's block ${number} back`,
      () => on.back(this),
    );
    this.state = make("span", "live-state");
    this.tools = make("div", "live-tools", this.run, this.stop, back, this.state);
    const code = this.code.closest(".highlight") ?? this.code.parentElement;
    code.after(this.tools);
  }

  /** Take the tools away if there is nothing to use them for. */
  tidy() {
    if (!this.tools || this.area || this.own || this.isBusy) return;
    this.tools.remove();
    this.tools = null;
  }

  set busy(isBusy) {
    this.isBusy = isBusy;
    this.element.classList.toggle("live-busy", isBusy);
    const focused = [this.run, this.stop].includes(document.activeElement);
    this.run.hidden = isBusy;
    this.stop.hidden = !isBusy;
    if (focused) (isBusy ? this.stop : this.run).focus();
    this.tidy();
  }

  /** Show a run of the reader's own in the place of the page's. */
  show({ html, fault, good }, notes) {
    this.own ??= make("div", "live-own");
    const label = make("p", "live-label", make("b", "", "Your run"));
    for (const note of notes) label.append(` ${note}`);
    this.own.replaceChildren(label);
    label.insertAdjacentHTML("afterend", html ?? "");
    if (fault) this.own.append(make("p", "live-fault", fault));
    this.isOld = false;
    this.own.classList.toggle("live-failed", good === false);
    this.element.append(this.own);
    this.element.classList.add("live-ran");
    if (this.element.matches("details")) this.element.open = true;
    this.addTools();
  }

  hide() {
    this.own?.remove();
    this.own = null;
    this.element.classList.remove("live-ran");
    this.tidy();
  }

  /** Whether it was run before an edit that bears on it. */
  set isOld(isOld) {
    this.own?.classList.toggle("live-old", isOld);
  }
}
