// Logs what a page sends and receives in its calls, for tests/e2e/oracle.py.
//
// Levels are sampled by analysers, whose buffers hold two seconds: a page that is busy for less loses
// nothing. Times come from the clock of the audio thread, tied to the wall clock at every poll.
(() => {
  const POLL_MS = 150;
  const RATE = 16000;
  const BIN = RATE / 100;
  const WINDOW = 32768;
  const STORED = "reception-log";

  const log = { opened: Date.now(), heard: [], sent: [], frames: [], polls: [], errors: [] };
  // a reload or another page of the same tab goes on with the log
  const earlier = JSON.parse(sessionStorage.getItem(STORED) ?? "[]");
  window.receptionLogs = [...earlier, log];
  addEventListener("pagehide", () => {
    if (log.polls.length) sessionStorage.setItem(STORED, JSON.stringify(window.receptionLogs));
  });

  const { AudioContext, MediaStream, MediaStreamTrackProcessor } = window;
  let context;

  /** The level of some tracks, every 10 ms. */
  class Meter {
    constructor(rows) {
      this.rows = rows;
      this.sources = new Map();
      this.analyser = new AnalyserNode(context, { fftSize: WINDOW });
      this.samples = new Float32Array(WINDOW);
      this.last = Math.ceil(context.currentTime * 100);
    }

    follow(tracks) {
      for (const track of tracks) {
        if (this.sources.has(track)) continue;
        const source = context.createMediaStreamSource(new MediaStream([track]));
        source.connect(this.analyser);
        this.sources.set(track, source);
      }
      for (const [track, source] of this.sources) {
        if (tracks.includes(track)) continue;
        source.disconnect();
        this.sources.delete(track);
      }
    }

    read() {
      const at = Date.now();
      const clock = context.currentTime;
      this.analyser.getFloatTimeDomainData(this.samples);
      const end = Math.round(clock * RATE);
      const first = Math.max(this.last, Math.ceil((end - WINDOW) / BIN));
      const levels = [];
      for (let bin = first; (bin + 1) * BIN <= end; bin++) {
        const start = WINDOW - end + bin * BIN;
        let energy = 0;
        for (let i = start; i < start + BIN; i++) energy += this.samples[i] ** 2;
        levels.push(Math.round(1000 * Math.sqrt(energy / BIN)));
      }
      if (levels.length) this.rows.push([at, clock, first, levels]);
      this.last = first + levels.length;
    }
  }

  let heard, sent;
  const watched = new Set();
  const kept = [];

  const watch = async (track) => {
    watched.add(track);
    const number = watched.size;
    const note = (timestamp) => log.frames.push([Date.now(), timestamp ?? -1, number]);
    if (MediaStreamTrackProcessor) {
      // of a clone: the page's own track is left alone
      const { readable } = new MediaStreamTrackProcessor({ track: track.clone(), maxBufferSize: 30 });
      const reader = readable.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        note(value.metadata().rtpTimestamp);
        value.close();
      }
    }
    const video = Object.assign(document.createElement("video"), { muted: true });
    video.srcObject = new MediaStream([track]);
    const see = (_, { rtpTimestamp }) => {
      note(rtpTimestamp);
      video.requestVideoFrameCallback(see);
    };
    video.requestVideoFrameCallback(see);
    kept.push(video);
    await video.play();
  };

  const poll = async () => {
    const connection = window.visavis?.peerConnection ?? window.visavisConsole?.peerConnection;
    const isOpen = connection && connection.signalingState !== "closed";
    if (isOpen && !context) {
      context = new AudioContext({ sampleRate: RATE });
      void context.resume();
      [heard, sent] = [new Meter(log.heard), new Meter(log.sent)];
    }
    if (!context) return;
    const live = (ends, kind) =>
      (isOpen ? ends : []).map((end) => end.track).filter((t) => t?.kind === kind && t.readyState === "live");
    heard.follow(live(connection?.getReceivers(), "audio"));
    sent.follow(live(connection?.getSenders(), "audio"));
    heard.read();
    sent.read();
    if (!isOpen) return;
    for (const track of live(connection.getReceivers(), "video"))
      if (!watched.has(track))
        watch(track).catch((error) => {
          // a track that was replaced while its first picture was awaited
          if (error.name === "AbortError") watched.delete(track);
          else log.errors.push(`${error}`);
        });
    // Firefox does not always answer while a connection begins
    const late = new Promise((resolve) => setTimeout(resolve, 10 * POLL_MS, []));
    const stats = await Promise.race([connection.getStats(), late]);
    const report = [...stats.values()].filter((s) => s.type === "inbound-rtp");
    if (!report.length) return;
    log.polls.push(
      report.map((s) => [
        s.kind, s.id, s.timestamp, s.framesDecoded ?? 0, s.jitterBufferDelay ?? 0, s.jitterBufferEmittedCount ?? 0,
      ]),
    );
  };

  const run = async () => {
    await poll().catch((error) => log.errors.push(`${error}`));
    setTimeout(run, POLL_MS);
  };
  void run();
})();
