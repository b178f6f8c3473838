// Switches Audio & Video Chat on and lists the latest calls, over the REST API.
//
//   npm install openapi-fetch openapi-typescript typescript
//   npx openapi-typescript http://127.0.0.1:8080/v4/openapi.json --output api.d.ts
//   npx tsc --strict --target es2022 --module nodenext rest_client.ts
//   node rest_client.js http://127.0.0.1:8080 TOKEN
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { argv: string[] };
const [, , baseUrl = "", token = ""] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const CONFIG = "/v4/livechat/audioVideoChatConfig";

/** Switches calls on. If-Match makes the change fail if another administrator was faster. */
const enable = async (): Promise<boolean> => {
  const before = await client.GET(CONFIG);
  if (!before.data) throw new Error(before.error?.message);
  const etag = before.response.headers.get("etag") ?? "";
  const { data, error } = await client.PUT(CONFIG, {
    params: { header: { "If-Match": etag } },
    body: { ...before.data, isEnabled: true },
  });
  if (!data) throw new Error(error?.message);
  return data.isEnabled;
};

console.log("enabled:", await enable());
const { data, error } = await client.GET("/v4/livechat/audioVideoChats", {
  params: { query: { state: ["ended"], pageSize: 5 } },
});
if (!data) throw new Error(error?.message);
console.log("ended calls:", data.total);
for (const call of data.audioVideoChats) console.log(call.createTime, call.reason, call.visitorName);
