import "./page-header";
import { PAGES, type PageHeader } from "./page-header";
import { readSession } from "./session";

// The first page and the page of an unknown address: without a session every card is shown, for each
// leads to the sign-in; an agent sees the cards of the pages that they may open.
const session = await readSession();
document.querySelector<PageHeader>("visavis-header")!.session = session;
for (const [, path, needed] of PAGES) {
  const card = document.querySelector<HTMLElement>(`.cards a[href="${path}"]`)?.closest("li");
  if (card && session && needed) card.hidden = !session.permissions.includes(needed);
}
