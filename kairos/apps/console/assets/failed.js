// What htmx could not fetch: it leaves the page as it is and says nothing. Why is said above the page, until it works.
"use strict";
const place = () => document.getElementById("failed");

function say(text) {
  place().textContent = text;
  place().hidden = false;
  for (const waiting of document.querySelectorAll("[aria-busy=true]")) waiting.removeAttribute("aria-busy");
}

document.addEventListener("htmx:responseError", ({ detail }) => {
  const page = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
  say(page.querySelector("main .problem")?.textContent || `${detail.xhr.status}`);
});
document.addEventListener("htmx:sendError", () => say(place().dataset.away));
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) place().hidden = true;
});
