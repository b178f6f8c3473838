import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en";
import type { DeviceKind, LocalMedia } from "./local-media";
import { shared } from "../shared/styles";
import { Watch } from "../shared/observable";

const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

/** Selection of microphone, camera and loudspeaker; a change takes effect at once. */
@customElement("visavis-devices")
export class DevicesView extends LitElement {
  static override styles = [shared, css`:host { display: grid; gap: 12px; }`];

  @property({ attribute: false }) own!: LocalMedia;
  @state() private devices: Partial<Record<DeviceKind, MediaDeviceInfo[]>> = {};
  private readonly watch = new Watch(this, () => this.own);
  private readonly relist = () => void this.list();

  override connectedCallback(): void {
    super.connectedCallback();
    navigator.mediaDevices.addEventListener("devicechange", this.relist);
    this.relist();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    navigator.mediaDevices.removeEventListener("devicechange", this.relist);
  }

  override render() {
    return [
      this.choice("microphone"),
      this.own.camera ? this.choice("camera") : nothing,
      canChooseSpeaker ? this.choice("speaker") : nothing,
    ];
  }

  private choice(kind: DeviceKind) {
    const devices = this.devices[kind] ?? [];
    if (!devices.length) return nothing;
    const inUse = this.own.inUse(kind);
    const option = (
      device: MediaDeviceInfo,
      index: number,
    ) => html`<option value=${device.deviceId} ?selected=${device.deviceId === inUse}>
      ${device.label || `${t(kind)} ${index + 1}`}
    </option>`;
    const choose = (event: Event) => this.own.choose(kind, (event.target as HTMLSelectElement).value);
    return html`<div class="field"><label for=${kind}>${t(kind)}</label>
      <select id=${kind} @change=${choose}>${devices.map(option)}</select></div>`;
  }

  private async list(): Promise<void> {
    const kinds: DeviceKind[] = ["microphone", "camera", "speaker"];
    const lists = await Promise.all(kinds.map(async (kind) => [kind, await this.own.list(kind)] as const));
    this.devices = Object.fromEntries(lists);
  }
}
