import type { Hello } from "./connection/state.js";
import type { StateError } from "./errors.js";
import type { Report, Settings } from "./options.js";
import type { Queued } from "./queue.js";
import type { Frame } from "./wire/codec.js";
import type { Wire } from "./wire/wire.js";

/** State and functions that the parts of a client share. */
export interface Core {
  readonly settings: Settings;
  readonly wire: Wire;
  readonly report: Report;
  /** Reports what a listener threw. */
  readonly thrown: (error: unknown) => void;
  /** Whether new messages are written now: the connection is open and the server stays. */
  readonly ready: boolean;
  /** What the server said when the connection opened; `undefined` in the plain dialect. */
  readonly hello: Hello | undefined;
  /** Writes a message, or queues it. Returns why it was not taken. */
  submit(item: Queued): StateError | undefined;
  /** Writes to the present connection, or not at all. */
  write(frame: Frame): boolean;
  /** Takes a message out of the queue. */
  forget(item: Queued): void;
}
