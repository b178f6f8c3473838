import { afterEach, expect, test, vi } from "vitest";
import "../src/call/quality-view";
import type { QualityView } from "../src/call/quality-view";
import { click, drawn, mount, textOf } from "./dom";

const FIGURES = { type: "quality", callId: "c1", mos: 4.2, loss: 0.0123, jitter: 4.4, roundTrip: 31.6 };

afterEach(() => document.body.replaceChildren());

test.each([
  [undefined, "Measuring", 0],
  [{ ...FIGURES, mos: null }, "Measuring", 0],
  [{ ...FIGURES, mos: 4 }, "Good", 4],
  [{ ...FIGURES, mos: 3.9 }, "Fair", 3],
  [{ ...FIGURES, mos: 3.2 }, "Weak", 2],
  [{ ...FIGURES, mos: 1 }, "Bad", 1],
])("the quality is a word and bars: %j", async (quality, word, bars) => {
  const { shadowRoot } = await mount<QualityView>("visavis-quality", { quality });
  expect(textOf(shadowRoot!.querySelector("button"))).toBe(`Network: ${word}`);
  expect(shadowRoot!.querySelectorAll("i.on")).toHaveLength(bars);
});

test("the figures are shown on demand, and Escape closes them and nothing else", async () => {
  const view = await mount<QualityView>("visavis-quality", { quality: FIGURES });
  const root = view.shadowRoot!;
  const figures = () => root.querySelector<HTMLElement>("dl")!;
  expect(figures().hidden).toBe(true);
  click(root, "button");
  await drawn(view);
  expect(figures().hidden).toBe(false);
  const values = [...figures().querySelectorAll("dd")].map(textOf);
  expect(values).toEqual(["1.2 %", "4 ms", "32 ms", "4.2 / 4.5"]);

  const outside = vi.fn();
  document.body.addEventListener("keydown", outside);
  const escape = () =>
    root
      .querySelector("button")!
      .dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, composed: true }));
  escape();
  await drawn(view);
  expect(figures().hidden).toBe(true);
  expect(outside).not.toHaveBeenCalled();
  escape();
  expect(outside).toHaveBeenCalledOnce();
  document.body.removeEventListener("keydown", outside);
});

test("figures that are not known are left out", async () => {
  const quality = { ...FIGURES, mos: null, roundTrip: null };
  const { shadowRoot } = await mount<QualityView>("visavis-quality", { quality });
  expect([...shadowRoot!.querySelectorAll("dt")].map(textOf)).toEqual(["Packet loss", "Jitter"]);
});
