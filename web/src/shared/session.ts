import type { SignedIn } from "../generated/rest";

/** Milliseconds between two questions to a server that does not answer. */
const ASK_AGAIN_AFTER = 3_000;

/** The agent who is signed in, or null. */
export const readSession = async (): Promise<SignedIn | null> => {
  try {
    const response = await fetch("/session");
    return response.ok ? ((await response.json()) as SignedIn) : null;
  } catch {
    return null; // the server cannot be reached
  }
};

/** Ask once for the session; go to the sign-in page if nobody is signed in. Rejects if the server does not say. */
export const checkSession = async (): Promise<SignedIn> => {
  const response = await fetch("/session");
  if (response.ok) return (await response.json()) as SignedIn;
  if (response.status !== 401) throw new Error(`/session answered ${response.status}`);
  location.assign(`/signin?next=${encodeURIComponent(location.pathname)}`);
  return new Promise(() => {});
};

/** As `checkSession`, but ask again until the server answers; `onAway` is called each time that it does not. */
export const requireSession = async (onAway: () => void = () => undefined): Promise<SignedIn> => {
  for (;;) {
    try {
      return await checkSession();
    } catch {
      onAway();
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_AFTER));
  }
};

/** Sign out and go to the sign-in page. Returns false if the server may still have the session. */
export const signOut = async (): Promise<boolean> => {
  const response = await fetch("/session", { method: "DELETE" }).catch(() => undefined);
  const isSignedOut = response?.ok || response?.status === 401;
  if (isSignedOut) location.assign("/signin");
  return Boolean(isSignedOut);
};
