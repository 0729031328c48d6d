// A shared worker: one stream for all pages of a browser. Chromium allows six connections to one origin,
// so a stream for each page would leave none for the seventh page's acts. No page leads: whichever is
// closed, the others hear on.
import { openStream } from "./stream.js";

const HERE_EVERY_MS = 3_000;
const pages = new Set();
let reached = 0;
let desk = "";
let lost = false;

const stream = openStream((message) => {
  lost = message.kind === "lost";
  if (!lost) reached = message.cursor;
  for (const page of pages) page.postMessage(message);
});

/** A page that is behind takes the stream back with it: what others hear twice they draw once. */
function join(page, { cursor, name }) {
  const isFirst = pages.size === 0;
  pages.add(page);
  if (isFirst || cursor < reached || name !== desk) {
    reached = isFirst ? cursor : Math.min(cursor, reached);
    desk = name; // whose look the server records
    stream.from(reached);
  } else if (lost) {
    page.postMessage({ kind: "lost" });
  }
}

function leave(page) {
  pages.delete(page);
  if (pages.size === 0) stream.close();
}

setInterval(() => pages.forEach((page) => page.postMessage({ kind: "here" })), HERE_EVERY_MS);
addEventListener("connect", ({ ports: [page] }) => {
  page.onmessage = ({ data }) => {
    if (data.kind === "join") join(page, data);
    else leave(page);
  };
});
