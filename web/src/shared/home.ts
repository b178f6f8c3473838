import "./page-header";
import type { PageHeader } from "./page-header";
import { mayOpen } from "./pages";
import { readSession } from "./session";

// The first page and the page of an unknown address: without a session every card is shown, for each
// leads to the sign-in; an agent sees the cards of the pages that they may open.
const session = await readSession();
document.querySelector<PageHeader>("visavis-header")!.session = session;
for (const link of document.querySelectorAll<HTMLAnchorElement>(".cards a"))
  link.closest("li")!.hidden = Boolean(session) && !mayOpen(link.pathname, session);
