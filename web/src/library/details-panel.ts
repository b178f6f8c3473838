import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en-pages";
import { clock } from "../shared/format";
import { shared } from "../shared/styles";
import type { Quality } from "./api";
import type { LibraryChapter, LibraryContents, LibraryEvent } from "../generated/rest";

const AHEAD = 0.2; // seconds by which a line counts as current before its time

/** Panel of a recording's chapters, chat and connection quality. Fires `seek`. */
@customElement("visavis-details-panel")
export class DetailsPanel extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; gap: 1.25rem; align-content: start; }
      ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.25rem; max-height: 22rem; overflow-y: auto; scroll-behavior: smooth; }
      li > button { display: grid; grid-template-columns: 3.5rem 1fr; gap: 0.5rem; width: 100%; text-align: left; padding: 0.4rem 0.5rem; border: 0; border-radius: 8px; background: none; font-weight: 400; align-items: baseline; }
      li > button:hover { background: color-mix(in srgb, var(--accent) 8%, transparent); }
      li > button[aria-current="true"] { background: color-mix(in srgb, var(--accent) 14%, transparent); }
      time { color: var(--quiet); font-variant-numeric: tabular-nums; font-size: 0.875rem; }
      .text { overflow-wrap: anywhere; white-space: pre-wrap; }
      .text b { display: block; font-size: 0.875rem; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; padding: 0.3rem 0.5rem 0.3rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
      thead th { font-weight: 600; }
      td { font-variant-numeric: tabular-nums; }
      section:empty { display: none; }
      @media (prefers-reduced-motion: reduce) { ol { scroll-behavior: auto; } }
    `,
  ];

  @property({ attribute: false }) contents: LibraryContents | undefined;
  @property({ attribute: false }) names: Record<string, string> = {};
  @property({ type: Number }) position = 0;

  override render() {
    if (!this.contents) return nothing;
    const { chapters, texts, quality } = this.contents;
    return html`
      <section class="card" aria-labelledby="texts-title">
        <h2 id="texts-title">${t("conversation")}</h2>
        ${texts.length ? html`<ol id="texts">${texts.map((one) => this.text(one, texts))}</ol>` : html`<p class="quiet">${t("noTexts")}</p>`}
      </section>
      ${
        chapters.length
          ? html`<section class="card" aria-labelledby="chapters-title">
            <h2 id="chapters-title">${t("chapters")}</h2>
            <ol id="chapters">${chapters.map((one) => this.chapter(one, chapters))}</ol>
          </section>`
          : nothing
      }
      ${Object.keys(quality).length ? this.quality(quality as Quality) : nothing}
    `;
  }

  private text(one: LibraryEvent, all: LibraryEvent[]) {
    const said = html`<span class="text"><b>${this.names[one.by] ?? one.by}</b>${one.data.text ?? ""}</span>`;
    return this.line(one.at, this.isNow(one, all), said);
  }

  private chapter(one: LibraryChapter, all: LibraryChapter[]) {
    return this.line(one.at, this.isNow(one, all), html`<span class="text">${one.title}</span>`);
  }

  private line(at: number, isNow: boolean, content: unknown) {
    const seek = () => this.dispatchEvent(new CustomEvent("seek", { detail: at }));
    return html`<li><button aria-current=${isNow ? "true" : "false"} @click=${seek}><time>${clock(at)}</time>${content}</button></li>`;
  }

  private isNow<T extends { at: number }>(one: T, all: T[]): boolean {
    return one === all.findLast((other) => other.at <= this.position + AHEAD);
  }

  private quality(quality: Quality) {
    const sides = ["visitor", "agent"].filter((side) => quality[side]);
    const row = (word: Word, tell: (of: Record<string, number | null>) => string) =>
      html`<tr><th scope="row">${t(word)}</th>${sides.map((side) => html`<td>${tell(quality[side] ?? {})}</td>`)}</tr>`;
    return html`<section class="card" aria-labelledby="quality-title">
      <h2 id="quality-title">${t("quality")}</h2>
      <table>
        <thead><tr><td></td>${sides.map((side) => html`<th scope="col">${t(side as Word)}</th>`)}</tr></thead>
        <tbody>
          ${row("heardAs", (of) => (typeof of.mos === "number" ? `${t(grade(of.mos))} (${of.mos.toFixed(1)})` : "–"))}
          ${row("lossSent", (of) => percent(of.lossIn))} ${row("lossReceived", (of) => percent(of.lossOut))}
          ${row("roundTrip", (of) => milliseconds(of.roundTrip))} ${row("jitter", (of) => milliseconds(of.jitter))}
        </tbody>
      </table>
    </section>`;
  }

  /** Scroll the lists to the current line, without moving the page or the focus. */
  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("position")) return;
    for (const list of this.renderRoot.querySelectorAll("ol")) {
      const now = list.querySelector<HTMLElement>('[aria-current="true"]');
      if (!now || list.matches(":hover, :focus-within") || list.dataset.now === now.textContent) continue;
      list.dataset.now = now.textContent ?? "";
      list.scrollTop = now.offsetTop - list.offsetTop - list.clientHeight / 2;
    }
  }
}

const grade = (mos: number): Word => (mos >= 4 ? "good" : mos >= 3.1 ? "fair" : "poor");

const percent = (share: number | null | undefined): string =>
  typeof share === "number" ? `${(100 * share).toFixed(1)} %` : "–";

const milliseconds = (value: number | null | undefined): string =>
  typeof value === "number" ? `${Math.round(value)} ms` : "–";
