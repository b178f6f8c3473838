import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "./catalogue";
import { clock, dateTime, megabytes } from "./format";
import { demandSession } from "./session";
import { shared } from "./styles";

type Recording = {
  id: string; callId: string; media: string; visitorName: string; agentName: string;
  startedAt: string; duration: number; size: number; sha256: string;
};

const MOST_APART = 0.05;

/** What was recorded, and a player with both participants on one timeline. */
@customElement("visavis-library")
export class Library extends LitElement {
  static override styles = [
    shared,
    css`
      header { display: flex; gap: 1.5rem; align-items: center; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
      header strong { margin-right: auto; }
      a { color: var(--accent); }
      main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1.25rem; display: grid; gap: 1.25rem; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; width: 100%; }
      th, td { text-align: left; padding: 0.6rem 0.75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
      .sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 0.75rem; }
      figure { margin: 0; } figcaption { color: var(--quiet); }
      video { width: 100%; aspect-ratio: 16 / 9; background: #0c1013; border-radius: 10px; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; margin-top: 0.75rem; }
      input[type="range"] { flex: 1; min-width: 8rem; accent-color: var(--accent); }
      .time { font-variant-numeric: tabular-nums; }
    `,
  ];

  @state() private recordings: Recording[] | undefined;
  @state() private selected: Recording | undefined;
  @state() private isPlaying = false;
  @state() private position = 0;
  @state() private error = "";

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    await demandSession();
    const response = await fetch("/library/recordings");
    const body = (await response.json()) as { recordings: Recording[]; message: string };
    if (response.ok) this.recordings = body.recordings;
    else this.error = body.message ?? t("loadFailed");
  }

  override render() {
    return html`
      <header><strong>Visavis · ${t("library")}</strong><a href="/console">${t("console")}</a><a href="/admin">${t("settings")}</a></header>
      <main>
        ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
        ${this.selected ? this.player(this.selected) : nothing}
        <section class="card">
          <h1>${t("recordings")}</h1>
          ${this.recordings?.length === 0 ? html`<p class="quiet">${t("noRecordings")}</p>` : nothing}
          ${this.recordings?.length ? this.table(this.recordings) : nothing}
        </section>
      </main>
    `;
  }

  private table(recordings: Recording[]) {
    const heads = [t("date"), t("visitor"), t("agent"), t("kind"), t("length"), t("size")];
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("recordings")}>
      <table>
        <thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}<td></td></tr></thead>
        <tbody>
          ${recordings.map(
            (one) => html`<tr>
              <td>${dateTime(one.startedAt)}</td>
              <td>${one.visitorName || t("aVisitor")}</td>
              <td>${one.agentName}</td>
              <td>${t(one.media === "video" ? "videoCall" : "audioCall")}</td>
              <td>${clock(one.duration)}</td>
              <td>${megabytes(one.size)}</td>
              <td><button data-play @click=${() => this.select(one)}>${t("play")}</button></td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  private player(one: Recording) {
    const side = (name: "visitor" | "agent", who: string) => html`<figure>
      <video data-side=${name} playsinline preload="auto" src="/library/recordings/${one.id}/${name}.webm"
        aria-label=${who} @timeupdate=${this.follow} @ended=${() => this.pause()}></video>
      <figcaption>${who}</figcaption>
    </figure>`;
    return html`<section class="card" aria-label=${dateTime(one.startedAt)}>
      <div class="sides">
        ${side("visitor", one.visitorName || t("aVisitor"))} ${side("agent", one.agentName || t("agent"))}
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${t(this.isPlaying ? "pause" : "play")}</button>
        <input type="range" aria-label=${t("position")} min="0" max=${one.duration} step="0.1" .value=${String(this.position)} @input=${this.seek} />
        <span class="time">${clock(this.position)} / ${clock(one.duration)}</span>
        <a href="/library/recordings/${one.id}/original.mkv" download>${t("download")}</a>
      </div>
    </section>`;
  }

  private select(one: Recording): void {
    this.pause();
    this.position = 0;
    this.selected = one;
  }

  private get videos(): HTMLVideoElement[] {
    return [...this.renderRoot.querySelectorAll("video")];
  }

  private async toggle(): Promise<void> {
    if (this.isPlaying) return this.pause();
    this.isPlaying = true;
    try {
      await Promise.all(this.videos.map((video) => video.play()));
    } catch {
      this.error = t("loadFailed");
      this.pause();
    }
  }

  private pause(): void {
    this.isPlaying = false;
    this.videos.forEach((video) => video.pause());
  }

  private seek(event: InputEvent): void {
    this.position = Number((event.target as HTMLInputElement).value);
    this.videos.forEach((video) => (video.currentTime = this.position));
  }

  /** The first picture leads; the other is moved to it when they have drifted apart. */
  private follow(): void {
    const [leader, follower] = this.videos;
    if (!leader || !follower) return;
    this.position = leader.currentTime;
    const apart = Math.abs(leader.currentTime - follower.currentTime);
    if (this.isPlaying && apart > MOST_APART) follower.currentTime = leader.currentTime;
  }
}
