// Keyboard focus of the viewer's dialogue "Authorizations".

const FOCUSABLE = "a[href], button:not(:disabled), input, select, textarea";

/** Gives the viewer's dialogue its role and the focus, keeps the focus inside, and closes it with Escape. */
export class DialogueFocus {
  private dialogue: Element | null = null;

  constructor() {
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Call after each change of the document. */
  follow(): void {
    const shown = document.querySelector(".dialog-ux .modal-ux");
    if (shown === this.dialogue) return;
    this.dialogue = shown;
    shown?.setAttribute("role", "dialog");
    shown?.setAttribute("aria-modal", "true");
    shown?.setAttribute("aria-label", "Authorizations");
    const field = shown?.querySelector<HTMLElement>("input") ?? shown?.querySelector<HTMLElement>(FOCUSABLE);
    field?.focus();
  }

  private onKey(event: KeyboardEvent): void {
    if (!this.dialogue) return;
    if (event.key === "Escape") {
      this.dialogue.querySelector<HTMLButtonElement>(".close-modal")?.click();
      document.querySelector<HTMLButtonElement>(".auth-wrapper > .authorize")?.focus();
    }
    if (event.key !== "Tab") return;
    const all = [...this.dialogue.querySelectorAll<HTMLElement>(FOCUSABLE)];
    const [from, to] = event.shiftKey ? [all[0], all.at(-1)] : [all.at(-1), all[0]];
    if (document.activeElement !== from) return;
    event.preventDefault();
    to?.focus();
  }
}
