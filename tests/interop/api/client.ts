// openapi-fetch on the types that openapi-typescript makes of our description.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
const [, , baseUrl = "", token = "", callId = ""] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const CONFIG = "/v4/livechat/audioVideoChatConfig";

const check = (isTrue: boolean, what: string): void => {
  if (!isTrue) throw new Error(what);
};

// Changes with If-Match: one that is too late is refused, with a problem that has types
const before = await client.GET(CONFIG);
const tag = before.response.headers.get("etag") ?? "";
const body: components["schemas"]["ConfigChange"] = {
  recordingServerUrl: "http://google.com",
  isEnabled: true,
};
const headers = { "If-Match": tag };
const changed = await client.PUT(CONFIG, { params: { header: headers }, body });
check(changed.data?.isEnabled === true, "the configuration was not changed");
const late = await client.PUT(CONFIG, { params: { header: headers }, body });
const code: components["schemas"]["Problem"]["error"] | undefined = late.error?.error;
check(code === "PreconditionFailed", `a late change was answered ${code}`);
const disabled = await client.POST(`${CONFIG}:disable`);
check(disabled.data?.isEnabled === false, ":disable did not disable");
const unchanged = await client.GET(CONFIG, {
  params: { header: { "If-None-Match": disabled.response.headers.get("etag") ?? "" } },
});
check(unchanged.response.status === 304, "If-None-Match was not honoured");

// Array filters: the union of their values, and pages
const list = async (query: paths["/v4/livechat/audioVideoChats"]["get"]["parameters"]["query"]) => {
  const { data, error } = await client.GET("/v4/livechat/audioVideoChats", { params: { query } });
  if (!data) throw new Error(error?.message);
  return data;
};
const both = await list({ state: ["requested", "ended"], pageSize: 1 });
check(both.total === 2 && both.nextPage !== "", `${both.total} calls in one of two states`);
const ended = await list({ state: ["ended"], reason: ["hungUp", "missed"] });
check(ended.total === 1, `${ended.total} ended calls`);
const recording: components["schemas"]["RecordingState"] | null | undefined =
  ended.audioVideoChats[0]?.recordingState;
check(recording === null, `a recording ${recording}`);
const state: components["schemas"]["CallState"] | undefined = ended.audioVideoChats[0]?.state;
check(state === "ended", `state ${state}`);

// An open object keeps its keys
const call = await client.GET("/v4/livechat/audioVideoChats/{id}", {
  params: { path: { id: callId } },
});
for (const { name, data } of call.data?.events ?? []) {
  const value: unknown = (data as Record<string, unknown>)["side"];
  check(value === undefined || name !== "requested", "data");
}
check((call.data?.events.length ?? 0) > 0, "the call has no events");
const missing = await client.GET("/v4/livechat/audioVideoChats/{id}", {
  params: { path: { id: "0" } },
});
check(missing.error?.error === "EntityNotFound", "an unknown id is not told");

// The library and the audit log
const library = await client.GET("/library/recordings", { params: { query: { sort: "-size" } } });
check(Array.isArray(library.data?.recordings), "the library has no list");
const audit = await client.GET("/v4/global/auditLogs", { params: { query: { pageSize: 1 } } });
const action: string | undefined = audit.data?.auditLogs[0]?.actionType;
check(action === "audioAndVideoChatManagement", `action ${action}`);
console.log("done");
