// One party of a call, in either way; `now` is the same clock in every page of this machine.
const now = () => performance.timeOrigin + performance.now();
let media, socket, connection, callId, offered, seen, frame, called;
let waiting = [];

const within = (promise, what) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what}`)), 15_000))]);
const until = (type) => within(new Promise((resolve) => waiting.push({ type, resolve })), type);
const send = (message) => socket.send(JSON.stringify(message));

const openMedia = async () => {
  media ??= await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
};

const enter = (url, trickles) =>
  new Promise((resolve, reject) => {
    socket?.close();
    socket = new WebSocket(url);
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no socket at ${url}`));
    socket.onmessage = ({ data }) => void hear(JSON.parse(data), trickles);
  });

const connect = (trickles) => {
  seen = {};
  connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
  for (const track of media.getTracks()) connection.addTrack(track, media);
  connection.oniceconnectionstatechange = () => (seen[`ice ${connection.iceConnectionState}`] ??= now());
  connection.onconnectionstatechange = () => (seen[connection.connectionState] ??= now());
  if (trickles) connection.onicecandidate = ({ candidate }) => candidate && send({ type: "candidate", candidate });
  frame = new Promise((resolve) => {
    connection.ontrack = async ({ track }) => {
      if (track.kind !== "video") return;
      const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
      const { value } = await reader.read();
      seen.frame = now();
      value.close();
      reader.releaseLock();
      resolve();
    };
  });
};

const gathered = () =>
  new Promise((resolve) => {
    const look = () => connection.iceGatheringState === "complete" && resolve();
    connection.onicegatheringstatechange = look;
    look();
  });

// The offer is made before it rings, as the widget does it: who accepts need not wait for it.
const call = async () => {
  connect(false);
  await connection.setLocalDescription();
  await gathered();
  send({ type: "call", media: "video", offer: connection.localDescription.sdp, name: "", agreed: true });
};

const accept = () => {
  seen = undefined;
  called = now();
  send({ type: "accept", callId });
};

const answer = async (message, trickles) => {
  connect(trickles);
  seen.offer = now();
  await connection.setRemoteDescription({ type: "offer", sdp: message.sdp });
  await connection.setLocalDescription();
  seen["answer made"] = now();
  send({ type: "answer", callId, link: message.link, sdp: connection.localDescription.sdp });
  for (const early of offered.splice(0)) await connection.addIceCandidate(early);
};

const hear = async (message, trickles) => {
  if (message.type === "ring" || message.type === "calling") callId = message.callId;
  if (message.type === "ring") offered = [];
  if (message.type === "offer") await answer(message, trickles);
  if (message.type === "provisionalAnswer") {
    await connection.setRemoteDescription({ type: "pranswer", sdp: message.sdp });
  }
  if (message.type === "answer") {
    seen.answer = now();
    await connection.setRemoteDescription({ type: "answer", sdp: message.sdp });
  }
  if (message.type === "candidate") await connection.addIceCandidate(message.candidate);
  waiting = waiting.filter(({ type, resolve }) => type !== message.type || resolve(message));
};

// When what was seen, in milliseconds of `now`, once there is a decoded frame.
const times = async () => {
  while (!seen) await new Promise((resolve) => setTimeout(resolve, 5));
  await within(frame, "frame");
  return { called, ...seen };
};

const hangUp = () => send({ type: "hangUp", callId });
const leave = () => connection.close();
