import type { SocketConstructor, SocketLike } from "../environment.js";
import type { Frame } from "../wire/codec.js";

export interface SocketEvents {
  opened(protocol: string): void;
  received(frame: Frame): void;
  closed(code: number, reason: string): void;
}

const OPEN = 1;

/** A WebSocket. Emits no events after `drop`, even if closing takes long. */
export class Socket {
  readonly #socket: SocketLike;

  /** Throws where the runtime refuses the URL or a subprotocol. */
  constructor(constructor: SocketConstructor, url: string, protocols: string[], events: SocketEvents) {
    const socket = new constructor(url, protocols);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => events.opened(socket.protocol);
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
      events.received(typeof data === "string" ? data : new Uint8Array(data));
    socket.onclose = ({ code, reason }: { code?: number; reason?: string }) => {
      this.#detach();
      events.closed(code ?? 1006, reason ?? "");
    };
    // A close event follows. `ws` throws if an error has no listener.
    socket.onerror = () => {};
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  /** Returns whether the frame was written; `false` while the socket closes. */
  write(frame: Frame): boolean {
    if (this.#socket.readyState !== OPEN) return false;
    this.#socket.send(frame);
    return true;
  }

  drop(code: number | undefined, reason: string): void {
    this.#detach();
    try {
      this.#socket.close(code, reason);
    } catch {
      // Clients may send 1000 and 3000-4999 only.
      this.#socket.close();
    }
  }

  #detach(): void {
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
  }
}
