// Above the sample shop: what keeps the call buttons away, and where that is changed.

import { mayOpen } from "../shared/pages";
import { readSession } from "../shared/session";

type Available = { isEnabled: boolean; isStaffed: boolean };
type Entry = [string, ...unknown[]];

/** Links that lead on, hidden from an agent who may not open the page; to others it is the sign-in. */
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

// The widget's script may have run already, or run later.
const api = (window as { visavis?: { push: (entry: Entry) => void } }).visavis ?? ([] as Entry[]);
Object.assign(window, { visavis: api });
api.push(["on", "available", show]);
