// Above the sample shop: what keeps the call buttons away, and where that is changed.

export {};

type Available = { isEnabled: boolean; isStaffed: boolean };
type Entry = [string, ...unknown[]];

const show = ({ isEnabled, isStaffed }: Available): void => {
  document.querySelector<HTMLElement>("#calls-off")!.hidden = isEnabled;
  document.querySelector<HTMLElement>("#unstaffed")!.hidden = !isEnabled || isStaffed;
};

// The widget's script may have run already, or run later.
const api = (window as { visavis?: { push: (entry: Entry) => void } }).visavis ?? ([] as Entry[]);
Object.assign(window, { visavis: api });
api.push(["on", "available", show]);
