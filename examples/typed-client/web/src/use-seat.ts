import { useEffect, useRef, useState } from "react";
import { ConnectionClosedError } from "switchboard-client";
import { useConnection, useRequest } from "switchboard-client/react";
import { client } from "./client";
import { textOf } from "./errors";
import type { Poll } from "./poll.gen";

export interface Seat {
  /** The user's name, once the server has accepted it. */
  readonly name: string | null;
  /** Whether the server knows the name on the present connection. */
  readonly ready: boolean;
  readonly joining: boolean;
  readonly error: string | null;
  readonly join: (name: string) => void;
}

/** Joins the poll. The server knows people by their connections, so this joins and votes again after a reconnect. */
export function useSeat(poll: Poll | null): Seat {
  const connection = useConnection(client);
  const clientId = connection.status === "open" ? connection.clientId : undefined;
  const { run, ...request } = useRequest(client, "JOIN");
  const [wanted, setWanted] = useState<string | null>(null);
  /** The connection that last joined. */
  const [joined, setJoined] = useState<string | null>(null);
  const name = joined === null ? null : wanted;

  const vote = useRef<{ number: number; choice: number } | null>(null);
  useEffect(() => {
    if (!poll || name === null) return;
    const choice = poll.choices.findIndex(({ voters }) => voters.includes(name));
    if (choice >= 0) vote.current = { number: poll.number, choice };
  }, [poll, name]);

  useEffect(() => {
    if (wanted === null || clientId === undefined || clientId === joined) return;
    const controller = new AbortController();
    run({ name: wanted }, { signal: controller.signal }).then(
      () => {
        setJoined(clientId);
        // Fails if the poll was closed meanwhile, which its state shows.
        if (vote.current) client.request("VOTE", vote.current).catch(() => {});
      },
      (error: unknown) => {
        // The next connection tries again.
        if (controller.signal.aborted || error instanceof ConnectionClosedError) return;
        // The form appears again, with the error.
        setWanted(null);
        setJoined(null);
      },
    );
    return () => controller.abort();
  }, [wanted, clientId, joined, run]);

  return {
    name,
    ready: name !== null && clientId === joined,
    joining: wanted !== null && name === null,
    error: request.status === "failed" ? textOf("JOIN", request.error) : null,
    join: setWanted,
  };
}
