// One live stream for all pages of a browser, from each page's own cursor on. The worker that holds it is
// watched too: where it is silent, or the browser has none, the page holds a stream of its own.
import { openStream } from "./stream.js";

const SILENCE_MS = 9_000;
const MOST_SILENCES = 3;

/** Follow from `cursor`. `handlers`: {changes(items), tick(data), reload()}. */
export function follow(cursor, handlers) {
  const lost = document.getElementById("lost");
  let leave = () => {};
  let watchdog = 0;
  let silences = 0;

  function hear(message) {
    lost.hidden = message.kind !== "lost";
    if (message.kind === "lost") return;
    // A page that joined behind another may be told again what it has drawn.
    const isNews = message.cursor > cursor || message.kind !== "changes";
    if (message.kind === "reload") cursor = message.cursor;
    cursor = Math.max(cursor, message.cursor);
    if (message.kind === "tick") showLife(message.data);
    if (isNews) handlers[message.kind]?.(message.data);
  }

  function watch() {
    clearTimeout(watchdog);
    watchdog = setTimeout(joinAgain, SILENCE_MS);
  }

  /** A page that slept finds its worker well: only one that stays silent is given up. */
  function joinAgain() {
    lost.hidden = false;
    leave();
    silences += 1;
    if (silences < MOST_SILENCES) together();
    else alone();
  }

  function together() {
    watch();
    const worker = new SharedWorker("/static/shared.js", { type: "module", name: "stayaway live" });
    worker.onerror = alone;
    worker.port.onmessage = ({ data }) => {
      silences = 0;
      watch();
      if (data.kind !== "here") hear(data);
    };
    worker.port.postMessage({ kind: "join", cursor, name: document.body.dataset.desk });
    leave = () => worker.port.postMessage({ kind: "leave" });
  }

  function alone() {
    clearTimeout(watchdog);
    console.info("stayaway: no shared stream; this page holds one of the browser's six connections");
    leave();
    lost.hidden = false;
    const own = openStream(hear);
    leave = own.close;
    own.from(cursor);
  }

  function open() {
    if ("SharedWorker" in window) together();
    else alone();
  }

  window.addEventListener("pagehide", () => {
    clearTimeout(watchdog);
    leave();
  });
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
}

function showLife(data) {
  const life = document.getElementById("life");
  life.textContent = data.status;
  life.classList.toggle("stale", data.stale);
  document.getElementById("stale").hidden = !data.stale;
  for (const count of document.querySelectorAll(".count[data-list]")) {
    count.textContent = data.counts[count.dataset.list] ?? 0;
  }
}

/** The same words as `alerts.words.age_words`. */
export function ageWords(seconds) {
  const minutes = Math.floor(Math.max(seconds, 0) / 60);
  if (minutes < 1) return "less than 1 min ago";
  if (minutes <= 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours <= 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}
