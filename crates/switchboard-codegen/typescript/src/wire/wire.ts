import type { Report, Settings } from "../options.js";
import type { Frame } from "./codec.js";
import type { Inbound } from "./envelope.js";
import { open } from "./envelope.js";

/** Writes and reads frames. */
export class Wire {
  readonly #settings: Settings;
  readonly #report: Report;

  constructor(settings: Settings, report: Report) {
    this.#settings = settings;
    this.#report = report;
  }

  /** Encodes a message with a timestamp. Codecs leave out an `undefined` payload. */
  write(type: string, meta?: object, payload?: unknown): Frame {
    const { codec, clock } = this.#settings;
    return codec.encode({ type, meta: { ...meta, timestamp: clock.now() }, payload });
  }

  /** Encodes a control message, without a timestamp. */
  control(type: string, correlationId?: string): Frame {
    return this.#settings.codec.encode({ type, meta: { correlationId } });
  }

  /** Decodes a frame. Reports malformed ones, and returns `undefined`. */
  read(frame: Frame): Inbound | undefined {
    let error: unknown = new TypeError("not a message");
    try {
      const message = open(this.#settings.codec.decode(frame));
      if (message) return message;
    } catch (cause) {
      error = cause;
    }
    this.#report(error, { source: "parse" });
    return undefined;
  }
}
