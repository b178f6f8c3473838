const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

/** A WebSocket that comes back: messages in, messages out, and whether it is open. */
export class Signaling<In, Out> {
  private socket: WebSocket | undefined;
  private pause = FIRST_PAUSE;
  private isClosed = false;
  private timer = 0;

  constructor(
    private readonly url: string,
    private readonly onMessage: (message: In) => void,
    private readonly onOpen: (isOpen: boolean) => void,
  ) {
    this.connect();
    addEventListener("online", this.hurry);
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message: Out): void {
    if (this.isOpen) this.socket!.send(JSON.stringify(message));
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.hurry);
    this.socket?.close();
  }

  private readonly hurry = (): void => {
    if (this.socket?.readyState !== WebSocket.CLOSED || this.isClosed) return;
    clearTimeout(this.timer);
    this.connect();
  };

  private connect(): void {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.pause = FIRST_PAUSE;
      this.onOpen(true);
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => this.onMessage(JSON.parse(data) as In);
    socket.onclose = () => {
      this.onOpen(false);
      if (this.isClosed) return;
      this.timer = window.setTimeout(() => this.connect(), this.pause * (0.75 + Math.random() / 2));
      this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
    };
  }
}

export const signalingUrl = (origin: string, path: string): string => origin.replace(/^http/, "ws") + path;
