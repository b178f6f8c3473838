import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "./i18n/en-pages";
import { mark } from "./mark";
import { mayOpen, type PageName, PAGES } from "./pages";
import type { SignedIn } from "../generated/rest";
import { signOut } from "./session";
import { shared } from "./styles";

/** Header of every page: the mark, links to the pages that the agent may open, the agent and the sign-out. */
@customElement("visavis-header")
export class PageHeader extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; }
      header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; padding: 0.5rem clamp(0.75rem, 3vw, 1.25rem); min-height: 3.75rem; border-bottom: 1px solid var(--line); background: var(--card); }
      .brand { display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 650; color: var(--ink); text-decoration: none; min-height: 2.75rem; }
      nav { display: flex; flex-wrap: wrap; gap: 0 0.25rem; }
      slot { display: block; margin-inline-start: auto; }
      nav a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: 0 0.6rem; color: var(--quiet); text-decoration: none; font-weight: 600; border-radius: 8px; }
      nav a:hover { color: var(--accent); }
      nav a[aria-current] { color: var(--ink); box-shadow: inset 0 -3px 0 var(--accent); border-radius: 0; }
      .name { max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      a.button { font-weight: 600; color: var(--accent); display: inline-flex; align-items: center; min-height: 2.75rem; }
      @media (max-width: 60rem) {
        .name { max-width: 7rem; }
        header { column-gap: 0.75rem; }
        .brand { margin-inline-end: auto; }
        nav { order: 3; flex: 1 0 100%; flex-wrap: nowrap; overflow-x: auto; margin: 0 -0.6rem; }
        nav a { flex: none; }
        nav:empty { display: none; }
      }
      @media (max-width: 40rem) { nav { margin: 0 -0.4rem; } nav a { padding: 0 0.4rem; font-size: 0.95rem; } }
      @media (max-width: 26rem) { .short .brand span { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } nav a { padding: 0 0.3rem; font-size: 0.875rem; } header { column-gap: 0.5rem; } .name { max-width: 4.5rem; } button { padding: 0 0.25rem; border-color: transparent; background: none; font-size: 0.9rem; } }
      @media (max-width: 22rem) { .short { column-gap: 0.25rem; padding: 0.5rem; } .name { max-width: 3rem; font-size: 0.9rem; } }
      @media (forced-colors: active) { nav a[aria-current] { border-bottom: 3px solid Highlight; } }
    `,
  ];

  @property() current: PageName = "";
  /** The agent who is signed in; null if nobody is, on a page that anybody may read. */
  @property({ attribute: false }) session: SignedIn | null = null;
  /** Whether the header links to no other page: in an archive that runs alone, and for a link to one call. */
  @property({ type: Boolean }) alone = false;
  @state() private hasFailed = false;

  override render() {
    const brand = html`${mark(28)}<span>Visavis</span>`;
    return html`<header class=${this.session ? "short" : ""}>
      ${this.alone ? html`<span class="brand">${brand}</span>` : html`<a class="brand" href="/">${brand}</a>`}
      ${this.alone ? nothing : html`<nav aria-label="Visavis">${this.links()}</nav>`}
      <slot></slot>
      ${this.person()}
    </header>`;
  }

  private links() {
    return PAGES.filter(([, path]) => mayOpen(path, this.session)).map(
      ([page, path]) =>
        html`<a href=${path} aria-current=${page === this.current ? "page" : nothing}>${t(page)}</a>`,
    );
  }

  private person() {
    if (this.session)
      return html`<a class="quiet name" href="/profile" title=${t("yourAccount")}>${this.session.agentName}</a>
        <button @click=${this.signOut}>${t("signOut")}</button>
        ${this.hasFailed ? html`<span class="error" role="alert">${t("signOutFailed")}</span>` : nothing}`;
    if (this.alone) return nothing;
    return html`<a class="button" href="/signin?next=${encodeURIComponent(location.pathname)}">${t("signIn")}</a>`;
  }

  private readonly signOut = async (): Promise<void> => {
    this.hasFailed = false;
    this.hasFailed = !(await signOut());
  };
}
