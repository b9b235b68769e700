import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Parser } from "@asyncapi/parser";
import type { AsyncAPIDocumentInterface, OperationInterface } from "@asyncapi/parser";
import { Conformance } from "../support/conformance.js";

/** Severities of the parser: an error is 0, a warning 1. Behind them are hints such as an absent contact. */
const WARNING = 1;

/** Documents that tests in Rust keep up to date. */
const FOLDER = "test/asyncapi";

async function parsed(text: string): Promise<AsyncAPIDocumentInterface> {
  const { document, diagnostics } = await new Parser().parse(text);
  const found = diagnostics.filter(({ severity }) => severity <= WARNING);
  assert.deepEqual(
    found.map(({ code, message, path }) => [code, message, path.join(".")]),
    [],
  );
  assert.ok(document);
  return document;
}

/** The names of the messages that answer an operation, as the parser sees them. */
const replies = (operation: OperationInterface | undefined): string[] =>
  (operation?.reply()?.messages().all() ?? []).map((message) => message.name() ?? "");

for (const file of readdirSync(FOLDER)) {
  test(`@asyncapi/parser accepts ${file}`, async () => {
    const document = await parsed(readFileSync(`${FOLDER}/${file}`, "utf8"));
    const operations = document.operations().all();
    assert.ok(operations.length > 3);
    for (const operation of operations) {
      assert.ok(operation.messages().all().length > 0, operation.id());
      if (operation.reply()) assert.ok(replies(operation).length > 0, operation.id());
    }
  });
}

// COMPLAINTS 13
test("@asyncapi/parser sees the replies of a request", async () => {
  const document = await parsed(readFileSync(`${FOLDER}/torture.json`, "utf8"));
  assert.deepEqual(replies(document.operations().get("chat.receive.BUY")), ["BOUGHT", "$ws:rpc-progress", "RPC_ERROR"]);
});

test("@asyncapi/parser accepts the document of the conformance server", async (context) => {
  const server = await Conformance.start();
  context.after(() => server.stop());
  const response = await fetch(server.url("/asyncapi.json").replace("ws:", "http:"));
  const document = await parsed(await response.text());
  assert.deepEqual(replies(document.operations().get("ws.receive.ADD")).sort(), ["RPC_ERROR", "SUM"]);
});
