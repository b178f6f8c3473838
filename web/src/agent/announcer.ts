import { t } from "../shared/i18n/en-pages";
import type { Ring } from "../generated/signaling";
import { Ringer } from "./ringer";

const EVERY = 1000;

/** Makes an agent notice that it rings: by sound, in the title, and where they allow it, on the desktop. */
export class Announcer {
  private readonly ringer = new Ringer();
  private readonly shown = new Map<string, Notification>();
  private blinking = 0;

  constructor(private readonly title: string) {}

  /** Whether the browser would have to be asked. */
  static get mayAsk(): boolean {
    return Announcer.canNotify && Notification.permission === "default";
  }

  /** On Android only a service worker may notify: the constructor is there and throws (TypeError). */
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

  /** Let an agent who is in a call hear that another caller waits. */
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

/** The notification, which is an extra: the card rings without it. */
const notificationOf = (ring: Ring): Notification | undefined => {
  const body = t(ring.media === "video" ? "videoCall" : "audioCall");
  try {
    return new Notification(callerOf(ring), { body, tag: ring.callId, requireInteraction: true });
  } catch {
    return undefined;
  }
};
