import { expect, test } from "vitest";
import { merge } from "../src/admin/merge";

const BASE = { isEnabled: true, isRecorded: false, url: "https://a.example/" };

test("different fields never conflict: a colleague's switch stays off", () => {
  const mine = { ...BASE, url: "https://b.example/" };
  const theirs = { ...BASE, isEnabled: false };
  expect(merge(BASE, mine, theirs)).toEqual({ merged: { ...mine, isEnabled: false }, conflicts: [] });
});

test("the same change twice is no conflict", () => {
  const both = { ...BASE, isEnabled: false };
  expect(merge(BASE, both, both)).toEqual({ merged: both, conflicts: [] });
});

test("one field with two new values is a conflict, and the others merge", () => {
  const mine = { ...BASE, isRecorded: true, url: "https://b.example/" };
  const theirs = { ...BASE, isEnabled: false, url: "https://c.example/" };
  expect(merge(BASE, mine, theirs)).toEqual({
    merged: { isEnabled: false, isRecorded: true, url: "https://b.example/" },
    conflicts: ["url"],
  });
});

test("a value set back to what it was is no change", () => {
  const theirs = { ...BASE, isEnabled: false };
  expect(merge(BASE, { ...BASE }, theirs)).toEqual({ merged: theirs, conflicts: [] });
});
