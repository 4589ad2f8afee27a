// Line numbers beside the text, with the lines that have findings marked; a finding leads to its line; what could be
// typed, in a list below the caret. Elements are looked up anew each time: the form replaces them.
"use strict";
const area = () => document.getElementById("text");
const list = () => document.getElementById("completions");
let asked = false;
let chosen = "";

// ---------------------------------------------------------------------------------------------------------- lines
function mark() {
  const text = area();
  const gutter = document.querySelector(".gutter");
  const found = new Map();
  for (const each of document.querySelectorAll("#findings [data-line]")) {
    if (found.get(each.dataset.line) !== "error") found.set(each.dataset.line, each.className);
  }
  const numbers = text.value.split("\n").map((_, place) => {
    const line = document.createElement("span");
    line.textContent = `${place + 1}\n`;
    line.className = found.get(String(place + 1)) || "";
    return line;
  });
  gutter.replaceChildren(...numbers);
  gutter.scrollTop = text.scrollTop;
}

function lead(finding) {
  const text = area();
  const lines = text.value.split("\n");
  const line = Number(finding.dataset.line);
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] || "").length);
}

// ---------------------------------------------------------------------------------------------------------- words
// The server counts characters, a browser units of UTF-16.
const characters = (text) => [...text].length;
const units = (text, count) => [...text].slice(0, count).join("").length;

function open() {
  const words = list();
  const text = area();
  if (!words || document.activeElement !== text || text.readOnly) return;
  const begun = Number(words.dataset.end) > Number(words.dataset.start);
  if (words.children.length === 0 || !(asked || begun)) return;
  const before = text.value.slice(0, units(text.value, Number(words.dataset.start))).split("\n");
  const style = getComputedStyle(text);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = style.font;
  const width = pen.measureText("0").width;
  const line = parseFloat(style.lineHeight);
  document.querySelector(".editor").append(words);
  words.style.top = `${before.length * line + parseFloat(style.paddingTop) - text.scrollTop}px`;
  words.style.left = `${text.offsetLeft + parseFloat(style.paddingLeft) + before.at(-1).length * width - text.scrollLeft}px`;
  words.hidden = false;
  // The same list may come twice, for what was typed and for what was asked: what is chosen in it stays.
  choose([...words.children].find((each) => each.dataset.text === chosen) || words.firstElementChild);
}

function close() {
  asked = false;
  chosen = "";
  document.querySelectorAll("#completions").forEach((each) => each.remove());
  area().removeAttribute("aria-activedescendant");
}

function choose(word) {
  chosen = word.dataset.text;
  for (const each of list().children) each.setAttribute("aria-selected", String(each === word));
  area().setAttribute("aria-activedescendant", word.id);
  word.scrollIntoView({ block: "nearest" });
}

function take(word) {
  const text = area();
  const { start, end } = list().dataset;
  text.focus();
  const units_of = (count) => units(text.value, Number(count));
  text.setRangeText(word.dataset.text, units_of(start), units_of(end), "end");
  close();
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function press(event) {
  if (event.target !== area()) return;
  if (event.key === " " && event.ctrlKey) {
    asked = true;
    event.target.dispatchEvent(new Event("complete"));
    event.preventDefault();
    return;
  }
  const words = list();
  if (!words || words.hidden) return;
  const now = words.querySelector("[aria-selected=true]");
  const deeds = {
    ArrowDown: () => choose(now.nextElementSibling || words.firstElementChild),
    ArrowUp: () => choose(now.previousElementSibling || words.lastElementChild),
    Enter: () => take(now),
    Escape: close,
  };
  if (deeds[event.key]) {
    deeds[event.key]();
    event.preventDefault();
  }
}

// --------------------------------------------------------------------------------------------------------- events
document.addEventListener("keydown", press);
document.addEventListener("input", (event) => {
  if (event.target !== area()) return;
  close();
  mark();
});
document.addEventListener("scroll", (event) => { if (event.target === area()) mark(); }, true);
document.addEventListener("htmx:configRequest", (event) => {
  const text = area();
  if (event.detail.path === "/write/looked") {
    event.detail.parameters.at = String(characters(text.value.slice(0, text.selectionEnd)));
  }
});
document.addEventListener("htmx:beforeSwap", () => document.querySelectorAll(".editor > ul").forEach((each) => each.remove()));
document.addEventListener("htmx:afterSwap", () => { mark(); open(); });
document.addEventListener("click", (event) => {
  const finding = event.target.closest("#findings [data-line] button");
  const word = event.target.closest("#completions [role=option]");
  if (finding) lead(finding.parentElement);
  if (word) take(word);
  else if (list() && !list().hidden) close();
});
mark();
