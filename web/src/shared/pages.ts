import type { Word } from "./i18n/en-pages";
import type { Permission, SignedIn } from "../generated/rest";

export type PageName = "console" | "library" | "settings" | "restApi" | "";

/** The pages in the order of the header's links: name, path and the permission that is needed, if any. */
export const PAGES: [PageName & Word, string, Permission | ""][] = [
  ["console", "/console", "Accept Audio & Video Chats"],
  ["library", "/library", "View Recordings"],
  ["settings", "/admin", "Manage Settings"],
  ["restApi", "/docs", ""],
];

/** Whether a page needs no permission, or the agent has the permission that it needs. */
export const mayOpen = (path: string, session: SignedIn | null): boolean => {
  const needed = PAGES.find(([, known]) => known === path)?.[2];
  return !needed || Boolean(session?.permissions.includes(needed));
};
