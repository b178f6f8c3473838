import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en";
import { textOf } from "../shared/format";
import "../call/devices-view";
import { icon, type IconName } from "../shared/icons";
import { AudioLevel } from "../call/audio-level";
import { shared } from "../shared/styles";
import { limited } from "../shared/text";
import { Watch } from "../shared/observable";
import type { VisitorSession } from "./visitor-session";

const HEARD = 0.25;
const SILENT_AFTER = 6000;

type Hearing = "listening" | "heard" | "silent";
type Tone = "good" | "warn" | "quiet";

const HEARINGS: Record<Hearing, [Word, Tone]> = {
  listening: ["sayHello", "quiet"],
  heard: ["microphoneWorks", "good"],
  silent: ["microphoneSilent", "warn"],
};
const ICONS: Record<Tone, IconName> = { good: "good", warn: "warning", quiet: "sound" };

/** Check before a call: tests camera, microphone and connection, and says what is wrong. */
@customElement("visavis-check")
export class CheckView extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: grid; gap: 14.4px; }
      .picture { position: relative; aspect-ratio: 16 / 9; width: 100%; max-height: max(96px, 40dvh); border-radius: 12px; overflow: hidden; background: #0c1013; color: #e8ecef; display: grid; place-items: center; }
      .picture.voice { aspect-ratio: 5 / 1; }
      video { width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); display: block; }
      .picture p { margin: 0; padding: 16px; text-align: center; }
      .level { position: absolute; inset: auto 12px 12px; display: flex; gap: 8px; align-items: center; padding: 5.6px 9.6px; border-radius: 999px; background: #0009; }
      .voice .level { position: static; width: calc(100% - 24px); background: none; }
      .level span { flex: 1; height: 6px; border-radius: 3px; background: #fff3; overflow: hidden; }
      .level i { display: block; height: 100%; background: #5fd0bd; transform-origin: left; border-radius: 3px; transition: transform 0.1s linear; }
      @media (forced-colors: active) { .level span { border: 1px solid; } .level i { forced-color-adjust: none; background: Highlight; } }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 6.4px; font-size: 14.4px; }
      form { display: grid; gap: 14.4px; }
      .pair { display: grid; gap: 12px; }
      .bar { display: flex; gap: 8px; flex-wrap: wrap; }
      form .bar { position: sticky; bottom: -20px; padding: 8px 0 20px; margin-bottom: -20px; background: var(--card); }
      .bar .primary { flex: 1; }
      summary { cursor: pointer; color: var(--accent); font-size: 14.4px; border-radius: 6px; width: fit-content; }
      details[open] summary { margin-bottom: 12px; }
      h2, form p { margin: 0; }
      /* two columns: in landscape a form below the picture would begin outside the window */
      @media (min-width: 560px) and (max-height: 480px) { :host { grid-template-columns: 1fr 1fr; align-content: start; } h2 { grid-column: 1 / -1; } form { grid-area: 2 / 2 / span 3; align-content: start; } }
    `,
  ];

  @property({ attribute: false }) visitor!: VisitorSession;
  @state() private loudness = 0;
  @state() private hearing: Hearing = "listening";
  private level: AudioLevel | undefined;
  private listened: MediaStreamTrack | undefined;
  private silence = 0;
  private readonly watch = new Watch(this, () => this.visitor);
  private readonly watchOwn = new Watch(this, () => this.visitor.own);

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stopListening();
  }

  override updated(): void {
    const track = this.visitor.own?.microphone;
    if (track === this.listened) return;
    this.stopListening();
    this.listened = track;
    if (!track) return;
    this.hearing = "listening";
    this.level = new AudioLevel(track, (level) => this.hear(level));
    this.silence = window.setTimeout(() => {
      if (this.hearing === "listening" && this.level?.isMeasuring) this.hearing = "silent";
    }, SILENT_AFTER);
  }

  override render() {
    const { own, media } = this.visitor;
    return html`
      <h2 id="title" tabindex="-1">${t(media === "video" ? "videoCall" : "audioCall")}</h2>
      ${own ? this.picture() : this.asking()}
      ${own ? html`<ul aria-live="polite">${this.findings()}</ul><details><summary>${t("chooseDevices")}</summary><visavis-devices .own=${own}></visavis-devices></details>` : nothing}
      ${this.form()}
    `;
  }

  private asking() {
    const { notice, media } = this.visitor;
    if (!notice)
      return html`<div class="picture"><p role="status">${t(media === "video" ? "askingMedia" : "askingMicrophone")}</p></div>`;
    return html`<p class="line error" role="alert">${icon("warning")} ${notice}</p>
      <div class="bar">
        <button @click=${() => this.visitor.openMedia(media)}>${t("tryAgain")}</button>
        ${media === "video" ? html`<button @click=${() => this.visitor.openMedia("audio")}>${t("microphoneOnly")}</button>` : nothing}
      </div>`;
  }

  private picture() {
    const own = this.visitor.own!;
    const percent = Math.round(this.loudness * 100);
    return html`<div class="picture ${own.camera ? "" : "voice"}">
      ${own.camera ? html`<video autoplay playsinline muted aria-label=${t("yourPicture")} .srcObject=${own.stream}></video>` : nothing}
      <div class="level" role="meter" aria-label=${t("microphoneLevel")} aria-valuenow=${percent} aria-valuemin="0" aria-valuemax="100">
        ${icon("microphone", 16)}<span><i .style=${`transform: scaleX(${this.loudness})`}></i></span>
      </div>
    </div>`;
  }

  private findings() {
    const own = this.visitor.own!;
    const [heard, tone] = HEARINGS[this.hearing];
    return [
      finding(t(heard), tone),
      own.trouble ? finding(own.trouble, "warn") : own.camera ? finding(t("cameraWorks"), "good") : nothing,
      this.path(),
    ];
  }

  private path() {
    const { path } = this.visitor;
    if (path === "looking" || path === undefined) return finding(t("pathLooking"), "quiet");
    if (path === "unknown") return finding(t("pathUnknown"), "quiet");
    if (path === "blocked") return finding(t("pathBlocked"), "warn");
    const roundTrip = path.roundTrip === undefined ? "" : ` (${path.roundTrip} ms)`;
    return finding(t(path.protocol === "udp" ? "pathFree" : "pathByTcp") + roundTrip, "good");
  }

  private form() {
    const { visitor } = this;
    const { isRecorded } = visitor.availability;
    return html`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${t("yourName")}<input name="name" @input=${limited(200)} autocomplete="name" .value=${visitor.name} /></label>
        <label class="field">${t("yourEmail")}<input name="email" type="email" @input=${limited(200)} autocomplete="email" .value=${visitor.email} /></label>
      </div>
      ${
        visitor.needsAgreement
          ? html`<label class="tick"><input type="checkbox" name="agreed" required /><span>${t("agreement")}</span></label>`
          : isRecorded
            ? html`<p class="line small">${icon("record", 18)} ${t("recordedNotice")}</p>`
            : nothing
      }
      <div class="bar">
        <button class="primary" ?disabled=${!visitor.own || !visitor.isOnline}>${icon("phone")} ${t("callNow")}</button>
        <button type="button" @click=${() => visitor.hangUp()}>${t("back")}</button>
      </div>
      ${visitor.isOnline ? nothing : html`<p class="error small" role="alert">${t("lostSignaling")}</p>`}
    </form>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    this.visitor.identify(textOf(form, "name"), textOf(form, "email"));
    void this.visitor.call(form.has("agreed"));
  }

  private hear(level: number): void {
    this.loudness = level;
    if (level > HEARD) this.hearing = "heard";
  }

  private stopListening(): void {
    clearTimeout(this.silence);
    this.level?.close();
    this.level = this.listened = undefined;
  }
}

const finding = (text: string, tone: Tone) =>
  html`<li class="line ${tone}">${icon(ICONS[tone], 18)} <span>${text}</span></li>`;
