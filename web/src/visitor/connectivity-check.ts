const PATIENCE = 8000;

/** Result of the connectivity check; `unknown` if the server could not be asked. */
export type ConnectivityResult =
  "looking" | "blocked" | "unknown" | { protocol: string; roundTrip: number | undefined };

/**
 * Test the connection to the media worker with a real transport that carries no media.
 *
 * `ask` sends an offer to the server and resolves to its answer, which is empty if the server has none.
 * Once `signal` is aborted, the connection is closed and the result is `unknown`.
 */
export const probe = async (
  ask: (offer: string) => Promise<string>,
  iceServers: RTCIceServer[],
  signal: AbortSignal,
): Promise<ConnectivityResult> => {
  const connection = new RTCPeerConnection({
    bundlePolicy: "max-bundle",
    rtcpMuxPolicy: "require",
    iceServers,
  });
  const aborted = new Promise<undefined>((resolve) =>
    signal.addEventListener("abort", () => resolve(undefined)),
  );
  try {
    connection.addTransceiver("audio", { direction: "inactive" });
    await connection.setLocalDescription();
    const sdp = await Promise.race([ask(connection.localDescription!.sdp), after(PATIENCE, ""), aborted]);
    if (!sdp) return "unknown";
    await connection.setRemoteDescription({ type: "answer", sdp });
    const isConnected = await Promise.race([connected(connection), after(PATIENCE, false), aborted]);
    if (isConnected === undefined) return "unknown";
    return isConnected ? await found(connection) : "blocked";
  } finally {
    connection.close();
  }
};

const after = <T>(milliseconds: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), milliseconds));

const connected = (connection: RTCPeerConnection): Promise<boolean> =>
  new Promise((resolve) => {
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === "connected") resolve(true);
      if (connection.connectionState === "failed") resolve(false);
    };
  });

const found = async (connection: RTCPeerConnection): Promise<ConnectivityResult> => {
  // Firefox never answers some requests for statistics of a connection that has just been established.
  const report = await Promise.race([connection.getStats(), after(PATIENCE, undefined)]);
  if (!report) return "unknown";
  const all = [...report.values()] as Record<string, unknown>[];
  const transport = all.find((one) => one.type === "transport");
  const pair = all.find(
    (one) => one.id === transport?.selectedCandidatePairId || (one.type === "candidate-pair" && one.selected),
  );
  const local = all.find((one) => one.id === pair?.localCandidateId);
  const seconds = pair?.currentRoundTripTime as number | undefined;
  return {
    protocol: (local?.relayProtocol ?? local?.protocol ?? "udp") as string,
    roundTrip: seconds === undefined ? undefined : Math.round(seconds * 1000),
  };
};
