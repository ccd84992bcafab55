// Lets a reader edit the blocks of this page and run them.  The server of the
// site adds this to a page that it serves; the editor comes when it is used.

(() => {
  const script = document.currentScript;
  const blocks = [...document.querySelectorAll(".run[data-block]")];
  let editor;
  const load = () => {
    editor ??= import(new URL("editor.js", script.src)).then(({ begin }) =>
      begin(script, blocks),
    );
    return editor;
  };
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = new URL("live.css", script.src);
  document.head.append(style);
  for (const [index, block] of blocks.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "live-edit";
    button.textContent = "Edit";
    button.setAttribute("aria-label", `Edit block ${index + 1}`);
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", async () => {
      // An edit that is brought along is open already.
      const act = editor ? "toggle" : "edit";
      (await load())[act](index);
    });
    block.querySelector(".run-bar").append(button);
  }
  try {
    if (localStorage.getItem(`${location.pathname}.edits`)) load();
  } catch {
    // A browser that keeps nothing has kept no edits.
  }
})();
