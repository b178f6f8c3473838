// Pages of one kind are equally wide: lists and calls, and forms.

import { expect, test } from "vitest";

const sources = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });
const width = (file: string) => /main \{ max-width: var\((--[\w-]+)\)/.exec(sources[`../src/${file}`]!)?.[1];

test.each([
  ["admin/admin.ts", "--form-width"],
  ["agent/profile.ts", "--form-width"],
  ["agent/console-styles.ts", "--page-width"],
  ["library/library.ts", "--page-width"],
])("the content of %s is as wide as that of other pages of its kind", (file, name) => {
  expect(width(file)).toBe(name);
});
