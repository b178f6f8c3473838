import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en-pages";
import { clock, dateTime, fileSize } from "../shared/format";
import { shared } from "../shared/styles";
import type { LibraryPage } from "../generated/rest";
import { search } from "./api";
import type { LibraryRecording } from "../generated/rest";

const PAGE_SIZE = 25;
const LENGTHS: Record<string, [Word, string, string]> = {
  any: ["anyLength", "", ""],
  short: ["underOneMinute", "", "60"],
  middle: ["oneToTenMinutes", "60", "600"],
  long: ["overTenMinutes", "600", ""],
};
const COLUMNS: [Word, string][] = [
  ["date", "startedAt"],
  ["visitor", "visitor"],
  ["agent", "agent"],
  ["kind", ""],
  ["length", "duration"],
  ["size", "size"],
];

/** List of the recordings that the agent may see, with filters, order and pages. Fires `open-recording`. */
@customElement("visavis-recordings")
export class Recordings extends LitElement {
  static override styles = [
    shared,
    css`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.75rem; align-items: end; margin-bottom: 1rem; }
      label { display: grid; gap: 0.25rem; font-size: 0.875rem; color: var(--quiet); }
      input, select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 8px; padding: 0 0.6rem; height: 2.5rem; min-width: 0; width: 100%; }
      .error { margin: 0 0 1rem; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; padding: 0.6rem 0.75rem 0.6rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
      td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
      td.who { overflow-wrap: anywhere; }
      th button { border: 0; background: none; padding: 0; font-weight: 600; border-radius: 4px; white-space: nowrap; }
      tbody tr:hover { background: color-mix(in srgb, var(--accent) 6%, transparent); }
      td:last-child { text-align: right; padding-right: 0; }
      small { display: block; color: var(--quiet); }
      nav { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; justify-content: space-between; margin-top: 1rem; }
      nav p { margin: 0; }
      nav div { display: flex; gap: 0.5rem; }
      .held { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 56rem) {
        table, tbody { display: block; }
        thead { position: absolute; clip-path: inset(50%); }
        tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0.1rem 1rem; padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
        td { border: 0; padding: 0; }
        td:first-child { font-weight: 600; }
        td:last-child { grid-area: 1 / 2 / span 3; align-self: center; }
        td.kind, td.size { display: none; }
      }
    `,
  ];

