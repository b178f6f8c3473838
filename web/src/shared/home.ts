import "./page-header";
import type { PageHeader } from "./page-header";
import { mayOpen } from "./pages";
import { readSession } from "./session";

// The start page and the page "not found". Without a session every card is shown, because each leads to the
// sign-in page; an agent sees only the cards of the pages that they may open.
const session = await readSession();
document.querySelector<PageHeader>("visavis-header")!.session = session;
for (const link of document.querySelectorAll<HTMLAnchorElement>(".cards a"))
  link.closest("li")!.hidden = Boolean(session) && !mayOpen(link.pathname, session);
