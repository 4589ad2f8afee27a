// A part of the page that comes later brings its forms anew (`parts.later`): what somebody wrote meanwhile stays.
"use strict";
let written = [];

function fields() {
  const found = new Map();
  for (const field of document.querySelectorAll("#main :is(input, select, textarea)[name]:not([type=hidden])")) {
    const ticked = ["checkbox", "radio"].includes(field.type) ? field.value : "";
    const name = [field.form?.getAttribute("action"), field.name, ticked].join(" ");
    let number = 0;
    while (found.has(`${name} ${number}`)) number += 1;
    found.set(`${name} ${number}`, field);
  }
  return found;
}

const isChanged = (field) => field.checked !== field.defaultChecked || field.value !== field.defaultValue;

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.requestConfig?.elt?.classList.contains("later")) return;
  written = [...fields()]
    .filter(([, field]) => isChanged(field) || field === document.activeElement)
    .map(([place, field]) => [place, field.value, field.checked, field === document.activeElement]);
});
document.addEventListener("htmx:afterSwap", () => {
  const now = fields();
  for (const [place, value, checked, focused] of written) {
    const field = now.get(place);
    if (!field) continue;
    if (field.value !== value) field.value = value;
    if (field.checked !== checked) field.checked = checked;
    if (focused) field.focus();
  }
  written = [];
});
