import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect as dial, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createInterface } from "node:readline";

/** The conformance server behind an address that stays, however often it is killed. */
export class Conformance {
  readonly #proxy: Server;
  readonly #sockets = new Set<Socket>();
  #process: ChildProcess | undefined;
  #port = 0;

  static async start(): Promise<Conformance> {
    const server = new Conformance();
    server.#proxy.listen(0, "127.0.0.1");
    await once(server.#proxy, "listening");
    await server.run();
    return server;
  }

  private constructor() {
    this.#proxy = createServer((near) => {
      const far = dial(this.#port, "127.0.0.1");
      near.pipe(far).pipe(near);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  url(path = "/ws"): string {
    return `ws://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}${path}`;
  }

  /** Starts the program on a port that it chooses. */
  async run(): Promise<void> {
    const program = process.env["SWITCHBOARD_CONFORMANCE"];
    if (!program) throw new Error("SWITCHBOARD_CONFORMANCE is not set: see the script `test`");
    this.#process = spawn(program, { env: { ...process.env, PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(this.#process.stdout!), "line")) as [string];
    this.#port = Number(/:(\d+)$/.exec(line)?.[1]);
  }

  get isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#process!, "exit");
    this.#process!.kill("SIGKILL");
    await ended;
  }

  /** Closes all connections as planned, then ends. */
  async drain(): Promise<void> {
    const ended = once(this.#process!, "exit");
    const body = { method: "POST", headers: { "content-type": "application/json" }, body: '{"seconds":0}' };
    await fetch(this.url("/drain").replace("ws:", "http:"), body);
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    for (const socket of this.#sockets) socket.destroy();
    this.#proxy.close();
    await once(this.#proxy, "close");
  }
}
