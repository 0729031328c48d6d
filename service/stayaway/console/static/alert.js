// The alert's page: say when the alert changed under the reader's eyes, and keep a claim alive
// while its holder is at work here. Nothing that was typed is ever replaced.
import { ageWords, follow } from "./live.js";

const RENEW_EVERY_MS = 30_000;
const RETRY_MS = 5_000;
const IDLE_AFTER_MS = 120_000;
const decide = document.getElementById("decide");
const changed = document.getElementById("changed");
const claimNotice = document.getElementById("claim-notice");
const heading = document.getElementById("lead-title");
const number = Number(decide.dataset.number);
const { desk } = decide.dataset;
let holder = decide.dataset.holder;
let until = Date.parse(decide.dataset.until) || 0;
let lastTouch = Date.now();
/** How far the server's clock is ahead of this browser's. */
let aheadMs = 0;
let renewTimer = 0;

function show(text, notice = changed) {
  if (notice.dataset.text === text) return; // said once: a reader is not told the same again
  notice.dataset.text = text;
  notice.textContent = `${text} `;
  const again = document.createElement("a");
  again.href = `/alerts/${number}`;
  again.textContent = "Load it again";
  notice.append(again);
  notice.hidden = false;
}

function hide(notice) {
  notice.hidden = true;
  delete notice.dataset.text;
}

function changes(items) {
  const now = items.find((item) => item.number === number);
  if (!now) return;
  const more = now.sightings - Number(decide.dataset.sightings);
  const isOther = now.state !== decide.dataset.state || (now.holder ?? "") !== decide.dataset.holder;
  const isOpen = now.state === "OPEN" || now.state === "CLAIMED";
  if (isOther && !isOpen) show(`This alert is now ${now.state.toLowerCase()}.`);
  else if (isOther && now.holder && now.holder !== desk) show(`${now.holder} has claimed this alert.`);
  else if (more > 0) show(`${more} more sighting${more === 1 ? "" : "s"}.`);
  else if (now.seen !== decide.dataset.seen || now.last_at !== heading.dataset.at) {
    show("The evidence changed since you opened this page.");
  }
  holder = now.holder ?? "";
}

function tick(data) {
  aheadMs = Date.parse(data.wall) - Date.now();
  const age = ageWords((Date.parse(data.now) - Date.parse(heading.dataset.at)) / 1000);
  heading.textContent = heading.textContent.replace(heading.dataset.age, age);
  heading.dataset.age = age;
  const mine = data.claims.find((claim) => claim.number === number && claim.by === desk);
  if (mine) until = Date.parse(mine.until);
  watchClaim();
}

function leftSeconds() {
  return Math.ceil((until - Date.now() - aheadMs) / 1000);
}

/** Say that the claim ran out by our own timer: the server may be what cannot be reached. */
function watchClaim() {
  if (holder !== desk || decide.dataset.holder !== desk || leftSeconds() > 0) return;
  holder = "";
  show("Your claim ran out.", claimNotice);
}

async function ask() {
  const answer = await fetch(`/api/v1/alerts/${number}/claim`, {
    method: "POST",
    headers: { "content-type": "application/json", "stayaway-actor": encodeURIComponent(desk) },
    body: "{}",
    signal: AbortSignal.timeout(RETRY_MS),
  });
  if (answer.status !== 409 && !answer.ok) throw new Error(`answered ${answer.status}`);
  return answer;
}

async function renew() {
  renewTimer = setTimeout(renew, RENEW_EVERY_MS);
  if (holder !== desk || document.hidden || Date.now() - lastTouch > IDLE_AFTER_MS) return;
  try {
    const answer = await ask();
    if (answer.status === 409) {
      holder = "";
      show("You no longer hold this alert.", claimNotice);
    } else {
      until = Date.parse((await answer.json()).claimed_until) || until;
      hide(claimNotice);
    }
  } catch {
    if (holder !== desk) return;
    clearTimeout(renewTimer);
    renewTimer = setTimeout(renew, RETRY_MS);
    show(`Your claim was not renewed: it ends in ${Math.max(leftSeconds(), 0)} s. Trying again…`, claimNotice);
  }
}

for (const kind of ["pointerdown", "keydown", "scroll"]) {
  addEventListener(kind, () => (lastTouch = Date.now()), { passive: true });
}
renewTimer = setTimeout(renew, RENEW_EVERY_MS);
setInterval(watchClaim, 1_000);
document.getElementById("problem")?.focus();
follow(Number(decide.dataset.cursor), {
  changes,
  tick,
  reload: () => show("This page is too far behind to be kept up to date."),
});
