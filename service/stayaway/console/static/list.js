// The live list. Rows never move under a pointer or the keyboard: what changed is drawn in its
// place, what is new waits behind a button while somebody is at the list.
import { ageWords, follow } from "./live.js";

const ANNOUNCE_EVERY_MS = 5_000;
const MOST_ROWS = 500;
const queue = document.getElementById("queue");
const rows = document.getElementById("rows");
const empty = document.getElementById("empty");
const showNew = document.getElementById("show-new");
const announce = document.getElementById("announce");
const title = document.title;
const waiting = new Map();
let announcedAt = 0;
let unannounced = 0;

function parseRow(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector("li");
}

function replaceRow(old, html) {
  const fresh = parseRow(html);
  fresh.classList.remove("is-new");
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(fresh);
  if (hadFocus) fresh.querySelector("a").focus({ preventScroll: true });
}

function insertRow(number, html) {
  const fresh = parseRow(html);
  const below = [...rows.children].find((row) => Number(row.dataset.number) < number);
  rows.insertBefore(fresh, below ?? null);
  while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
  empty.hidden = true;
}

function somebodyIsAtTheList() {
  const busy = rows.matches(":hover") || rows.contains(document.activeElement) || window.scrollY > 80;
  return rows.children.length > 0 && busy;
}

function drawWaiting() {
  const count = waiting.size;
  showNew.hidden = count === 0;
  showNew.textContent = `${count} new alert${count === 1 ? "" : "s"}: show`;
  document.title = count ? `(${count}) ${title}` : title;
}

function say() {
  const now = Date.now();
  if (unannounced && now - announcedAt >= ANNOUNCE_EVERY_MS) {
    announce.textContent = `${unannounced} new alert${unannounced === 1 ? "" : "s"} in this list.`;
    announcedAt = now;
    unannounced = 0;
  }
}

function changes(items) {
  for (const { number, list, html } of items) {
    const shown = document.getElementById(`alert-${number}`);
    const belongs = list === queue.dataset.list;
    if (shown) {
      replaceRow(shown, html);
    } else if (waiting.has(number)) {
      if (belongs) waiting.set(number, html);
      else waiting.delete(number);
    } else if (belongs) {
      waiting.set(number, html);
      unannounced += 1;
    }
  }
  if (!somebodyIsAtTheList()) flush();
  drawWaiting();
  say();
}

function flush() {
  for (const number of [...waiting.keys()].sort((a, b) => a - b)) insertRow(number, waiting.get(number));
  waiting.clear();
  drawWaiting();
}

/** Renewals come with the tick alone: a claim ran out only where the server no longer names it. */
function drawClaims({ claims, wall }) {
  const held = new Map(claims.map((claim) => [String(claim.number), claim]));
  for (const state of rows.querySelectorAll("[data-until]")) {
    const claim = held.get(state.closest("li").dataset.number);
    if (claim) {
      state.dataset.until = claim.until;
    } else if (Date.parse(state.dataset.until) < Date.parse(wall)) {
      state.textContent = "Open (the claim ran out)";
      state.removeAttribute("data-until");
    }
  }
}

function tick(data) {
  const now = Date.parse(data.now);
  for (const age of rows.querySelectorAll(".age")) {
    age.textContent = `read ${ageWords((now - Date.parse(age.dataset.at)) / 1000)}`;
  }
  drawClaims(data);
  document.getElementById("empty-life").textContent = data.status;
  if (!somebodyIsAtTheList()) flush();
  say();
}

showNew.addEventListener("click", () => {
  const first = Math.max(...waiting.keys());
  flush();
  document.querySelector(`#alert-${first} a`)?.focus();
});

if (queue.dataset.follow === "yes") {
  const reload = () => location.reload();
  follow(Number(queue.dataset.cursor), { changes, tick, reload });
}
