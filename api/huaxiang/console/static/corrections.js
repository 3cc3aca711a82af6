// Correcting a turn where it stands: the focus stays with it, E opens its form, Escape leaves it.

let left = null; // the turn whose form was replaced, and with it what had the focus

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.matches(".turn--form")) left = event.detail.target.id;
});
document.addEventListener("htmx:afterSettle", () => {
  if (left === null) return;
  document.querySelector(`#${left} .turn__edit`)?.focus({ preventScroll: true });
  left = null;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const form = event.target.closest(".turn--form");
  if (form && event.key === "Escape") form.querySelector("[data-cancel]").click();
  if (event.key !== "e" || event.target.closest("input, select, textarea")) return;
  const turn = event.target.closest(".turn") ?? document.querySelector(".turn[aria-current]");
  turn?.querySelector(".turn__edit")?.click();
});
