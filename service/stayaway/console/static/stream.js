// The server's stream, without a page: shared by the worker that holds it for all pages of a browser and
// by a page that has to hold its own. The server sends a `tick` every 5 s; 8 s of silence mean that the
// connection is lost, whatever the browser believes, and it is opened again from the cursor.
const SILENCE_MS = 8_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** `tell({kind, cursor, data})`: kind is changes, tick, reload or lost. Returns `{from, close}`. */
export function openStream(tell) {
  let source = null;
  let cursor = 0;
  let timer = 0;
  let retryMs = FIRST_RETRY_MS;

  function hear(event) {
    cursor = Number(event.lastEventId);
    retryMs = FIRST_RETRY_MS;
    clearTimeout(timer);
    timer = setTimeout(lose, SILENCE_MS);
    tell({ kind: event.type, cursor, data: JSON.parse(event.data) });
  }

  function lose() {
    close();
    tell({ kind: "lost" });
    timer = setTimeout(open, retryMs);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }

  function open() {
    source = new EventSource(`/alerts/stream?cursor=${cursor}`);
    // EventSource gives up for good after a refused first try: we always try again ourselves.
    source.onerror = lose;
    for (const kind of ["changes", "tick", "reload"]) source.addEventListener(kind, hear);
    timer = setTimeout(lose, SILENCE_MS);
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function from(place) {
    close();
    cursor = place;
    open();
  }

  return { from, close };
}
