/**
 * Clock of the server: the time that the server has told, plus the time that has passed since.
 *
 * The computer's own clock may be wrong, or be set during a call, so it is not used.
 */
export class ServerClock {
  private offset = Date.now() - performance.now();

  set(serverTime: string): void {
    this.offset = Date.parse(serverTime) - performance.now();
  }

  /** Return the seconds since a time of the server. */
  age(since: string): number {
    return (performance.now() + this.offset - Date.parse(since)) / 1000;
  }
}
