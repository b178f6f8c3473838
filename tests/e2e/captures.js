// Keeps account of what a page holds for a call, for tests/e2e/call_end.py: captured tracks, connections, tones.
(() => {
  const held = { tracks: [], connections: [], tones: new Set() };

  // a fake microphone has no echo, and the browser's search for it takes a quarter of a call's processor time
  const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const unprocessed = ({ audio, ...others }) => (audio ? { ...others, audio: { ...PLAIN, ...Object(audio) } } : others);

  // a quarter of the pixels is encoded and decoded in a quarter of the processor time
  const SMALLER = { getUserMedia: { width: 320, height: 180 }, getDisplayMedia: { width: 640, height: 360 } };
  const smaller = (method, { video, ...others }) =>
    video && !window.isWhole ? { ...others, video: { ...Object(video), ...SMALLER[method] } } : { ...others, video };

  const { mediaDevices } = navigator;
  for (const method of mediaDevices ? ["getUserMedia", "getDisplayMedia"] : []) {
    let real = mediaDevices[method]?.bind(mediaDevices);
    const capture = async (constraints) => {
      const wanted = smaller(method, constraints);
      const stream = await real(method === "getUserMedia" ? unprocessed(wanted) : wanted);
      held.tracks.push(...stream.getTracks());
      return stream;
    };
    // a test may put its own camera in place of the browser's
    Object.defineProperty(mediaDevices, method, {
      configurable: true,
      get: () => capture,
      set: (replacement) => (real = replacement),
    });
  }

  const { clone } = MediaStreamTrack.prototype;
  MediaStreamTrack.prototype.clone = function () {
    const copy = clone.call(this);
    if (held.tracks.includes(this)) held.tracks.push(copy);
    return copy;
  };

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super(configuration);
      held.connections.push(this);
    }
  };

  const { start } = AudioScheduledSourceNode.prototype;
  AudioScheduledSourceNode.prototype.start = function (...when) {
    if (this.context !== window.microphone) {
      held.tones.add(this);
      this.addEventListener("ended", () => held.tones.delete(this));
    }
    start.apply(this, when);
  };

  window.heldForCalls = () => [
    ...held.tracks.filter((track) => track.readyState === "live").map(({ kind, label }) => `live ${kind} "${label}"`),
    ...held.connections.filter((one) => one.signalingState !== "closed").map(() => "open connection"),
    ...[...held.tones].filter(({ context }) => context.state === "running").map(() => "tone"),
  ];
})();
