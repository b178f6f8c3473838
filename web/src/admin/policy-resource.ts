// REST resource of the site's settings that two forms change: the recording policy and the limits of calls.

import type { Problem, RecordingPolicyChange, RecordingPolicySettings } from "../generated/rest";

const RESOURCE = "/v4/livechat/recordingPolicy";
/** Attempts to save while others save at the same time. */
const MAX_ATTEMPTS = 5;

export type SavedPolicy = { policy: RecordingPolicySettings; etag: string };
export type Outcome = { saved?: SavedPolicy; problem?: Problem; conflicts?: string[] };

const savedOf = async (response: Response): Promise<SavedPolicy> => ({
  policy: (await response.json()) as RecordingPolicySettings,
  etag: response.headers.get("ETag") ?? "",
});

export const readPolicy = async (): Promise<SavedPolicy | undefined> => {
  const response = await fetch(RESOURCE);
  return response.ok ? savedOf(response) : undefined;
};

const valueOf = (policy: RecordingPolicySettings, field: string): unknown =>
  field === "secret" ? policy.hasSecret : policy[field as keyof RecordingPolicySettings];

/** Return the fields that somebody else has changed since `base`, to other values than this page's. */
const conflictsOf = (change: RecordingPolicyChange, base: SavedPolicy, theirs: SavedPolicy): string[] =>
  Object.entries(change)
    .filter(([field, mine]) => {
      const value = valueOf(theirs.policy, field);
      return value !== valueOf(base.policy, field) && value !== mine;
    })
    .map(([field]) => field);

/**
 * Save the changed fields, even if somebody else has changed other fields since `base`.
 *
 * If somebody else has changed the same fields, save nothing and return these as `conflicts`.
 */
export const savePolicy = async (base: SavedPolicy, change: RecordingPolicyChange): Promise<Outcome> => {
  let current = base;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const headers = { "Content-Type": "application/json", "If-Match": current.etag };
    const response = await fetch(RESOURCE, { method: "PUT", headers, body: JSON.stringify(change) });
    if (response.ok) return { saved: await savedOf(response) };
    if (response.status !== 412) return { problem: (await response.json()) as Problem };
    const theirs = await readPolicy();
    if (!theirs) break;
    const conflicts = conflictsOf(change, base, theirs);
    if (conflicts.length) return { saved: theirs, conflicts };
    current = theirs;
  }
  throw new Error("the policy could not be saved");
};
