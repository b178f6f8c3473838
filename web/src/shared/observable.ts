import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Object that fires `change` whenever its state has changed. */
export class Observable extends EventTarget {
  changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** Controller that renders its component again whenever the observable fires `change`. */
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
