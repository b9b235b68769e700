import { useRequest } from "switchboard-client/react";
import { client } from "../client";
import { textOf } from "../errors";

/** Closes the poll: a request with progress, which may be aborted. */
export function CloseButton({ number }: { number: number }) {
  const { run, abort, ...closing } = useRequest(client, "CLOSE_POLL");
  const error = closing.status === "failed" ? textOf("CLOSE_POLL", closing.error) : null;
  return (
    <div className="row end">
      {closing.status === "running" ? (
        <>
          <span role="status">Closes in {closing.progress?.secondsLeft ?? "…"} s</span>
          <button type="button" onClick={abort}>
            Keep it open
          </button>
        </>
      ) : (
        <button type="button" onClick={() => run({ number }).catch(() => {})}>
          Close the poll
        </button>
      )}
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
