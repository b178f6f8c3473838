// The panel beside a recording: lines and chapters that follow and lead it, and its quality.

import { afterEach, expect, test } from "vitest";
import "../src/library/details-panel";
import type { DetailsPanel } from "../src/library/details-panel";

const line = (at: number, by: string, text: string) => ({ at, name: "text", by, data: { text } });

const openPanel = async (contents: object = {}) => {
  const panel = document.createElement("visavis-details-panel") as DetailsPanel;
  Object.assign(panel, {
    names: { visitor: "Ann", agent: "Bo" },
    contents: { chapters: [], texts: [], events: [], quality: {}, ...contents },
  });
  document.body.append(panel);
  await panel.updateComplete;
  const root = panel.shadowRoot!;
  const texts = (selector: string) =>
    [...root.querySelectorAll(selector)].map((one) => one.textContent.replace(/\s+/g, " ").trim());
  return { panel, root, texts };
};

afterEach(() => document.body.replaceChildren());

test("each line is told with its writer's name and time, and leads to it", async () => {
  const { panel, root, texts } = await openPanel({
    texts: [line(5, "visitor", "<b>hi</b>"), line(65, "agent", "hello")],
  });
  expect(texts("#texts li")).toEqual(["0:05Ann<b>hi</b>", "1:05Bohello"]);
  const places: number[] = [];
  panel.addEventListener("seek", (event) => places.push((event as CustomEvent<number>).detail));
  root.querySelectorAll<HTMLElement>("#texts button")[1]!.click();
  expect(places).toEqual([65]);
});

test("what is told at the position is marked, in each list by itself", async () => {
  const chapter = (at: number, title: string) => ({ at, title });
  const { panel, texts } = await openPanel({
    texts: [line(5, "visitor", "one"), line(65, "agent", "two")],
    chapters: [chapter(0, "Connected"), chapter(50, "Screen shared")],
  });
  const marked = async (position: number) => {
    panel.position = position;
    await panel.updateComplete;
    return texts('[aria-current="true"] .text');
  };
  expect(await marked(0)).toEqual(["Connected"]);
  expect(await marked(10)).toEqual(["Annone", "Connected"]);
  expect(await marked(70)).toEqual(["Botwo", "Screen shared"]);
});

test("a call without lines says so, and shows neither chapters nor quality", async () => {
  const { texts } = await openPanel();
  expect(texts("section")).toEqual([expect.stringContaining("No messages were written during this call.")]);
});

test("a figure that was not measured is a dash, and never 0", async () => {
  const { texts } = await openPanel({
    quality: {
      visitor: { mos: 4.2, lossIn: 0.015, lossOut: 0, roundTrip: 80.4, jitter: null },
      agent: { mos: null, lossIn: null },
    },
  });
  expect(texts("thead th")).toEqual(["Visitor", "Agent"]);
  expect(texts("tbody tr").map((row) => row.replace(/ ?(?=–)/g, " "))).toEqual([
    expect.stringMatching(/good \(4\.2\) –$/),
    "Packet loss, sent1.5 % –",
    "Packet loss, received0.0 % –",
    expect.stringMatching(/80 ms –$/),
    expect.stringMatching(/ – –$/),
  ]);
});
