// The tests against the server, in a page. Posts their results to the site.
import "../server/plain.test.js";
import "../server/route.test.js";
import "../server/topics.test.js";
import "../server/restarts.test.js";
import { runAll } from "./node-test.js";

const post = (results: unknown): Promise<unknown> =>
  fetch("/order/finish", { method: "POST", body: JSON.stringify(results) });

runAll().then(post, (error: unknown) => post([["the suite", String(error)]]));
