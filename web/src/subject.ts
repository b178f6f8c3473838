import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Something that changes and says so. */
export class Subject extends EventTarget {
  changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** Renders its host anew whenever the subject of the moment changes. */
export class Watch implements ReactiveController {
  private subject: Subject | undefined;
  private readonly update = () => this.host.requestUpdate();

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly current: () => Subject | undefined,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.follow(this.current());
  }

  hostUpdate(): void {
    this.follow(this.current());
  }

  hostDisconnected(): void {
    this.follow(undefined);
  }

  private follow(subject: Subject | undefined): void {
    if (subject === this.subject) return;
    this.subject?.removeEventListener("change", this.update);
    this.subject = subject;
    subject?.addEventListener("change", this.update);
  }
}
