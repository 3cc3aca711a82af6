// The editor of rule files: line numbers beside the text, from a mistake to its line, Ctrl+Enter compares.

const area = document.querySelector("#rule-text");
const lines = document.querySelector(".code__lines");
const form = document.querySelector("#editor");

function number() {
  const count = area.value.split("\n").length;
  if (lines.childElementCount !== count) {
    lines.replaceChildren(...Array.from({ length: count }, (_, index) => {
      const line = document.createElement("span");
      line.textContent = `${index + 1}\n`;
      return line;
    }));
  }
  lines.scrollTop = area.scrollTop;
}

// Marks the lines that mistakes are in, as the server named them.
function mark() {
  const wrong = new Set([...document.querySelectorAll("#checked [data-line]")].map((button) => Number(button.dataset.line)));
  for (const [index, line] of [...lines.children].entries()) line.classList.toggle("is-wrong", wrong.has(index + 1));
}

function go(line, column) {
  const before = area.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, text) => sum + text.length + 1, 0);
  const end = area.value.indexOf("\n", start);
  area.focus();
  area.setSelectionRange(start + column - 1, end < 0 ? area.value.length : end);
  const height = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max((line - 6) * height, 0);
  number();
}

lines.hidden = false;
number();
mark();
const first = area.value;
let leaving = false;
area.addEventListener("input", number);
area.addEventListener("scroll", () => {
  lines.scrollTop = area.scrollTop;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "checked") mark();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-line]");
  if (button) go(Number(button.dataset.line), Number(button.dataset.column));
});
form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.querySelector("[data-main]")?.click();
});
document.addEventListener("submit", () => {
  leaving = true;
});
window.addEventListener("beforeunload", (event) => {
  if (!leaving && area.value !== first && !document.querySelector("#comparison #publish")) event.preventDefault();
});
