/**
 * The server's time as this page knows it: what the server said, and what has passed here since.
 *
 * The computer's own clock may be wrong or be set during a call, so it is not asked.
 */
export class ServerClock {
  private offset = Date.now() - performance.now();

  set(serverTime: string): void {
    this.offset = Date.parse(serverTime) - performance.now();
  }

  /** Seconds since a time that the server has told. */
  age(since: string): number {
    return (performance.now() + this.offset - Date.parse(since)) / 1000;
  }
}
