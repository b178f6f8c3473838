import type { Word } from "./i18n/en-pages";
import type { Permission, SignedIn } from "../generated/rest";

export type PageName = "console" | "library" | "settings" | "restApi" | "";

/** Every page that an agent may open, in the order of the header, with the permission that it needs. */
export const PAGES: [PageName & Word, string, Permission | ""][] = [
  ["console", "/console", "Accept Audio & Video Chats"],
  ["library", "/library", "View Recordings"],
  ["settings", "/admin", "Manage Settings"],
  ["restApi", "/docs", ""],
];

/** Whether a link to the page is of use: it needs no permission, or the agent has it. */
export const mayOpen = (path: string, session: SignedIn | null): boolean => {
  const needed = PAGES.find(([, known]) => known === path)?.[2];
  return !needed || Boolean(session?.permissions.includes(needed));
};
