import { Ask } from "./components/Ask";
import { Ballot } from "./components/Ballot";
import { CloseButton } from "./components/CloseButton";
import { Connection } from "./components/Connection";
import { Join } from "./components/Join";
import { People } from "./components/People";
import { usePoll } from "./use-poll";
import { useSeat } from "./use-seat";

export function App() {
  const poll = usePoll();
  const seat = useSeat(poll);
  return (
    <>
      <header className="bar">
        <h1>Live poll</h1>
        <Connection />
      </header>
      <main>
        {poll ? (
          <>
            <section className="card" aria-labelledby="question">
              <p className="eyebrow">
                Question {poll.number}
                <span className={poll.open ? "badge open" : "badge"}>{poll.open ? "Open" : "Closed"}</span>
              </p>
              <h2 id="question">{poll.question}</h2>
              <Ballot key={poll.number} poll={poll} seat={seat} />
              {seat.ready && poll.open && <CloseButton number={poll.number} />}
            </section>
            {seat.name === null ? <Join seat={seat} /> : !poll.open && <Ask />}
            <People people={poll.people} name={seat.name} />
          </>
        ) : (
          <p className="empty">The poll appears when the server is reached.</p>
        )}
      </main>
    </>
  );
}
