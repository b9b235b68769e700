import { useRequest } from "switchboard-client/react";
import { client } from "../client";
import { textOf } from "../errors";
import type { Poll } from "../poll.gen";
import type { Seat } from "../use-seat";

/** The choices with their votes. One's own vote is the choice that has one's name. */
export function Ballot({ poll, seat }: { poll: Poll; seat: Seat }) {
  const { run, ...vote } = useRequest(client, "VOTE");
  const { name } = seat;
  const total = poll.choices.reduce((sum, { voters }) => sum + voters.length, 0);
  const most = Math.max(...poll.choices.map(({ voters }) => voters.length));
  const error = vote.status === "failed" ? textOf("VOTE", vote.error) : null;
  return (
    <>
      <ul className="choices">
        {poll.choices.map(({ label, voters }, choice) => {
          const own = name !== null && voters.includes(name);
          const winner = !poll.open && most > 0 && voters.length === most;
          const percent = total ? Math.round((100 * voters.length) / total) : 0;
          return (
            <li key={label}>
              <button
                type="button"
                className={`choice${own ? " own" : ""}${winner ? " winner" : ""}`}
                aria-pressed={own}
                disabled={!poll.open || !seat.ready}
                // The error is shown below.
                onClick={() => run({ number: poll.number, choice }).catch(() => {})}
              >
                <span className="fill" style={{ width: `${percent}%` }} />
                <span className="label">
                  {label}
                  {own && <span className="mark">Your vote</span>}
                  {winner && <span className="mark">Most votes</span>}
                </span>
                <span className="count">
                  {voters.length} <span className="percent">{percent}%</span>
                </span>
                <span className="voters">{voters.length ? voters.join(", ") : "No votes"}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
    </>
  );
}
