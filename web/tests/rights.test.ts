import { expect, test } from "vitest";
import { FakeSocket, settled } from "./fakes";
import { connectedAgent, expectNoCall } from "./pages";

test("an agent whose rights have ended is out of the call at once", async () => {
  const desk = await connectedAgent();

  FakeSocket.latest.drop(1008);
  await settled();

  expectNoCall(desk);
  expect(desk.notice).toContain("signed out");
  desk.close();
});

test("an agent whose network has gone stays in the call", async () => {
  const desk = await connectedAgent();

  FakeSocket.latest.drop(1006);
  await settled();

  expect(desk.hasCall).toBe(true);
  desk.hangUp();
  expectNoCall(desk);
  desk.close();
});
