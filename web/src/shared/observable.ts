import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Something that changes and says so. */
export class Observable extends EventTarget {
  changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** Renders its host again whenever the current observable changes. */
export class Watch implements ReactiveController {
  private observable: Observable | undefined;
  private readonly update = () => this.host.requestUpdate();

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly current: () => Observable | undefined,
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

  private follow(observable: Observable | undefined): void {
    if (observable === this.observable) return;
    this.observable?.removeEventListener("change", this.update);
    this.observable = observable;
    observable?.addEventListener("change", this.update);
  }
}
