// Notice above the sample shop: why there are no call buttons, with links to the pages that change it.

import { mayOpen } from "../shared/pages";
import { readSession } from "../shared/session";

type Available = { isEnabled: boolean; isStaffed: boolean };
type Entry = [string, ...unknown[]];

/** Hide links to pages that the agent may not open. Without a session they stay, as they lead to the sign-in page. */
const hideForbidden = async (): Promise<void> => {
  const session = await readSession();
  if (!session) return;
  for (const link of document.querySelectorAll<HTMLElement>("[data-page]"))
    link.hidden = !mayOpen(link.dataset["page"]!, session);
};

const show = ({ isEnabled, isStaffed }: Available): void => {
  document.querySelector<HTMLElement>("#calls-off")!.hidden = isEnabled;
  document.querySelector<HTMLElement>("#unstaffed")!.hidden = !isEnabled || isStaffed;
  if (!isEnabled || !isStaffed) void hideForbidden();
};

// The widget's script may run before or after this one.
const api = (window as { visavis?: { push: (entry: Entry) => void } }).visavis ?? ([] as Entry[]);
Object.assign(window, { visavis: api });
api.push(["on", "available", show]);
