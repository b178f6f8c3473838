// Synchronised playback of a recording's parts: the others follow the longest one.

import { Observable } from "../shared/observable";
import type { LibraryPart } from "../generated/rest";

const MUCH = 0.3; // seconds: above this difference a part is moved at once, below it is made up by its speed
const LITTLE = 0.012; // seconds: a smaller difference is ignored
const GAIN = 3; // change of speed per second of difference
const MOST_GAIN = 0.3;
const TICK = 100; // milliseconds
const STALLED = 8000; // milliseconds after which playback goes on without a part that does not load

type Player = { part: LibraryPart; element: HTMLMediaElement };

/** Plays several media elements on the timeline of their recording. */
export class PlaybackSync extends Observable {
  private players: Player[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  private duration = 0;
  private speed = 1;
  private wanted = 0;
  private turn = 0;
  private stalledAt = 0;
  isPlaying = false;
  isWaiting = false;

  /** Control these elements; `duration` is that of the recording in seconds. */
  attach(players: Player[], duration: number): void {
    this.release();
    this.duration = duration;
    this.players = [...players].sort((one, other) => length(other.part) - length(one.part));
    for (const { element } of this.players) element.defaultPlaybackRate = element.playbackRate = this.speed;
  }

  release(): void {
    this.pause();
    this.players = [];
  }

  /** Seconds from the beginning of the recording. */
  get position(): number {
    const [leader] = this.players;
    if (!leader || !this.isPlaying || this.isWaiting) return this.wanted;
    return Math.min(this.duration, leader.part.begins + leader.element.currentTime);
  }

  get rate(): number {
    return this.speed;
  }

  set rate(rate: number) {
    this.speed = rate;
    for (const { element } of this.players) element.playbackRate = rate;
    this.changed();
  }

  async play(): Promise<void> {
    if (this.position >= this.duration - 0.1) this.wanted = 0;
    this.isPlaying = true;
    await this.begin();
  }

  pause(): void {
    if (this.isPlaying) this.wanted = this.position;
    this.isPlaying = this.isWaiting = false;
    this.turn++;
    clearInterval(this.timer);
    for (const { element } of this.players) element.pause();
    this.changed();
  }

  async seek(position: number): Promise<void> {
    this.wanted = Math.min(Math.max(0, position), this.duration);
    if (this.isPlaying) return this.begin();
    const turn = ++this.turn;
    this.changed();
    await this.gather(turn);
  }

  /** Move every part to the wanted position, then start them all at the same time. */
  private async begin(): Promise<void> {
    const turn = ++this.turn;
    this.isWaiting = true;
    this.changed();
    clearInterval(this.timer);
    for (const { element } of this.players) element.pause();
    await this.gather(turn);
    if (turn !== this.turn) return;
    const sounding = this.players.filter((player) => this.isOn(player, this.wanted));
    await Promise.all(sounding.map(({ element }) => element.play()));
    if (turn !== this.turn) return;
    this.isWaiting = false;
    this.timer = setInterval(() => this.tick(), TICK);
    this.changed();
  }

  private async gather(turn: number): Promise<void> {
    await Promise.all(
      this.players.map(async (player) => {
        if (!this.isOn(player, this.wanted)) return;
        player.element.playbackRate = this.speed;
        player.element.currentTime = this.wanted - player.part.begins;
        await ready(player.element, () => turn !== this.turn);
      }),
    );
  }

  private tick(): void {
    const [leader, ...others] = this.players;
    if (!leader) return;
    if (leader.element.ended || this.position >= this.duration) return this.finish();
    if (this.players.some((player) => this.isStarving(player))) return this.wait();
    this.stalledAt = 0;
    const position = this.position;
    for (const player of others) this.hold(player, position);
    this.changed();
  }

  /** Pause all parts until the one that has run out of data has more. */
  private wait(): void {
    this.stalledAt ||= performance.now();
    if (performance.now() - this.stalledAt > STALLED) return;
    this.wanted = this.position;
    void this.begin().catch(() => this.pause());
  }

  private hold({ part, element }: Player, position: number): void {
    const target = position - part.begins;
    if (!this.isOn({ part, element }, position)) return element.pause();
    if (element.paused) {
      element.currentTime = target;
      void element.play().catch(() => undefined);
      return;
    }
    if (element.seeking) return;
    const ahead = element.currentTime - target;
    if (Math.abs(ahead) > MUCH) element.currentTime = target;
    const nudge = Math.abs(ahead) < LITTLE ? 0 : Math.min(MOST_GAIN, Math.max(-MOST_GAIN, ahead * GAIN));
    const rate = this.speed * (1 - nudge);
    if (element.playbackRate !== rate) element.playbackRate = rate;
  }

  private finish(): void {
    this.wanted = this.duration;
    this.isPlaying = false;
    this.pause();
  }

  private isOn({ part }: Player, position: number): boolean {
    return part.begins <= position && position < part.ends;
  }

  private isStarving({ part, element }: Player): boolean {
    return (
      !element.ended &&
      !element.paused &&
      element.readyState < HTMLMediaElement.HAVE_FUTURE_DATA &&
      this.position < part.ends - 0.5
    );
  }
}

const length = (part: LibraryPart): number => part.ends - part.begins;

/** Resolve when the element can play at once, or when waiting is of no use. */
const ready = (element: HTMLMediaElement, isOver: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const until = performance.now() + STALLED;
    const look = () => {
      const isReady = !element.seeking && element.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
      if (isReady || element.error || isOver() || performance.now() > until) return resolve();
      setTimeout(look, 15);
    };
    look();
  });
