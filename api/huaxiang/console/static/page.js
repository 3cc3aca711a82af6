// What every page does: says things in passing, shows that work is under way, opens dialogs, asks before harm.

const SHOWN_MS = 7000;
const box = document.querySelector(".toasts");

// Says something for a few seconds; what went wrong stays until it is closed.
export function toast(text, tone = "good") {
  const element = document.createElement("div");
  element.className = `toast toast--${tone}`;
  const words = document.createElement("span");
  words.textContent = text;
  element.append(words);
  box.append(element);
  dress(element, tone);
}

function dress(element, tone) {
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "✕";
  close.setAttribute("aria-label", box.dataset.close);
  close.addEventListener("click", () => element.remove());
  element.append(close);
  if (tone !== "bad") setTimeout(() => element.remove(), SHOWN_MS);
}

for (const said of box.querySelectorAll(".toast")) dress(said, "good");

// The server says what a request came to in the header HX-Trigger, errors included.
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401) location.reload();
  else if (!xhr.getResponseHeader("HX-Trigger")) toast(box.dataset.failed, "bad");
});
document.addEventListener("htmx:sendError", () => toast(box.dataset.failed, "bad"));

// A bar over the page while a request that somebody made is under way; what polls by itself is quiet.
let waiting = 0;
function wait(by) {
  waiting = Math.max(waiting + by, 0);
  document.documentElement.classList.toggle("is-waiting", waiting > 0);
}
const isQuiet = (event) => event.detail.elt.closest("[data-quiet]") !== null;
document.addEventListener("htmx:beforeRequest", (event) => isQuiet(event) || wait(1));
document.addEventListener("htmx:afterRequest", (event) => isQuiet(event) || wait(-1));
document.addEventListener("submit", (event) => {
  const { confirm: question } = event.target.dataset;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  if (!event.defaultPrevented && event.target.method !== "dialog") wait(1);
});
window.addEventListener("pageshow", () => wait(-waiting));

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.querySelector(`#${CSS.escape(opener.dataset.dialog)}`)?.showModal();
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog").close();
  if (event.target.matches("dialog")) event.target.close(); // beside the box, on the backdrop
});

// A row of links that is wider than the window is scrolled to the one that is open.
function showOpen() {
  for (const row of document.querySelectorAll(".side nav, .tabs")) {
    const open = row.querySelector("[aria-current]");
    if (open) row.scrollLeft = open.offsetLeft - row.offsetLeft - (row.clientWidth - open.offsetWidth) / 2;
  }
}
showOpen();
window.addEventListener("resize", showOpen);

// "?" tells the keys, on the window so that a page which uses the key itself is asked first.
window.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "?" && !typing && !event.defaultPrevented && document.querySelector('a[href="/help"]')) location.assign("/help");
});

// A filter marked so applies itself; without this script its button does.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-apply]")) event.target.form.requestSubmit();
});
