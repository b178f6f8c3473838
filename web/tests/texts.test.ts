// Every text comes from the catalogue, in the right number, in scripts and in the pages' HTML.

import { expect, test } from "vitest";
import { counted, t } from "../src/shared/i18n/en-pages";
import { fill } from "../src/html-texts";

const pages = import.meta.glob<string>("../*.html", { query: "?raw", import: "default", eager: true });

/** The shop that the demo shows is somebody else's page; its notices are ours. */
const textOf = (name: string, source: string): string => {
  const page = new DOMParser().parseFromString(source, "text/html");
  const isShop = name.endsWith("demo.html");
  const ours = isShop ? page.querySelector('[role="status"]')! : page.body;
  for (const script of ours.querySelectorAll("script")) script.remove();
  return `${isShop ? "" : page.title} ${ours.textContent}`;
};

test.each(Object.entries(pages))("%s has no text of its own but the product's name", (name, source) => {
  const own = textOf(name, source).replace(/\{\{\w+\}\}|\$\w+/g, "");
  expect(own.replaceAll("Visavis", "").replaceAll("·", "").trim()).toBe("");
});

test("a page's HTML is filled from the catalogue, and a wrong word fails the build", () => {
  expect(fill("<h1>{{pageNotFound}}</h1>")).toBe("<h1>Page not found</h1>");
  expect(() => fill("{{noSuchWord}}")).toThrow("noSuchWord");
});

test("one and several read right", () => {
  expect(counted(1, "missingOne", "missingMany")).toBe(
    "1 call of the last 30 days has not been delivered yet.",
  );
  expect(counted(2, "missingOne", "missingMany")).toBe(
    "2 calls of the last 30 days have not been delivered yet.",
  );
  expect(counted(1, "callerWaits", "callersWait")).toBe("1 caller is waiting in the queue.");
});

test("measurements, actions and periods are named as a support team would name them", () => {
  expect([t("lossSent"), t("lossReceived")]).toEqual(["Packet loss, sent", "Packet loss, received"]);
  expect(t("compose")).toBe("Create MP4");
  expect(t("retention")).toBe("Delete recordings after … days");
  expect(t("retentionHelp")).toMatch(/^Leave empty to keep them\./);
});
