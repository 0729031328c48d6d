// One live stream for a page. The server sends a `tick` every 5 s; 12 s of silence mean that the
// connection is lost, whatever the browser believes, and it is opened again from the page's cursor.
const SILENCE_MS = 12_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** Follow `address` (a URL with its query) from `cursor`. `handlers`: {changes(data), tick(data)}. */
export function follow(address, cursor, handlers) {
  const lost = document.getElementById("lost");
  let source = null;
  let watchdog = 0;
  let retryMs = FIRST_RETRY_MS;

  function alive(event) {
    cursor = event.lastEventId || cursor;
    retryMs = FIRST_RETRY_MS;
    lost.hidden = true;
    clearTimeout(watchdog);
    watchdog = setTimeout(reopen, SILENCE_MS);
  }

  function reopen() {
    lost.hidden = false;
    clearTimeout(watchdog);
    source?.close();
    source = null;
    setTimeout(open, retryMs);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }

  function open() {
    const url = new URL(address, location.href);
    url.searchParams.set("cursor", cursor);
    source = new EventSource(url);
    // EventSource gives up for good after a refused first try: we always try again ourselves.
    source.onerror = reopen;
    source.addEventListener("changes", (event) => {
      alive(event);
      handlers.changes(JSON.parse(event.data));
    });
    source.addEventListener("tick", (event) => {
      alive(event);
      const data = JSON.parse(event.data);
      showLife(data);
      handlers.tick?.(data);
    });
    source.addEventListener("reload", () => location.reload());
    watchdog = setTimeout(reopen, SILENCE_MS);
  }

  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => event.persisted && reopen());
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
