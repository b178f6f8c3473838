import { expect, test } from "vitest";
import { correct } from "../src/admin/docs-semantics";

test("fields of the API description are named, and what has no name of its own is no region", () => {
  document.body.innerHTML = `
    <select id="servers"></select>
    <table class="responses-table" role="region"></table>
    <table><tr data-param-name="state"><td><select></select></td></tr></table>
    <h3 class="opblock-tag"></h3>`;
  correct(document);
  correct(document);
  const attribute = (selector: string, name: string) => document.querySelector(selector)!.getAttribute(name);
  expect(attribute("#servers", "aria-label")).toBe("Server");
  expect(attribute("td select", "aria-label")).toBe("state");
  expect(attribute(".responses-table", "role")).toBeNull();
  expect(attribute("h3", "aria-level")).toBe("2");
});