  @state() private page: LibraryPage | undefined;
  @state() private index = 1;
  @state() private sort = "-startedAt";
  @state() private isFiltered = false;
  @state() private error = "";
  private filters = new URLSearchParams();
  private turn = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.load();
  }

  override render() {
    return html`<section class="card" aria-labelledby="title">
      <h1 id="title">${t("recordings")}</h1>
      ${this.form()}
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      ${this.page ? this.found(this.page) : html`<p class="quiet">${t("loading")}</p>`}
    </section>`;
  }

  private form() {
    const text = (name: string, word: Word) =>
      html`<label>${t(word)}<input name=${name} type="search" maxlength="100" autocomplete="off" /></label>`;
    const day = (name: string, word: Word) =>
      html`<label>${t(word)}<input name=${name} type="date" /></label>`;
    return html`<form @input=${this.filter} @submit=${(event: Event) => event.preventDefault()} @reset=${() => setTimeout(() => this.filter())}>
      ${text("visitor", "visitor")} ${text("agent", "agent")} ${day("from", "from")} ${day("to", "to")}
      <label>${t("length")}<select name="length">${Object.entries(LENGTHS).map(([name, [word]]) => html`<option value=${name}>${t(word)}</option>`)}</select></label>
      <label>${t("kind")}<select name="kind">
        <option value="">${t("every")}</option><option value="video">${t("videoCall")}</option><option value="audio">${t("audioCall")}</option><option value="held">${t("onHold")}</option>
      </select></label>
      ${this.isFiltered ? html`<button type="reset">${t("clearFilters")}</button>` : nothing}
    </form>`;
  }

  private found(page: LibraryPage) {
    if (!page.total)
      return html`<p class="quiet" role="status">${t(this.isFiltered ? "nothingFound" : "noRecordings")}</p>`;
    const first = (this.index - 1) * PAGE_SIZE;
    const last = first + page.recordings.length;
    return html`
      <table>
        <thead><tr>${COLUMNS.map(([word, field]) => this.head(word, field))}<td></td></tr></thead>
        <tbody>${page.recordings.map((one) => this.row(one))}</tbody>
      </table>
      <nav aria-label=${t("pages")}>
        <p class="quiet" role="status">${first + 1}–${last} ${t("of")} ${page.total}${page.isTotalExact ? "" : "+"}</p>
        ${
          page.total > PAGE_SIZE
            ? html`<div>
              <button ?disabled=${this.index === 1} @click=${() => this.turnTo(this.index - 1)}>${t("previous")}</button>
              <button ?disabled=${!page.nextPage} @click=${() => this.turnTo(this.index + 1)}>${t("next")}</button>
            </div>`
            : nothing
        }
      </nav>
    `;
  }

  private head(word: Word, field: string) {
    if (!field) return html`<th scope="col" class=${word}>${t(word)}</th>`;
    const isOrder = this.sort.replace("-", "") === field;
    const order = !isOrder ? "none" : this.sort.startsWith("-") ? "descending" : "ascending";
    const arrow = { none: "", ascending: " ↑", descending: " ↓" }[order];
    return html`<th scope="col" class=${word} aria-sort=${order}>
      <button @click=${() => this.sortBy(field)}>${t(word)}<span aria-hidden="true">${arrow}</span></button>
    </th>`;
  }

  private row(one: LibraryRecording) {
    const open = () => this.dispatchEvent(new CustomEvent("open-recording", { detail: one.id }));
    const name = one.visitorName || t("aVisitor");
    return html`<tr>
      <td class="number">${dateTime(one.startedAt)}${one.isHeld ? html` <span class="badge held">${t("onHold")}</span>` : nothing}${one.missing.length ? html` <span class="badge incomplete">${t("isIncomplete")}</span>` : nothing}</td>
      <td class="who">${name}${one.visitorEmail ? html`<small>${one.visitorEmail}</small>` : nothing}</td>
      <td class="who">${one.agentNames.join(", ")}</td>
      <td class="kind">${t(one.media === "video" ? "videoCall" : "audioCall")}</td>
      <td class="number">${clock(one.duration)}</td>
      <td class="number size">${fileSize(one.size)}</td>
      <td><button data-play @click=${open} aria-description="${name}, ${dateTime(one.startedAt)}">${t("play")}</button></td>
    </tr>`;
  }

  private filter(): void {
    const form = this.renderRoot.querySelector("form");
    if (!form) return;
    const said = Object.fromEntries(new FormData(form)) as Record<string, string>;
    const [, shortest, longest] = LENGTHS[said.length ?? "any"] ?? LENGTHS.any!;
    const kind = said.kind ?? "";
    const wanted = {
      visitor: said.visitor,
      agent: said.agent,
      from: midnight(said.from, 0),
      to: midnight(said.to, 1),
      shortest,
      longest,
      media: kind === "held" ? "" : kind,
      held: kind === "held" ? "true" : "",
    };
    this.filters = new URLSearchParams(
      Object.entries(wanted).filter(([, value]) => value) as [string, string][],
    );
    this.isFiltered = this.filters.size > 0;
    this.turnTo(1);
  }

  private sortBy(field: string): void {
    this.sort = this.sort === `-${field}` ? field : `-${field}`;
    this.turnTo(1);
  }

  private turnTo(index: number): void {
    this.index = index;
    void this.load();
  }

  private async load(): Promise<void> {
    const turn = ++this.turn;
    const query = new URLSearchParams(this.filters);
    for (const [name, value] of [
      ["sort", this.sort],
      ["pageIndex", this.index],
      ["pageSize", PAGE_SIZE],
    ])
      query.set(String(name), String(value));
    try {
      const page = await search(query);
      if (turn !== this.turn) return;
      this.page = page;
      this.error = "";
    } catch (problem) {
      if (turn === this.turn) this.error = (problem as Error).message || t("loadFailed");
    }
  }
}

/** Return the beginning of a day in this time zone, `later` days after it. */
const midnight = (day: string | undefined, later: number): string => {
  if (!day) return "";
  const moment = new Date(`${day}T00:00`);
  moment.setDate(moment.getDate() + later);
  return Number.isNaN(moment.getTime()) ? "" : moment.toISOString();
};
