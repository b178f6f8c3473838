const EVERY = 2000;

/** A gentle two-tone ring. Browsers keep it silent until the agent has touched the page once. */
export class Ringer {
  private timer = 0;
  private audio: AudioContext | undefined;

  ring(isRinging: boolean): void {
    if (isRinging === this.timer > 0) return;
    clearInterval(this.timer);
    this.timer = isRinging ? window.setInterval(() => this.chime(), EVERY) : 0;
    if (isRinging) this.chime();
  }

  private chime(): void {
    this.audio ??= new AudioContext();
    [660, 880].forEach((pitch, index) => this.tone(this.audio!, pitch, index * 0.25));
  }

  private tone(audio: AudioContext, pitch: number, delay: number): void {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    const at = audio.currentTime + delay;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.15, at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.5);
  }
}
