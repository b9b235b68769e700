import assert from "node:assert/strict";
import type { Subscription } from "switchboard-client";
import { verdict } from "../../src/connection/close-codes.js";
import type { ChatApi } from "../support/chat.js";
import { settle } from "../support/clock.js";
import type { Harness } from "../support/harness.js";
import { harness } from "../support/harness.js";

export type Action = string | { readonly end: number };

/** A message of the client, as the model sees it. */
interface Expected {
  /** In its payload. */
  readonly name: number;
  readonly kind: "event" | "request" | "keyed";
  outcome: string;
  settled: number;
  abort?: AbortController;
}

/** What a client should do, said as simply as possible. */
export class Model {
  readonly real: Harness = harness();
  status: "connecting" | "open" | "waiting" | "closed" = "connecting";
  isDraining = false;
  /** Messages that wait, and requests that were written and have no answer, each in order. */
  queue: Expected[] = [];
  sent: Expected[] = [];
  /** What the present socket should have got, topics left out. */
  written: number[] = [];
  readonly all: Expected[] = [];
  subscription: Subscription<ChatApi, "USER_JOINED"> | undefined;
  topic: "none" | "pending" | "joining" | "joined" | "failed" | "closed" = "none";

  async act(action: Action): Promise<void> {
    const { clock, client, page, network } = this.real;
    if (typeof action === "object") {
      if (this.status === "open" || this.status === "connecting") {
        network.socket.end(action.end, "");
        const what = verdict(action.end, "");
        this.#lose(what === "terminal" || what === "credentials");
      }
    } else if (action === "send") this.#send();
    else if (action === "request") this.#request("request");
    else if (action === "request-with-key") this.#request("keyed");
    else if (action === "accept" && this.status === "connecting") this.#open();
    else if (action === "retry" && client.state.status === "waiting") {
      await clock.advance(client.state.retryInMs);
      this.status = "connecting";
    } else if (action === "timeout" && this.status === "connecting") {
      await clock.advance(10_000);
      this.#lose(false);
      await this.#late();
    } else if (action === "pass-time" && this.status === "open" && !this.isDraining) {
      await clock.advance(29_999);
      await this.#late();
    } else if (action === "wake") {
      page.online();
      if (this.status === "waiting") this.status = "connecting";
    } else if (action === "connect") {
      client.connect();
      if (this.status === "waiting" || this.status === "closed") this.status = "connecting";
    } else if (action === "close") {
      client.close();
      if (this.status !== "closed") this.#lose(true);
    } else if (action === "goaway" && this.status === "open") {
      network.socket.message("$ws:goaway", { retryInMs: 500 });
      this.isDraining = true;
    } else if (action === "leave" && this.isDraining) {
      await clock.advance(500);
      this.#lose(false);
      this.status = "connecting";
      await this.#late();
    } else if (["answer", "refuse", "abort"].includes(action)) this.#settle(action);
    else if (["subscribe", "unsubscribe", "joined", "refused"].includes(action)) await this.#topic(action);
    await settle();
  }

  async check(): Promise<void> {
    const { client, network } = this.real;
    const shown = client.state;
    assert.equal(shown.status, this.status);
    if (shown.status === "open") assert.equal(shown.draining, this.isDraining);
    assert.equal(network.live, this.status === "open" || this.status === "connecting" ? 1 : 0);
    assert.equal(client.pending.queued, this.queue.length);
    if (this.status === "open") {
      const names = network.socket.sent.filter(({ type }) => ["JOIN_ROOM", "ADD"].includes(type)).map(nameOf);
      assert.deepEqual(names, this.written);
    }
    if (this.subscription) assert.equal(this.subscription.state.status, this.topic);
    const open = new Set([...this.queue, ...this.sent]);
    for (const { kind, settled, outcome, name } of this.all) {
      const isOpen = [...open].some((other) => other.name === name);
      if (kind !== "event") assert.equal(settled, isOpen ? 0 : 1, `request ${name}: ${outcome}`);
    }
  }

  /** At the end, all is answered and nothing is left. */
  async finish(): Promise<void> {
    await this.act("close");
    await this.check();
    const { clock, page, network, client } = this.real;
    assert.deepEqual([clock.timers, page.listeners, network.live], [0, 0, 0]);
    assert.deepEqual(client.pending, { requests: 0, queued: 0 });
    const events = network.sockets.flatMap(({ sent }) => sent.filter(({ type }) => type === "JOIN_ROOM").map(nameOf));
    assert.equal(new Set(events).size, events.length, "no event is written twice");
    const dropped = this.real.errors.filter(([, { source }]) => source === "dropped").length;
    const accepted = this.all.filter(({ kind, outcome }) => kind === "event" && outcome === "accepted").length;
    assert.equal(events.length + dropped, accepted, "each event is written, or reported");
  }

