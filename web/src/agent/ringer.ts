const EVERY = 2000;

/**
 * Ringing tone of two notes. Browsers allow no sound before the first click or key on the page.
 *
 * Until then no tone is scheduled: a suspended context would keep them all and play them at once.
 */
export class Ringer {
  private timer = 0;
  private audio: AudioContext | undefined;
  private output: GainNode | undefined;

  ring(isRinging: boolean): void {
    if (isRinging === this.timer > 0) return;
    clearInterval(this.timer);
    this.timer = isRinging ? window.setInterval(() => this.chime([660, 880]), EVERY) : 0;
    if (isRinging) this.chime([660, 880]);
    else this.silence();
  }

  /** Play a single tone, for an agent who is in a call. */
  knock(): void {
    this.chime([520]);
  }

  private chime(pitches: number[]): void {
    if (!("AudioContext" in window)) return;
    const audio = (this.audio ??= new AudioContext());
    if (audio.state !== "running") {
      void audio.resume().catch(() => undefined);
      return;
    }
    this.output ??= connected(audio);
    pitches.forEach((pitch, index) => tone(audio, this.output!, pitch, index * 0.25));
  }

  /** Cut off the tone that is playing. */
  private silence(): void {
    this.output?.disconnect();
    this.output = undefined;
  }
}

const connected = (audio: AudioContext): GainNode => {
  const output = audio.createGain();
  output.connect(audio.destination);
  return output;
};

const tone = (audio: AudioContext, output: AudioNode, pitch: number, delay: number): void => {
  const [oscillator, volume] = [audio.createOscillator(), audio.createGain()];
  const at = audio.currentTime + delay;
  oscillator.frequency.value = pitch;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.15, at + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
  oscillator.connect(volume).connect(output);
  oscillator.start(at);
  oscillator.stop(at + 0.5);
};
