import { useEffect, useState } from "react";
import type { ConnectionState } from "switchboard-client";
import { useConnection } from "switchboard-client/react";
import { client } from "../client";

/** What the connection does. Below the bar there is a notice while it is lost. */
export function Connection() {
  const state = useConnection(client);
  const { tone, text } = describe(state);
  return (
    <>
      <span className={`pill ${tone}`} role="status">
        {text}
      </span>
      {state.status === "waiting" && <Retry key={state.attempt} attempt={state.attempt} retryInMs={state.retryInMs} />}
      {state.status === "closed" && (
        <div className="notice" role="alert">
          <span>The connection has ended{state.message && `: ${state.message}`}.</span>
          <button type="button" onClick={() => client.connect()}>
            Connect
          </button>
        </div>
      )}
    </>
  );
}

function Retry({ attempt, retryInMs }: { attempt: number; retryInMs: number }) {
  const [secondsLeft, setSecondsLeft] = useState(Math.ceil(retryInMs / 1000));
  useEffect(() => {
    const timer = setInterval(() => setSecondsLeft((left) => Math.max(left - 1, 0)), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="notice" role="alert">
      <span>
        The connection was lost. Attempt {attempt} follows {secondsLeft > 0 ? `in ${secondsLeft} s` : "now"}.
      </span>
    </div>
  );
}

function describe(state: ConnectionState): { tone: string; text: string } {
  switch (state.status) {
    case "open":
      return state.draining ? { tone: "busy", text: "Changing servers" } : { tone: "good", text: "Connected" };
    case "idle":
    case "connecting":
      return { tone: "busy", text: "Connecting" };
    case "waiting":
      return { tone: "busy", text: "Reconnecting" };
    case "closed":
      return { tone: "bad", text: "Disconnected" };
  }
}
