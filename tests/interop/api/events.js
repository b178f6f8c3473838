// npm `eventsource` on the configuration's events: prints each, and each reconnect.
import { EventSource } from "eventsource";

const [url, token] = process.argv.slice(2);
const source = new EventSource(url, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
});
const tell = (value) => console.log(JSON.stringify(value));
source.addEventListener("open", () => tell({ name: "open" }));
source.addEventListener("error", ({ code }) => tell({ name: "error", code, state: source.readyState }));
source.addEventListener("config", ({ data }) => tell({ name: "config", ...JSON.parse(data) }));
