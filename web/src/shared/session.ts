import type { SignedIn } from "../generated/rest";

/** The agent who is signed in, or null. */
export const readSession = async (): Promise<SignedIn | null> => {
  try {
    const response = await fetch("/session");
    return response.ok ? ((await response.json()) as SignedIn) : null;
  } catch {
    return null; // the server is away
  }
};

/** Return the session; go to the sign-in page if nobody is signed in. */
export const requireSession = async (): Promise<SignedIn> => {
  const response = await fetch("/session");
  if (response.ok) return (await response.json()) as SignedIn;
  location.assign(`/signin?next=${encodeURIComponent(location.pathname)}`);
  return new Promise(() => {});
};

export const signOut = async (): Promise<void> => {
  await fetch("/session", { method: "DELETE" });
  location.assign("/signin");
};
