import { afterEach, expect, test, vi } from "vitest";
import "../src/admin/admin";

const SESSION = {
  agentName: "Ada",
  email: "ada@example.com",
  siteId: 1,
  isAdministrator: true,
  permissions: ["Manage Settings"],
  unlistedProxies: [],
};
const CONFIG = {
  isEnabled: true,
  isAutomaticallyRecordingAudioVideoChatsEnabled: true,
  recordingServerUrl: "https://one.example/files/",
};
const REFUSAL = {
  error: "ParameterMissing",
  message: "Give the secret of the new server.",
  pointer: "/recordingServerSecret",
};

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the settings page asks for the secret again when the server has changed", async () => {
  const sent: Record<string, unknown>[] = [];
  const resource = (init?: RequestInit): Response => {
    if (init?.method !== "PUT") return Response.json(CONFIG, { headers: { ETag: '"1"' } });
    const body = JSON.parse(init.body as string) as Record<string, unknown>;
    sent.push(body);
    return "recordingServerSecret" in body
      ? Response.json({ ...CONFIG, ...body, recordingServerSecret: undefined }, { headers: { ETag: '"2"' } })
      : Response.json(REFUSAL, { status: 400 });
  };
  vi.stubGlobal("fetch", (url: string, init?: RequestInit): Promise<Response> => {
    if (url === "/session") return Promise.resolve(Response.json(SESSION));
    if (url.endsWith("audioVideoChatConfig")) return Promise.resolve(resource(init));
    return new Promise(() => {});
  });
  const streams: EventTarget[] = [];
  vi.stubGlobal(
    "EventSource",
    class extends EventTarget {
      constructor() {
        super();
        streams.push(this);
      }
      close(): void {}
    },
  );
  const page = document.createElement("visavis-admin");
  document.body.append(page);
  const root = (): ShadowRoot => page.shadowRoot as ShadowRoot;
  await vi.waitFor(() => expect(streams.length).toBeGreaterThan(0));
  const data = JSON.stringify({ config: CONFIG, etag: '"1"' });
  for (const stream of streams) stream.dispatchEvent(new MessageEvent("config", { data }));
  const url = await vi.waitFor(() => {
    const found = root().querySelector<HTMLInputElement>("#recordingServerUrl");
    expect(found).toBeTruthy();
    return found as HTMLInputElement;
  });
  expect(root().querySelector("#newServerSecret")).toBeNull();
  url.value = "https://two.example/files/";
  url.dispatchEvent(new Event("input", { bubbles: true }));
  const form = url.closest("form") as HTMLFormElement;
  await vi.waitFor(() => {
    form.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
    expect(root().querySelector("#newServerSecret")).toBeTruthy();
  });
  expect(sent[0]).not.toHaveProperty("recordingServerSecret");
  const secret = root().querySelector("#newServerSecret") as HTMLInputElement;
  secret.value = "theirs";
  secret.dispatchEvent(new Event("input", { bubbles: true }));
  form.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
  await vi.waitFor(() =>
    expect(sent.at(-1)).toMatchObject({
      recordingServerUrl: "https://two.example/files/",
      recordingServerSecret: "theirs",
    }),
  );
  await vi.waitFor(() => expect(root().querySelector("#newServerSecret")).toBeNull());
  page.remove();
}, 30_000);
