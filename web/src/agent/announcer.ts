import { t } from "../shared/i18n/en-pages";
import type { Ring } from "../generated/signaling";
import { Ringer } from "./ringer";

const EVERY = 1000;

/** Announces ringing calls: by sound, in the page's title and, if the agent allows it, by desktop notifications. */
export class Announcer {
  private readonly ringer = new Ringer();
  private readonly shown = new Map<string, Notification>();
  private blinking = 0;

  constructor(private readonly title: string) {}

  /** Whether the agent has not decided yet about notifications. */
  static get mayAsk(): boolean {
    return Announcer.canNotify && Notification.permission === "default";
  }

  /** False on Android after a first attempt: there only a service worker may notify, and the constructor throws. */
  private static canNotify = "Notification" in window;

  static async ask(): Promise<void> {
    await Notification.requestPermission();
  }

  /** Show the calls that ring now; an empty list ends every notification. */
  announce(rings: Ring[]): void {
    this.ringer.ring(rings.length > 0);
    this.entitle(rings[0]);
    for (const ring of rings) this.notify(ring);
    const ringing = new Set(rings.map(({ callId }) => callId));
    for (const [callId, notification] of this.shown) {
      if (ringing.has(callId)) continue;
      notification.close();
      this.shown.delete(callId);
    }
  }

  /** Play one tone for an agent in a call: another caller is waiting. */
  knock(): void {
    this.ringer.knock();
  }

  private entitle(ring: Ring | undefined): void {
    clearInterval(this.blinking);
    document.title = this.title;
    if (!ring) return;
    const ringing = `☎ ${callerOf(ring)}`;
    document.title = ringing;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.blinking = window.setInterval(() => {
      document.title = document.title === ringing ? this.title : ringing;
    }, EVERY);
  }

  private notify(ring: Ring): void {
    const isWanted = Announcer.canNotify && Notification.permission === "granted" && document.hidden;
    if (!isWanted || this.shown.has(ring.callId)) return;
    const notification = notificationOf(ring);
    if (!notification) {
      Announcer.canNotify = false;
      return;
    }
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
    this.shown.set(ring.callId, notification);
  }
}

const callerOf = (ring: Ring): string => `${t("callFrom")} ${ring.visitorName || t("aVisitor")}`;

/** Show a notification, or return undefined if the browser does not let a page do so. */
const notificationOf = (ring: Ring): Notification | undefined => {
  const body = t(ring.media === "video" ? "videoCall" : "audioCall");
  try {
    return new Notification(callerOf(ring), { body, tag: ring.callId, requireInteraction: true });
  } catch {
    return undefined;
  }
};
