// The button that tests the recording server: one verdict, about the URL that is in the field.

import { afterEach, expect, test, vi } from "vitest";
import "../src/admin/server-test";
import type { ServerTest } from "../src/admin/server-test";
import { click, drawn, mount, textOf } from "./dom";

const openTest = async () => {
  const answers: { resolve: (response: Response) => void; reject: (error: Error) => void; body: unknown }[] =
    [];
  vi.stubGlobal(
    "fetch",
    (_: string, { body }: RequestInit) =>
      new Promise<Response>((resolve, reject) =>
        answers.push({ resolve, reject, body: JSON.parse(body as string) }),
      ),
  );
  const page = await mount<ServerTest>("visavis-server-test", { url: "https://one.example/" });
  const root = page.shadowRoot!;
  const shown = async () => textOf((await drawn(page)).querySelector("[aria-live]"));
  const button = root.querySelector("button")!;
  return { page, root, answers, shown, button };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("the verdict of the server is shown, and the button waits for it", async () => {
  const { page, root, answers, shown, button } = await openTest();
  click(root, "button");
  expect(await shown()).toBe("Testing …");
  expect(button.disabled).toBe(true);
  expect(answers[0]!.body).toEqual({ recordingServerUrl: "https://one.example/" });
  answers[0]!.resolve(Response.json({ ok: true, message: "It takes recordings." }));
  expect(await shown()).toBe("It takes recordings.");
  expect(root.querySelector("#verdict")!.classList.contains("good")).toBe(true);
  page.url = "";
  await drawn(page);
  expect(button.disabled).toBe(true);
});

test.each([
  [Response.json({ ok: false, message: "It refuses the secret." }), "It refuses the secret."],
  [
    Response.json(
      { error: "TooManyRequests", code: "TooOften", parameters: { seconds: 9 } },
      { status: 429 },
    ),
    "9 s",
  ],
  [new Response("<html>", { status: 502 }), "This could not be loaded."],
])("a failure is told in a sentence", async (response, text) => {
  const { root, answers, shown } = await openTest();
  click(root, "button");
  answers[0]!.resolve(response);
  expect(await shown()).toContain(text);
  expect(root.querySelector("#verdict")!.classList.contains("error")).toBe(true);
});

test("a lost network is told, and the test can be repeated", async () => {
  const { root, answers, shown, button } = await openTest();
  click(root, "button");
  answers[0]!.reject(new TypeError("network"));
  expect(await shown()).toBe("This could not be loaded. Please try again.");
  expect(button.disabled).toBe(false);
});

test("a verdict about a URL that has been changed meanwhile is not shown", async () => {
  const { page, root, answers, shown } = await openTest();
  click(root, "button");
  page.url = "https://two.example/";
  answers[0]!.resolve(Response.json({ ok: true, message: "It takes recordings." }));
  expect(await shown()).toBe("");
});
