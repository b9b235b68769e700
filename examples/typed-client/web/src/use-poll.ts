import { useCallback, useEffect, useRef, useState } from "react";
import { useTopic } from "switchboard-client/react";
import { client } from "./client";
import type { Poll } from "./poll.gen";

/** The state of the poll: first the response to a request, then the messages of the topic. */
export function usePoll(): Poll | null {
  const [poll, setPoll] = useState<Poll | null>(null);
  const newest = useRef(-1);
  // A message may overtake the response.
  const update = useCallback((next: Poll) => {
    if (next.version < newest.current) return;
    newest.current = next.version;
    setPoll(next);
  }, []);
  const { status } = useTopic(client, "poll", (message) => update(message.payload));

  useEffect(() => {
    // When the topic is joined, so that no change is missed in between; again after each reconnect.
    if (status !== "joined") return;
    const controller = new AbortController();
    // A lost connection is shown elsewhere, and the topic is joined again after it.
    client.request("GET_POLL", undefined, { signal: controller.signal }).then(update, () => {});
    return () => {
      controller.abort();
      // A restarted server counts from 0.
      newest.current = -1;
    };
  }, [status, update]);
  return poll;
}
