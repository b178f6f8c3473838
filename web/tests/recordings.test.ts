// The list of recordings: filters, order and pages as queries, and late answers.

import { afterEach, expect, test, vi } from "vitest";
import "../src/library/recordings";
import { settled } from "./fakes";

const RECORDING = {
  id: "r1",
  callId: "c1",
  media: "video",
  visitorName: "Carla",
  visitorEmail: "",
  agentNames: ["Bo"],
  startedAt: "2026-01-01T10:00:00Z",
  duration: 61,
  size: 1,
  sha256: "",
  isHeld: false,
  missing: [],
};

type Query = { query: URLSearchParams; answer: (body: object, status?: number) => void };

const PAGE = { total: 60, recordings: [RECORDING], isTotalExact: true, nextPage: "" };

const openList = async () => {
  const queries: Query[] = [];
  vi.stubGlobal("fetch", (url: string) => {
    const query = new URL(url, "http://x").searchParams;
    return new Promise<Response>((resolve) =>
      queries.push({ query, answer: (body, status = 200) => resolve(Response.json(body, { status })) }),
    );
  });
  const list = document.createElement("visavis-recordings");
  document.body.append(list);
  const shown = async (): Promise<string> => {
    await settled();
    return list.shadowRoot!.textContent.replace(/\s+/g, " ");
  };
  await shown();
  return { queries, shown, root: list.shadowRoot! };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("the newest recordings come first, and another order begins on the first page", async () => {
  const { queries, shown, root } = await openList();
  expect(queries[0]!.query.get("sort")).toBe("-startedAt");
  queries[0]!.answer({ ...PAGE, nextPage: "?pageIndex=2" });
  expect(await shown()).toContain("Carla");
  expect(await shown()).toContain("1–1 of 60 ");
  const next = [...root.querySelectorAll<HTMLButtonElement>("nav button")].at(-1)!;
  next.click();
  expect(queries[1]!.query.get("pageIndex")).toBe("2");
  queries[1]!.answer(PAGE);
  await shown();
  expect(next.disabled).toBe(true);
  root.querySelector<HTMLButtonElement>("th button")!.click();
  expect(queries[2]!.query.get("sort")).toBe("startedAt");
  expect(queries[2]!.query.get("pageIndex")).toBe("1");
});

test("a total that is not exact is shown as the least, and pages go on beyond it", async () => {
  const { queries, shown, root } = await openList();
  queries[0]!.answer({ ...PAGE, isTotalExact: false, nextPage: "?pageIndex=2" });
  expect(await shown()).toContain("1–1 of 60+");
  expect([...root.querySelectorAll<HTMLButtonElement>("nav button")].at(-1)!.disabled).toBe(false);
});

test("filters are sent, and the answer to an older one is not shown", async () => {
  const { queries, shown, root } = await openList();
  queries[0]!.answer({ total: 1, recordings: [RECORDING] });
  await shown();
  const visitor = root.querySelector<HTMLInputElement>("[name=visitor]")!;
  for (const value of ["Ca", "Do"]) {
    visitor.value = value;
    visitor.dispatchEvent(new Event("input", { bubbles: true }));
  }
  expect(queries.slice(1).map(({ query }) => query.get("visitor"))).toEqual(["Ca", "Do"]);
  queries[2]!.answer({ total: 0, recordings: [] });
  queries[1]!.answer({ total: 1, recordings: [RECORDING] });
  expect(await shown()).not.toContain("Carla");
});

test("the last day of a period is included", async () => {
  const { queries, shown, root } = await openList();
  queries[0]!.answer({ total: 1, recordings: [RECORDING] });
  await shown();
  const until = root.querySelector<HTMLInputElement>("[name=to]")!;
  until.value = "2026-01-31";
  until.dispatchEvent(new Event("input", { bubbles: true }));
  expect(queries[1]!.query.get("to")).toBe(new Date("2026-02-01T00:00").toISOString());
});

test("an empty library says how recordings get there, and a refusal says why", async () => {
  const { queries, shown, root } = await openList();
  queries[0]!.answer({ total: 0, recordings: [] });
  expect(await shown()).toContain("Nothing has been recorded yet.");
  const visitor = root.querySelector<HTMLInputElement>("[name=visitor]")!;
  visitor.value = "x";
  visitor.dispatchEvent(new Event("input", { bubbles: true }));
  queries[1]!.answer({ error: "StoreUnavailable", message: "" }, 503);
  expect(await shown()).toContain("The server is busy.");
});
