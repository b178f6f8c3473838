export type Session = {
  agentName: string;
  email: string;
  siteId: number;
  isAdministrator: boolean;
  permissions: string[];
  /** Peers that send X-Forwarded-For and are not in trusted_proxies; for administrators. */
  unlistedProxies: string[];
};

/** The agent who is signed in, or null. */
export const readSession = async (): Promise<Session | null> => {
  try {
    const response = await fetch("/session");
    return response.ok ? ((await response.json()) as Session) : null;
  } catch {
    return null; // the server is away
  }
};

/** Return the session; go to the sign-in page if nobody is signed in. */
export const requireSession = async (): Promise<Session> => {
  const response = await fetch("/session");
  if (response.ok) return (await response.json()) as Session;
  location.assign(`/signin?next=${encodeURIComponent(location.pathname)}`);
  return new Promise(() => {});
};

export const signOut = async (): Promise<void> => {
  await fetch("/session", { method: "DELETE" });
  location.assign("/signin");
};
