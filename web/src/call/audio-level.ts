const EVERY = 100;

/** Hears how loud a microphone is: calls back ten times a second with 0 to 1. Stop it by `close`. */
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

  close(): void {
    clearInterval(this.timer);
    void this.audio.close();
  }

  /** Loudness on a scale that looks even to the ear: 0 at -60 dB, 1 at full. */
  private measure(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0) / this.samples.length;
    const decibel = 10 * Math.log10(power || 1e-12);
    return Math.min(1, Math.max(0, 1 + decibel / 60));
  }
}
