const EVERY = 100; // milliseconds

/** Loudness of a microphone: calls back ten times a second with 0 to 1, until `close`. */
export class AudioLevel {
  private readonly audio = new AudioContext();
  private readonly analyser = this.audio.createAnalyser();
  private readonly samples = new Float32Array(1024);
  private readonly timer: number;

  constructor(track: MediaStreamTrack, onLevel: (level: number) => void) {
    this.analyser.fftSize = 1024;
    this.audio.createMediaStreamSource(new MediaStream([track])).connect(this.analyser);
    this.timer = window.setInterval(() => onLevel(this.measure()), EVERY);
  }

  /** Whether the level is that of the microphone: before the first click on a page a browser may measure nothing. */
  get isMeasuring(): boolean {
    return this.audio.state === "running";
  }

  close(): void {
    clearInterval(this.timer);
    void this.audio.close();
  }

  /** Loudness on a scale that is even to the ear: 0 at -60 dB, 1 at full scale. */
  private measure(): number {
    if (!this.isMeasuring && navigator.userActivation?.isActive) void this.audio.resume();
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    const decibel = 10 * Math.log10(power || 1e-12);
    return Math.min(1, Math.max(0, 1 + decibel / 60));
  }
}
