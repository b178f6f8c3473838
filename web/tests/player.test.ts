// The player of a recording: its controls can be told apart by name.

import { expect, test, vi } from "vitest";
import "../src/library/player";
import type { Player } from "../src/library/player";

test("the mute buttons of the two sides have different names", async () => {
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  const player = document.createElement("visavis-player") as Player;
  player.names = { visitor: "Ann", agent: "Bo" };
  const part = { name: "", kind: "audio", begins: 0, ends: 1, pictures: [] };
  Object.assign(player, { parts: ["visitor", "agent"].map((side) => ({ ...part, side })) });
  document.body.append(player);
  await player.updateComplete;

  const names = [...player.renderRoot.querySelectorAll("figcaption button")].map((button) =>
    button.getAttribute("aria-label"),
  );
  expect(names).toEqual(["Mute Ann", "Mute Bo"]);
  player.remove();
});
