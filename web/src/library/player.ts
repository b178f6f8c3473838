import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { t, type Word } from "../shared/i18n/en-pages";
import { clock } from "../shared/format";
import { shared } from "../shared/styles";
import type { OpenRecording } from "./api";
import type { LibraryChapter, LibraryPart, LibraryParticipant } from "../generated/rest";
import { PlaybackSync } from "./playback-sync";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const STEP = 5;
const MEDIA_ERR_NETWORK = 2; // a code of MediaError
const LINGER = 1; // seconds for which the last picture stays after a track has paused

/** Player of a recording: both participants side by side and their shared screens. Fires `position`. */
@customElement("visavis-player")
export class Player extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; }
      .stage { display: grid; gap: 0.5rem; }
      .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem; }
      .sides.alone { grid-template-columns: 1fr; }
      figure { margin: 0; position: relative; aspect-ratio: 16 / 9; border-radius: 10px; overflow: hidden; background: #0c1013; color: #e8ecef; }
      .sound figure { aspect-ratio: auto; height: clamp(7rem, 22vw, 11rem); }
      .screen { grid-row: 1; }
      .with-screen .sides { max-width: 26rem; justify-self: center; width: 100%; }
      video { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; background: #0c1013; }
      video[data-dark] { visibility: hidden; }
      .nobody { position: absolute; inset: 0; display: grid; place-items: center; }
      .nobody span { width: 4.5rem; height: 4.5rem; max-height: 55%; border-radius: 50%; display: grid; place-items: center; background: #2b3844; font-size: 1.75rem; font-weight: 600; }
      .with-screen .nobody span { width: 2.75rem; height: 2.75rem; font-size: 1.1rem; }
      figcaption { position: absolute; inset: auto 0 0 0; display: flex; align-items: end; justify-content: space-between; gap: 0.5rem; padding: 0.5rem; font-size: 0.875rem; }
      figcaption > span { padding: 0.15rem 0.6rem; border-radius: 0.8rem; background: rgb(0 0 0 / 0.6); overflow-wrap: anywhere; }
      figcaption button { flex: none; padding: 0.15rem 0.6rem; font-size: 0.8rem; background: rgb(0 0 0 / 0.6); border-color: rgb(255 255 255 / 0.4); color: #fff; }
      figcaption button[aria-pressed="true"] { background: #fff; color: #17202a; }
      .line { position: relative; margin-top: 0.75rem; }
      input[type="range"] { width: 100%; margin: 0; height: 1.75rem; accent-color: var(--accent); cursor: pointer; }
      .marks { position: absolute; inset: auto 8px 0 8px; height: 0.45rem; pointer-events: none; }
      .marks i { position: absolute; width: 3px; height: 100%; margin-left: -1.5px; border-radius: 2px; background: var(--quiet); }
      @media (forced-colors: active) { .marks i { forced-color-adjust: none; background: CanvasText; } }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; margin-top: 0.5rem; }
      .time { font-variant-numeric: tabular-nums; }
      .bar label { margin-left: auto; display: flex; gap: 0.5rem; align-items: center; color: var(--quiet); }
      select { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--quiet); border-radius: 8px; padding: 0.35rem 0.5rem; }
      select:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
      #play { min-width: 6.5rem; }
      .hint { margin: 0.5rem 0 0; font-size: 0.85rem; }
      @media (max-width: 34rem) { .sides { grid-template-columns: minmax(0, 1fr); } .with-screen .sides { grid-template-columns: 1fr 1fr; } }
      @media (hover: none) { .hint { display: none; } }
    `,
  ];

  @property({ attribute: false }) opened: OpenRecording | undefined;
  @property({ attribute: false }) names: Record<string, string> = {};
  @property({ attribute: false }) participants: LibraryParticipant[] = [];
  @property({ attribute: false }) chapters: LibraryChapter[] = [];
  @property({ type: Number }) duration = 0;
  @property({ type: Number }) start = 0;
  @query("#position") private slider!: HTMLInputElement;
  @state() private parts: LibraryPart[] | undefined;
  @state() private position = 0;
  @state() private muted: ReadonlySet<string> = new Set();
  @state() private error = "";
  readonly playbackSync = new PlaybackSync();
  private frame = 0;

  constructor() {
    super();
    this.playbackSync.addEventListener("change", () => this.show());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("keydown", this.key);
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("keydown", this.key);
    this.playbackSync.release();
  }

  override render() {
    if (this.error) return html`<p class="error" role="alert">${this.error}</p>`;
    if (!this.parts) return html`<p class="quiet" role="status">${t("preparing")}</p>`;
    const screens = this.parts.filter((part) => part.kind === "screen");
    const isShared = screens.some((part) => isSeen(part, this.position));
    const places = [...new Set(this.parts.map(placeOf))];
    const hasPictures = this.parts.some((part) => part.kind !== "audio");
    return html`
      <div class="stage ${isShared ? "with-screen" : ""} ${hasPictures ? "" : "sound"}">
        ${screens.length ? this.screen(screens, isShared) : nothing}
        <div class="sides ${places.length === 1 ? "alone" : ""}">${places.map((place) => this.place(place))}</div>
      </div>
      <div class="line">
        <input id="position" type="range" min="0" max=${this.duration} step="any" aria-label=${t("position")}
          aria-valuetext="${clock(this.position)} ${t("of")} ${clock(this.duration)}" .value=${live(String(this.position))} @input=${this.drag} />
        <div class="marks" aria-hidden="true">
          ${this.chapters.map((one) => html`<i .style=${`left: ${(100 * one.at) / (this.duration || 1)}%`} title=${one.title}></i>`)}
        </div>
      </div>
      <div class="bar">
        <button class="primary" id="play" @click=${this.toggle}>${t(this.playbackSync.isPlaying ? "pause" : "play")}</button>
        <span class="time">${clock(this.position)} / ${clock(this.duration)}</span>
        ${this.playbackSync.isWaiting && this.playbackSync.isPlaying ? html`<span class="quiet" role="status">${t("loading")}</span>` : nothing}
        <label>${t("speed")}<select id="speed" @change=${this.changeSpeed}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === this.playbackSync.rate}>${speed}×</option>`)}
        </select></label>
      </div>
      <p class="hint quiet">${t("playerKeys")}</p>
    `;
  }

  /** The figure of one participant, or of several who followed each other. */
  private place(place: string) {
    const all = this.parts?.filter((part) => placeOf(part) === place) ?? [];
    const parts = all.filter((part) => part.kind !== "screen");
    const name = this.nameOf(all[0]);
    const isMuted = this.muted.has(place);
    const isDark = !parts.some((part) => isSeen(part, this.position));
    return html`<figure>
      ${isDark ? html`<div class="nobody" aria-hidden="true"><span>${initial(name)}</span></div>` : nothing}
      ${parts.map((part) => this.video(part, name))}
      <figcaption>
        <span>${name}</span>
        <button aria-pressed=${isMuted ? "true" : "false"} aria-label="${t("mute")} ${name}" @click=${() => this.mute(place)}>${t("mute")}</button>
      </figcaption>
    </figure>`;
  }

  private screen(parts: LibraryPart[], isShared: boolean) {
    const sharing = parts.find((part) => isSeen(part, this.position)) ?? parts[0];
    const name = `${t("screenOf")} ${this.nameOf(sharing)}`;
    return html`<figure class="screen" ?hidden=${!isShared}>
      ${parts.map((part) => this.video(part, name))}
      <figcaption><span>${name}</span></figcaption>
    </figure>`;
  }

  private video(part: LibraryPart, name: string) {
    return html`<video data-part=${part.name} playsinline preload="auto" src=${this.opened?.source(part) ?? ""} aria-label=${name}
      .muted=${this.muted.has(placeOf(part))} ?data-dark=${!isSeen(part, this.position)} @error=${this.onMediaError}></video>`;
  }

  private nameOf(part: LibraryPart | undefined): string {
    const names = part?.participants.map((id) => this.participants.find((one) => one.id === id)?.name);
    return names?.filter(Boolean).join(", ") || this.names[part?.side ?? ""] || "";
  }

  private async load(): Promise<void> {
    try {
      this.parts = (await this.opened?.parts()) ?? [];
    } catch (problem) {
      this.error = (problem as Error).message || t("loadFailed");
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!(changed as Map<string, unknown>).has("parts") || !this.parts) return;
    const players = this.parts.flatMap((part) => {
      const element = this.renderRoot.querySelector<HTMLVideoElement>(`video[data-part="${part.name}"]`);
      return element ? [{ part, element }] : [];
    });
    this.playbackSync.attach(players, this.duration);
    void this.seek(this.start);
  }

  /** Move to a position in seconds. */
  async seek(position: number): Promise<void> {
    try {
      await this.playbackSync.seek(position);
    } catch {
      this.fail();
    }
    this.show();
  }

  private readonly toggle = async (): Promise<void> => {
    if (this.playbackSync.isPlaying) return this.playbackSync.pause();
    try {
      await this.playbackSync.play();
    } catch {
      this.fail();
    }
  };

  private readonly fail = (word: Word = "cannotPlay"): void => {
    this.playbackSync.pause();
    this.error = t(word);
  };

  private readonly onMediaError = ({ target }: Event): void => {
    const { error } = target as HTMLMediaElement;
    this.fail(error?.code === MEDIA_ERR_NETWORK ? "loadFailed" : "cannotPlay");
  };

  private drag(): void {
    void this.seek(Number(this.slider.value));
  }

  private changeSpeed(event: Event): void {
    this.playbackSync.rate = Number((event.target as HTMLSelectElement).value);
  }

  private mute(place: string): void {
    const muted = new Set(this.muted);
    if (!muted.delete(place)) muted.add(place);
    this.muted = muted;
  }

  private readonly key = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0] as HTMLElement;
    const isTyping = target.matches("select, textarea, dialog *, input:not([type=range])");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && target.matches("button, a, summary")) return;
    const position = this.playbackSync.position;
    const actions: Record<string, () => void> = {
      " ": () => void this.toggle(),
      k: () => void this.toggle(),
      ArrowLeft: () => void this.seek(position - STEP),
      ArrowRight: () => void this.seek(position + STEP),
      Home: () => void this.seek(0),
      End: () => void this.seek(this.duration),
      ArrowUp: () => this.changeSpeedBy(1),
      ArrowDown: () => this.changeSpeedBy(-1),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };

  private changeSpeedBy(steps: number): void {
    const index = SPEEDS.indexOf(this.playbackSync.rate) + steps;
    this.playbackSync.rate = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))] ?? 1;
  }

  /** Show the position, and go on with each frame while it moves. */
  private show(): void {
    cancelAnimationFrame(this.frame);
    const position = this.playbackSync.position;
    if (Math.abs(position - this.position) > 0.05 || !this.playbackSync.isPlaying) {
      this.position = position;
      this.dispatchEvent(new CustomEvent("position", { detail: position }));
    }
    this.requestUpdate();
    if (this.playbackSync.isPlaying) this.frame = requestAnimationFrame(() => this.show());
  }
}

/** Key of the place of a part; parts that an earlier version made tell only the side. */
const placeOf = (part: LibraryPart): string => `${part.side} ${part.participants.join()}`;

const isSeen = (part: LibraryPart, position: number): boolean =>
  part.pictures.some(([from, to]) => from - 0.05 <= position && position < to + LINGER);

const initial = (name: string): string => name.trim().charAt(0).toUpperCase() || "?";
