const EVERY = 2000;

/**
 * A gentle two-tone ring. Browsers keep it silent until the agent has touched the page once.
 *
 * Nothing is scheduled while they do: a suspended context keeps every tone and plays them all at once.
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

  /** One tone only, for an agent who is talking. */
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

  /** Cut off what is still sounding. */
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
