import { useState } from "react";
import { useRequest } from "switchboard-client/react";
import { client } from "../client";
import { textOf } from "../errors";

/** The next question. The server checks it, so the page does not repeat its rules. */
export function Ask() {
  const { run, ...ask } = useRequest(client, "ASK");
  const [question, setQuestion] = useState("");
  const [choices, setChoices] = useState("");
  const error = ask.status === "failed" ? textOf("ASK", ask.error) : null;
  const lines = choices.split("\n").map((line) => line.trim());
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        run({ question: question.trim(), choices: lines.filter((line) => line !== "") }).catch(() => {});
      }}
    >
      <h2>Ask the next question</h2>
      <label htmlFor="ask">Question</label>
      <input id="ask" value={question} onChange={(event) => setQuestion(event.target.value)} maxLength={120} required />
      <label htmlFor="choices">Choices, one a line (2 to 6)</label>
      <textarea
        id="choices"
        rows={4}
        value={choices}
        onChange={(event) => setChoices(event.target.value)}
        placeholder={"Tea\nCoffee"}
        required
      />
      {error && (
        <p className="error" role="alert">
          {error}
        </p>
      )}
      <div className="row end">
        <button type="submit" className="primary" disabled={ask.status === "running"}>
          Ask
        </button>
      </div>
    </form>
  );
}
