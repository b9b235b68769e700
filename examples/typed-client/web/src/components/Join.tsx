import { useState } from "react";
import type { Seat } from "../use-seat";

export function Join({ seat }: { seat: Seat }) {
  const [name, setName] = useState("");
  return (
    <form
      className="card"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) seat.join(name.trim());
      }}
    >
      <label htmlFor="name">Join to vote</label>
      <div className="row">
        <input
          id="name"
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={20}
          placeholder="Your name"
          autoComplete="nickname"
          aria-describedby={seat.error ? "join-error" : undefined}
          required
        />
        <button type="submit" className="primary" disabled={seat.joining}>
          {seat.joining ? "Joining…" : "Join"}
        </button>
      </div>
      {seat.error && (
        <p className="error" id="join-error" role="alert">
          {seat.error}
        </p>
      )}
    </form>
  );
}
