import { t } from "./catalogue";
import type { Ring } from "./protocol";
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
    return "Notification" in window && Notification.permission === "default";
  }

  static async ask(): Promise<void> {
    await Notification.requestPermission();
  }

  /** What rings now; nothing ends it all. */
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
    const isWanted = "Notification" in window && Notification.permission === "granted" && document.hidden;
    if (!isWanted || this.shown.has(ring.callId)) return;
    const body = t(ring.media === "video" ? "videoCall" : "audioCall");
    const notification = new Notification(callerOf(ring), {
      body,
      tag: ring.callId,
      requireInteraction: true,
    });
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
    this.shown.set(ring.callId, notification);
  }
}

const callerOf = (ring: Ring): string => `${t("callFrom")} ${ring.visitorName || t("aVisitor")}`;
