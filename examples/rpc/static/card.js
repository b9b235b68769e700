// A card of the page: a form that sends a request, and what becomes of it.

import { ConnectionClosedError, ServerError, StateError, TimeoutError, ValidationError } from "./client/switchboard-client.js";

/**
 * Sends a request with each submit of the card's form, one at a time.
 *
 * `run` gets the form's fields, a signal that the abort button aborts, and a function that shows progress. It returns the
 * text to show.
 *
 * @param {string} id
 * @param {(fields: any, signal: AbortSignal, show: (text: string) => void) => Promise<string>} run
 */
export function card(id, run) {
  /** @type {HTMLFormElement} */
  const form = document.querySelector(`#${id} form`);
  const [send, abort] = [document.createElement("button"), document.createElement("button")];
  const result = document.createElement("output");
  send.textContent = "Send";
  abort.textContent = "Abort";
  abort.type = "button";
  abort.hidden = true;
  form.append(send, abort);
  form.after(result);

  const show = (status, text) => {
    result.dataset.status = status;
    result.textContent = text;
    send.disabled = status === "running";
    abort.hidden = status !== "running";
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const controller = new AbortController();
    abort.onclick = () => controller.abort();
    show("running", "Running…");
    const fields = Object.fromEntries(new FormData(form));
    try {
      show("done", await run(fields, controller.signal, (text) => show("running", text)));
    } catch (error) {
      show("failed", textOf(error));
    }
  });
}

/** One line for each class of error. */
function textOf(error) {
  if (error instanceof ValidationError) {
    return error.issues.map(({ path, message }) => `${path}: ${message}`).join(", ");
  }
  if (error instanceof ServerError) return `${error.code}: ${error.message}`;
  if (error instanceof TimeoutError) return `No reply within ${error.timeoutMs} ms`;
  if (error instanceof ConnectionClosedError) {
    return error.reason === "not_sent" ? "Not sent: there is no connection" : "The connection was lost: it may have been done or not";
  }
  if (error instanceof StateError) return error.reason === "aborted" ? "Aborted" : error.message;
  throw error;
}
