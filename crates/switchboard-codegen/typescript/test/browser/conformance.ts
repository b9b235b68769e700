/** The conformance server, as a page reaches it: through the site that it comes from. */
export class Conformance {
  static async start(): Promise<Conformance> {
    const server = new Conformance();
    await server.run();
    return server;
  }

  url(path = "/ws"): string {
    return `ws://${location.host}${path}`;
  }

  run(): Promise<void> {
    return this.#order("run");
  }

  kill(): Promise<void> {
    return this.#order("kill");
  }

  drain(): Promise<void> {
    return this.#order("drain");
  }

  /** The site stops it. */
  async stop(): Promise<void> {}

  async #order(name: string): Promise<void> {
    const { status } = await fetch(`/order/${name}`, { method: "POST" });
    if (status !== 200) throw new Error(`the server did not ${name}`);
  }
}
