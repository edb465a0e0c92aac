"use strict";

const shownLines = 1000;
const grep = new URLSearchParams(location.search).get("grep") ?? "";
let last = ""; // the id of the last event

function follow() {
  const query = new URLSearchParams({after: last, grep});
  const source = new EventSource("events?" + query);
  const on = (type, listener) => source.addEventListener(type, (event) => {
    last = event.lastEventId;
    listener(event.data);
  });
  on("message", (data) => {
    const entry = JSON.parse(data);
    show(entry.message + (entry.partial ? "…" : ""));
  });
  on("bookmark", () => {});
  on("gone", (text) => show("(entries are missing: " + text + ")"));
  on("failed", (text) => { source.close(); setState("failed: " + text); });

  source.onopen = () => setState("open");
  source.onerror = () => {
    setState("waiting");
    // The browser connects again by itself after a lost connection. After an
    // answer such as 502 it does not, so the page must.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(follow, 1000 + 2000 * Math.random());
    }
  };
}

function show(text) {
  const lines = document.querySelector("#log");
  const line = document.createElement("li");
  line.textContent = text; // not innerHTML: the log has text of strangers
  lines.append(line);
  if (lines.children.length > shownLines) lines.firstChild.remove();
}

function setState(text) {
  document.querySelector("#state").textContent = text;
}

follow();
