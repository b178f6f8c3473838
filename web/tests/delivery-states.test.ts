// The delivery card of the settings over time: what it lists, and when it asks again.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import "../src/admin/delivery";
import type { Delivery } from "../src/admin/delivery";
import { drawn, mount, textOf } from "./dom";

const NOTHING = {
  pending: 0,
  failed: 0,
  incomplete: 0,
  missing: 0,
  oldestPending: null,
  lastSuccess: null,
  lastError: null,
  lastErrorTime: null,
  recordings: [] as object[],
};
const AT = "2026-01-31T09:00:00Z";

let requests: number;
let answer: () => Promise<Response>;

const says = (status: object) => () => Promise.resolve(Response.json({ ...NOTHING, ...status }));

beforeEach(() => {
  requests = 0;
  vi.stubGlobal("fetch", () => {
    requests += 1;
    return answer();
  });
});
afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("recordings on their way are listed with their state, progress and error", async () => {
  const one = {
    startedAt: AT,
    state: "delivering",
    size: 2e6,
    uploaded: 1e6,
    nextTryAt: null,
    lastError: "",
    nodes: [{ id: "a", machine: "media-1", isSilent: false, isStopped: false }],
  };
  answer = says({
    pending: 2,
    oldestPending: AT,
    failed: 1,
    incomplete: 2,
    lastError: "It refused the secret.",
    lastErrorTime: AT,
    recordings: [one, { ...one, state: "waiting", size: 0, nextTryAt: AT, lastError: "No answer." }],
  });
  const card = await mount<Delivery>("visavis-delivery");
  const root = card.shadowRoot!;
  const items = [...root.querySelectorAll("li")].map(textOf);
  expect(items[0]).toMatch(/being uploaded · 1\.0 MB of 2\.0 MB$/);
  expect(items[1]).toMatch(/· waiting · next try .* No answer\.$/);
  expect(textOf(root.querySelector("#backlog"))).toMatch(/^2 recordings \(the oldest since .*2026/);
  expect(textOf(root.querySelector("#last-error"))).toMatch(/: It refused the secret\.$/);
  expect(textOf(root.querySelector("#last-success"))).toBe("Nothing has been delivered yet.");
  expect(textOf(root)).toContain("1 recording could not be made into a file");
  expect(textOf(root)).toContain("2 recordings lack some of what was said or shown.");
});

test("a recording on a server that does not run waits for that server", async () => {
  const nodes = [
    { id: "a", machine: "media-1", isSilent: false, isStopped: false },
    { id: "b", machine: "media-7", isSilent: true, isStopped: false },
  ];
  const recordings = [{ startedAt: AT, state: "waiting", size: null, nodes }];
  answer = says({ pending: 1, recordings });
  const card = await mount<Delivery>("visavis-delivery");
  const item = textOf(card.shadowRoot!.querySelector("li"));
  expect(item).toContain("· waiting for media-7");
  expect(item).toContain("It will be delivered once that server is back.");
  nodes[1] = { ...nodes[1]!, isStopped: true };
  answer = says({ pending: 1, recordings });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(textOf((await drawn(card)).querySelector("li"))).toContain("start that server again");
});

test("the card asks more often while recordings wait, and after a failure as well", async () => {
  answer = says({ pending: 1 });
  const card = await mount<Delivery>("visavis-delivery");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(requests).toBe(2);
  answer = () => Promise.reject(new TypeError("network"));
  await vi.advanceTimersByTimeAsync(5_000);
  const root = await drawn(card);
  expect(textOf(root.querySelector(".error"))).toBe("This could not be loaded. Please try again.");
  expect(textOf(root.querySelector("#backlog"))).toBe("1 recording");
  answer = says({});
  await vi.advanceTimersByTimeAsync(5_000);
  expect(textOf(await drawn(card))).not.toContain("could not be loaded");
  expect(requests).toBe(4);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(requests).toBe(4);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(requests).toBe(5);
  card.remove();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requests).toBe(5);
});

test("a page in the background asks for nothing, and asks at once when it comes to the front", async () => {
  answer = says({});
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  const card = await mount<Delivery>("visavis-delivery");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requests).toBe(0);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event("visibilitychange"));
  expect(textOf(await drawn(card))).toContain("No recordings are waiting for delivery.");
  expect(requests).toBe(1);
});