  #add(kind: Expected["kind"]): Expected {
    const message = { name: this.all.length, kind, outcome: "open", settled: 0 };
    this.all.push(message);
    return message;
  }

  #take(message: Expected): void {
    if (this.status === "closed") return;
    if (this.status === "open" && !this.isDraining) this.#write(message);
    else this.queue.push(message);
  }

  #write(message: Expected): void {
    this.written.push(message.name);
    if (message.kind !== "event") this.sent.push(message);
  }

  #send(): void {
    const message = this.#add("event");
    const isTaken = this.real.client.send("JOIN_ROOM", { roomId: String(message.name) });
    assert.equal(isTaken, this.status !== "closed");
    if (isTaken) message.outcome = "accepted";
    this.#take(message);
  }

  #request(kind: "request" | "keyed"): void {
    const message = this.#add(kind);
    message.abort = new AbortController();
    const options = { signal: message.abort.signal, ...(kind === "keyed" && { idempotencyKey: `k${message.name}` }) };
    const finish = (outcome: string): void => {
      message.outcome = outcome;
      message.settled++;
    };
    const answer = this.real.client.request("ADD", { a: message.name, b: 0 }, options);
    answer.then(
      () => finish("answered"),
      (error: { reason?: string; code?: string; name: string }) => finish(error.reason ?? error.code ?? error.name),
    );
    this.#take(message);
  }

  #open(): void {
    this.real.network.socket.accept();
    this.status = "open";
    this.written = [];
    for (const message of this.queue.splice(0)) this.#write(message);
    if (this.topic === "pending") this.topic = "joining";
  }

  #lose(isTerminal: boolean): void {
    this.status = isTerminal ? "closed" : "waiting";
    this.isDraining = false;
    // Only these are repeated, before all that waits.
    const again = this.sent.filter(({ kind }) => kind === "keyed");
    this.queue = isTerminal ? [] : [...again, ...this.queue];
    this.sent = [];
    if (this.topic !== "none" && this.topic !== "closed") this.topic = isTerminal ? "closed" : "pending";
  }

  /** Time has passed: the model does not count it, and learns from the client which requests ran out of it. */
  async #late(): Promise<void> {
    await settle();
    const isOver = ({ settled, outcome }: Expected): boolean => settled === 1 && outcome === "TimeoutError";
    this.queue = this.queue.filter((message) => !isOver(message));
    this.sent = this.sent.filter((message) => !isOver(message));
  }

  #settle(action: string): void {
    const message =
      action === "abort" ? [...this.sent, ...this.queue].find(({ kind }) => kind !== "event") : this.sent[0];
    if (!message) return;
    if (action === "abort") message.abort?.abort();
    else if (this.status !== "open") return;
    else {
      const { socket } = this.real.network;
      const sent = socket.sent.find((other) => other.type === "ADD" && nameOf(other) === message.name);
      const meta = { correlationId: sent?.meta["correlationId"] };
      if (action === "answer") socket.message("SUM", { result: 0 }, meta);
      else socket.message("RPC_ERROR", { code: "SOLD_OUT", message: "" }, meta);
    }
    this.queue = this.queue.filter((other) => other !== message);
    this.sent = this.sent.filter((other) => other !== message);
  }

  async #topic(action: string): Promise<void> {
    const { client, network } = this.real;
    const isReady = this.status === "open" && !this.isDraining;
    if (action === "subscribe" && this.status !== "closed" && !this.subscription) {
      this.subscription = client.subscribe("lobby");
      this.topic = isReady ? "joining" : "pending";
    } else if (action === "unsubscribe" && this.subscription) {
      this.subscription.close();
      assert.equal(this.subscription.state.status, "closed");
      this.subscription = undefined;
      this.topic = "none";
    } else if (action === "joined" && this.topic === "joining") {
      network.socket.answer("$ws:subscribe", "$ws:subscribed");
      this.topic = "joined";
    } else if (action === "refused" && this.topic === "joining") {
      network.socket.refuse("$ws:subscribe", { code: "PERMISSION_DENIED", message: "", retryable: false });
      this.topic = "failed";
    }
    await settle();
  }
}

function nameOf({ payload }: { readonly payload?: unknown }): number {
  const { roomId, a } = payload as { roomId?: string; a?: number };
  return roomId === undefined ? (a as number) : Number(roomId);
}
