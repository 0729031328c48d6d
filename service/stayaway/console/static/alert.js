// The alert's page: say when the alert changed under the reader's eyes, and keep a claim alive
// while its holder is at work here. Nothing that was typed is ever replaced.
import { follow } from "./live.js";

const RENEW_EVERY_MS = 30_000;
const IDLE_AFTER_MS = 120_000;
const decide = document.getElementById("decide");
const changed = document.getElementById("changed");
const { number, desk } = decide.dataset;
let holder = decide.dataset.holder;
let lastTouch = Date.now();

function show(text) {
  changed.textContent = `${text} `;
  const again = document.createElement("a");
  again.href = `/alerts/${number}`;
  again.textContent = "Load it again";
  changed.append(again);
  changed.hidden = false;
}

function changes(now) {
  if (!now) return;
  if (now.seen !== decide.dataset.seen) show("The evidence changed since you opened this page.");
  else if (now.state !== decide.dataset.state || (now.holder ?? "") !== decide.dataset.holder) {
    const open = now.state === "OPEN" || now.state === "CLAIMED";
    if (now.holder && now.holder !== desk) show(`${now.holder} has claimed this alert.`);
    else if (!open) show(`This alert is now ${now.state.toLowerCase()}.`);
  }
  holder = now.holder ?? "";
}

async function renew() {
  if (holder !== desk || document.hidden || Date.now() - lastTouch > IDLE_AFTER_MS) return;
  try {
    const answer = await fetch(`/api/v1/alerts/${number}/claim`, {
      method: "POST",
      headers: { "content-type": "application/json", "stayaway-actor": encodeURIComponent(desk) },
      body: "{}",
    });
    if (answer.status === 409) {
      holder = "";
      show("You no longer hold this alert.");
    }
  } catch {
    // The live stream's watchdog tells about a lost connection.
  }
}

for (const kind of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(kind, () => (lastTouch = Date.now()), { passive: true });
}
setInterval(renew, RENEW_EVERY_MS);
document.getElementById("problem")?.focus();
follow(`/alerts/${number}/stream`, decide.dataset.cursor, { changes });
