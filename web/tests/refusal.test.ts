import { expect, test } from "vitest";
import { errors } from "../src/shared/i18n/en-errors";
import { visitorErrors } from "../src/shared/i18n/en-visitor-errors";
import { sentenceOf } from "../src/shared/refusal";

test("an error has the catalogue's sentence with its parameters", () => {
  const refusal = { error: "TooManyRequests", code: "CallPause", parameters: { seconds: 7 } };
  expect(sentenceOf(visitorErrors, refusal)).toBe("Please wait 7 s before you call again.");
});

test("an error without a sentence of its own has that of its kind, or a general one", () => {
  const kind = { error: "CallNotPossible", code: "SomethingNew" };
  expect(sentenceOf(errors, kind)).toBe(errors.CallNotPossible);
  expect(sentenceOf(errors, { error: "New", code: "New" })).toBe(errors.InternalError);
  expect(sentenceOf(errors, {})).toBe(errors.InternalError);
});
