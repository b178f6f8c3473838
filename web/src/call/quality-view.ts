import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en";
import type { Quality } from "../generated/signaling";
import { shared } from "../shared/styles";

const GRADES: [number, Word, number][] = [
  [4, "networkGood", 4],
  [3.6, "networkFair", 3],
  [3, "networkWeak", 2],
  [0, "networkBad", 1],
];

/** Connection quality of this page as bars and a word, with the figures on demand. */
@customElement("visavis-quality")
export class QualityView extends LitElement {
  static override styles = [
    shared,
    css`
      :host { position: relative; display: block; }
      button { min-height: 0; padding: 4.8px 9.6px; border: 0; background: #0009; color: #fff; font-size: 12.8px; }
      button[aria-expanded="true"] { background: #000d; color: #fff; }
      .bars { display: inline-flex; gap: 2px; align-items: flex-end; height: 14.4px; }
      .bars i { width: 4px; height: 100%; background: #fff5; border-radius: 1px; }
      .bars i:nth-child(1) { height: 25%; } .bars i:nth-child(2) { height: 50%; } .bars i:nth-child(3) { height: 75%; }
      .bars i.on { background: #7fd99a; }
      .bars.weak i.on { background: #ffc46b; }
      @media (forced-colors: active) { .bars i { forced-color-adjust: none; border: 1px solid; background: none; } .bars i.on { background: currentColor !important; } }
      dl { position: absolute; right: 0; top: 33.6px; z-index: 3; margin: 0; padding: 9.6px 12.8px; border-radius: 10px; background: #000d; color: #fff; font-size: 12.8px; display: grid; grid-template-columns: auto auto; gap: 3.2px 16px; white-space: nowrap; }
      dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
    `,
  ];

  @property({ attribute: false }) quality: Quality | undefined;
  @state() private isOpen = false;

  override render() {
    const [word, bars] = grade(this.quality);
    return html`
      <button aria-expanded=${this.isOpen} aria-controls="figures" @click=${() => (this.isOpen = !this.isOpen)} @keydown=${this.onKey}>
        <span class="bars ${bars < 3 ? "weak" : ""}">${[1, 2, 3, 4].map((n) => html`<i class=${n <= bars ? "on" : ""}></i>`)}</span>
        <span><span class="unseen">${t("network")}: </span>${t(word)}</span>
      </button>
      <dl id="figures" ?hidden=${!this.isOpen}>${this.quality ? figures(this.quality) : html`<dt>${t("networkUnknown")}</dt>`}</dl>
    `;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !this.isOpen) return;
    event.stopPropagation();
    this.isOpen = false;
  }
}

const grade = (quality: Quality | undefined): [Word, number] => {
  const { mos } = quality ?? { mos: null };
  if (mos === null) return ["networkUnknown", 0];
  const [, word, bars] = GRADES.find(([least]) => mos >= least)!;
  return [word, bars];
};

const figures = ({ mos, loss, jitter, roundTrip }: Quality) => html`
  <dt>${t("loss")}</dt><dd>${(loss * 100).toFixed(1)} %</dd>
  <dt>${t("jitter")}</dt><dd>${jitter.toFixed(0)} ms</dd>
  ${roundTrip === null ? nothing : html`<dt>${t("roundTrip")}</dt><dd>${roundTrip.toFixed(0)} ms</dd>`}
  ${mos === null ? nothing : html`<dt>${t("voiceQuality")}</dt><dd>${mos.toFixed(1)} / 4.5</dd>`}
`;
