// The form of the recording policy: what it sends, and what it says of each answer.

import { afterEach, expect, test, vi } from "vitest";
import "../src/admin/policy";
import type { RecordingPolicy } from "../src/admin/policy";
import { settled } from "./fakes";

const POLICY = { consent: "notice", unrecordable: "refuse", retentionDays: 30, hasSecret: true };
type Sent = { etag: string; body: Record<string, unknown> };

const openForm = async (answer: (sent: Sent) => Response, theirs: object = {}) => {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", (_: string, init?: RequestInit) => {
    if (init?.method !== "PUT")
      return Promise.resolve(
        Response.json(sent.length ? { ...POLICY, ...theirs } : POLICY, {
          headers: { ETag: `"${sent.length + 1}"` },
        }),
      );
    const headers = init.headers as Record<string, string>;
    const body = JSON.parse(init.body as string) as Record<string, unknown>;
    sent.push({ etag: headers["If-Match"]!, body });
    return Promise.resolve(answer({ etag: headers["If-Match"]!, body: { ...body } }));
  });
  const form = document.createElement("visavis-policy") as RecordingPolicy;
  document.body.append(form);
  await settled();
  await form.updateComplete;
  const root = form.renderRoot;
  const enter = (id: string, value: string) => {
    const field = root.querySelector<HTMLInputElement>(`#${id}`)!;
    field.value = value;
    field.dispatchEvent(new Event(field.tagName === "SELECT" ? "change" : "input"));
  };
  const submit = async () => {
    root.querySelector("form")!.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    await settled();
    await form.updateComplete;
    return root.querySelector("[aria-live]")!.textContent;
  };
  return { sent, root, enter, submit };
};

afterEach(() => {
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test("what was edited is sent with the tag that was read, and nothing that was not", async () => {
  const { sent, enter, submit } = await openForm(({ body }) =>
    Response.json({ ...POLICY, ...body }, { headers: { ETag: '"9"' } }),
  );
  enter("consent", "agreement");
  enter("retentionDays", " 90 ");
  expect(await submit()).toBe("Saved. The policy applies from the next call.");
  expect(sent).toEqual([{ etag: '"1"', body: { consent: "agreement", retentionDays: 90 } }]);
});

test("an empty period keeps recordings, and a typed secret is sent once", async () => {
  const { sent, enter, submit } = await openForm(({ body }) => {
    delete body["secret"];
    return Response.json({ ...POLICY, ...body }, { headers: { ETag: '"9"' } });
  });
  enter("retentionDays", "");
  enter("secret", "s3cret");
  await submit();
  await submit();
  expect(sent.map(({ body }) => [body["retentionDays"], body["secret"]])).toEqual([
    [null, "s3cret"],
    [undefined, undefined],
  ]);
  expect(sent[1]!.etag).toBe('"9"');
});

test("a wrong field is marked with a sentence", async () => {
  const { root, enter, submit } = await openForm(() =>
    Response.json(
      {
        code: "OptionalNumberInvalid",
        parameters: { least: 1, most: 36500 },
        message: "",
        pointer: "/retentionDays",
      },
      { status: 400 },
    ),
  );
  enter("retentionDays", "soon");
  expect(await submit()).toBe("Not saved. Please check the marked field.");
  expect(root.querySelector("#retentionDays-error")!.textContent).toBe(
    "Enter a whole number from 1 to 36500, or nothing.",
  );
  expect(root.querySelector("#retentionDays")!.getAttribute("aria-invalid")).toBe("true");
});

test("a field that somebody else has changed too is neither overwritten nor lost", async () => {
  const { root, enter, submit } = await openForm(() => Response.json({ message: "" }, { status: 412 }), {
    retentionDays: 14,
  });
  enter("retentionDays", "7");
  expect(await submit()).toContain("Somebody else has also changed: Delete recordings after … days.");
  expect(root.querySelector<HTMLInputElement>("#retentionDays")!.value).toBe("7");
});

test("a dead network is said, and the form can be sent again", async () => {
  const { root, submit } = await openForm(() => {
    throw new TypeError("network");
  });
  expect(await submit()).toBe("This could not be saved. Please try again.");
  expect(root.querySelector<HTMLButtonElement>("button.primary")!.disabled).toBe(false);
});
