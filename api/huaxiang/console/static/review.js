// Reviews by keyboard: rows of the queue, and the items of a case with their verdicts and evidence.

import { clips } from "./clips.js";

const form = document.querySelector("form[data-review]");
const items = [...document.querySelectorAll("[data-item]")];
const rows = [...document.querySelectorAll("[data-rows] tr")];
let current = -1;
let heard = 0;

// Letters are commands only where nobody writes and no dialog is open.
function isCommand(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return false;
  return !event.target.closest("textarea, select, input:not([type=radio], [type=checkbox])");
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("[data-item] input")) return choose(current);
  if (!isCommand(event)) return;
  const act = form ? caseKeys[event.key] : listKeys[event.key];
  if (event.key === "?") document.querySelector("#keys")?.showModal();
  else if (!act || act(event) === false) return;
  event.preventDefault();
});

const listKeys = {
  j: () => walk(rows, 1),
  k: () => walk(rows, -1),
  n: () => document.querySelector("a[href='/review/next']")?.click(),
};

const caseKeys = {
  j: () => choose(Math.min(current + 1, items.length - 1)),
  k: () => choose(Math.max(current - 1, 0)),
  1: () => judge("1"),
  2: () => judge("2"),
  3: () => judge("3"),
  0: () => clear(),
  p: () => play(),
  r: () => reason(items[current])?.focus(),
  a: () => judgeRest(),
  n: () => document.querySelector("#next-case")?.click(),
  // On a button or a link, Enter is that button's or link's.
  Enter: (event) => (event.target.closest("button, a, summary") ? false : form.requestSubmit()),
};

function walk(list, step) {
  if (!list.length) return;
  current = Math.min(Math.max(current + step, 0), list.length - 1);
  list[current].querySelector("a").focus();
}

// Makes an item the present one: focus, and its words in the transcript beside it.
function choose(index) {
  items[current]?.removeAttribute("aria-current");
  [current, heard] = [Math.max(index, 0), 0];
  const item = items[current];
  item.setAttribute("aria-current", "true");
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
  showTurns(item);
}

function showTurns(item) {
  const list = document.querySelector(".transcript");
  if (!list) return;
  const wanted = new Set(item.dataset.turns.split(" "));
  const turns = [...list.children];
  for (const turn of turns) turn.classList.toggle("is-evidence", wanted.has(turn.dataset.turn));
  const first = turns.find((turn) => wanted.has(turn.dataset.turn));
  if (first) list.scrollTop = first.offsetTop - list.offsetTop - list.clientHeight / 3;
}

const radios = (item) => [...item.querySelectorAll("input[type=radio]")];
const reason = (item) => item?.querySelector(".judge__reason input");
const chosen = (item) => radios(item).find((radio) => radio.checked);

function judge(key) {
  if (current < 0) choose(0);
  const radio = radios(items[current]).find((one) => one.dataset.key === key);
  radio.checked = true;
  check(items[current]);
  if (isChanged(items[current]) && !reason(items[current]).value.trim()) reason(items[current]).focus();
}

function clear() {
  if (current < 0) return;
  for (const radio of radios(items[current])) radio.checked = false;
  check(items[current]);
}

// What nobody judged yet is confirmed as it stands.
function judgeRest() {
  if (form.dataset.review === "blind") return;
  for (const item of items.filter((one) => !chosen(one))) {
    radios(item).find((radio) => "before" in radio.dataset).checked = true;
    check(item);
  }
}

// Plays the evidence of the present item; pressed again, its next quote.
function play() {
  if (current < 0) choose(0);
  const buttons = [...items[current].querySelectorAll("[data-clip-start]")];
  if (!buttons.length) return;
  clips.toggle(buttons[heard % buttons.length]);
  heard += 1;
}

// Where people score blind there is nothing that a verdict would change.
const isChanged = (item) =>
  form.dataset.review !== "blind" && chosen(item) !== undefined && !("before" in chosen(item).dataset);
const lacksReason = (item) => isChanged(item) && !reason(item).value.trim();

// A changed verdict needs a reason; it is said when the form is sent, and taken back as soon as it is there.
function check(item, say = false) {
  const wrong = lacksReason(item);
  if (say || !wrong) {
    reason(item).setAttribute("aria-invalid", String(wrong));
    const words = item.querySelector(".field__wrong");
    if (words) words.hidden = !wrong;
  }
  item.classList.toggle("is-judged", chosen(item) !== undefined);
  count();
}

function count() {
  const progress = document.querySelector("#progress");
  if (!progress) return;
  const done = items.filter((item) => chosen(item)).length;
  progress.textContent = progress.dataset.text.replace("{done}", done).replace("{all}", items.length);
}

if (form) {
  const rest = document.querySelector("[data-rest]");
  if (rest) {
    rest.hidden = false;
    rest.addEventListener("click", judgeRest);
  }
  form.addEventListener("input", (event) => check(event.target.closest("[data-item]") ?? items[0]));
  form.addEventListener("focusin", (event) => {
    const item = event.target.closest("[data-item]");
    if (!item || item === items[current]) return;
    items[current]?.removeAttribute("aria-current");
    [current, heard] = [items.indexOf(item), 0];
    item.setAttribute("aria-current", "true");
    showTurns(item);
  });
  form.addEventListener("submit", (event) => {
    const wrong = items.filter((item) => lacksReason(item));
    for (const item of items) check(item, true);
    if (!wrong.length) return;
    event.preventDefault();
    event.stopPropagation();
    choose(items.indexOf(wrong[0]));
    reason(wrong[0]).focus();
  });
  for (const item of items) check(item);
  choose(Math.max(items.findIndex((item) => item.querySelector("[aria-invalid=true]")), 0));
}
