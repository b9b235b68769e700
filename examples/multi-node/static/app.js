// The wiring: keeps what is known, turns server messages into state and user actions into messages.

import * as composer from "./composer.js";
import { client, isOpen, isTemporary } from "./connection.js";
import * as log from "./log.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { claimToken, newId, stored } from "./storage.js";
import { TypingNotice, Typists } from "./typing.js";
import * as view from "./view.js";
import { $ } from "./view.js";

const RETRY_MS = 1_000;
const MAX_SEEN = 2_000; // Message ids that are remembered.
const MAX_GREETED = 20; // In larger rooms, newcomers learn names from what people say.

/** @typedef {import("./client/rooms.js").RoomsApi} RoomsApi */

// ---- state ------------------------------------------------------------------------------------

let token = "";
let me = { userId: "", name: stored.get("name") ?? "" };
let node = ""; // The node of this connection, once it has said so.
let link = "up"; // The state of its link to the broker.
let lost = null; // While there is no connection: {at, node}.

let rooms = [];
let wanted = stored.get("room") ?? "lobby"; // The room to be in, also after a reconnect.
let entered = ""; // The room that the node has confirmed on this connection.
let attempt = 0; // Counts ENTERs, so that a late answer is known as such.

const seen = new Set(); // Ids of the messages that are shown; one that was sent again is shown once.
const people = new People(drawPeople);
const typists = new Typists(() => view.showTyping(typists.names));
const typing = new TypingNotice((isTyping) => {
  if (isOpen() && entered) client.send("TYPING", { typing: isTyping });
});
const outbox = new Outbox({
  send: ({ id, roomId, text }) => client.request("SAY", { messageId: id, roomId, text }),
  canSend: ({ roomId }) => isOpen() && entered === roomId,
  onChange: drawOutbox,
});

const isOwn = (userId) => userId === me.userId;
const ownConnection = () => client.state.status === "open" ? client.state.clientId : undefined;
const room = () => rooms.find(({ id }) => id === wanted);

// ---- entering ---------------------------------------------------------------------------------

async function enter() {
  if (!isOpen() || !node) return;
  const [roomId, number] = [wanted, ++attempt];
  try {
    const { me: member } = await client.request("ENTER", { token, name: me.name, roomId });
    if (number !== attempt) return;
    me = { userId: member.userId, name: member.name };
    entered = roomId;
    view.showMe(me);
    people.heard(member);
    if (lost) tellReturn();
    outbox.entered(roomId);
  } catch (thrown) {
    if (number !== attempt) return;
    const error = /** @type {any} */ (thrown);
    if (!isTemporary(error)) view.toast(error.message);
    // Without the broker a room cannot be entered; the state of the connection says so.
    else if (isOpen()) setTimeout(() => { if (number === attempt) enter(); }, error.retryAfterMs ?? RETRY_MS);
  }
  drawRoom();
}

function go(roomId) {
  view.setDrawer(false);
  if (roomId === wanted) return;
  typing.stop();
  wanted = roomId;
  entered = "";
  stored.set("room", roomId);
  log.clear();
  people.clear();
  typists.clear();
  drawOutbox();
  drawRoom();
  enter();
}

function tellLoss(state) {
  if (lost || !node) return;
  lost = { at: Date.now(), node };
  log.addLine("notice", ...state.draining ? [{ node }, " sends its clients to other nodes."] : ["The connection to ", { node }, " is lost."]);
}

function tellReturn() {
  const seconds = Math.max(1, Math.round((Date.now() - lost.at) / 1000));
  const again = lost.node === node ? ", again" : "";
  log.addLine("notice", "Back through ", { node }, `${again} after ${seconds} s. Messages may be missing: what was said meanwhile is kept nowhere.`);
  lost = null;
}

// ---- drawing ----------------------------------------------------------------------------------

function status() {
  const { members = 0, membersHere = 0 } = room() ?? {};
  if (!isOpen()) return "Not connected";
  if (!entered) return link === "up" ? "Entering…" : "Waiting for the broker…";
  return `${members} on all nodes, ${membersHere} on this one`;
}

function drawRoom() {
  view.showRoom(room()?.name ?? wanted, status());
  view.showRooms(rooms, wanted, (roomId) => {
    go(roomId);
    // A mouse user goes on writing; on a touch screen this would only raise the keyboard.
    if (window.matchMedia("(pointer: fine)").matches) composer.focus();
  });
  drawComposer();
}

function drawPeople() {
  view.showPeople(people.list, isOwn);
}

function drawOutbox() {
  log.showOutbox(outbox.of(wanted), me, { onRetry: (item) => outbox.retry(item), onDiscard: (item) => outbox.remove(item.id) });
}

function drawComposer() {
  composer.draw(isOpen() && entered && link !== "down" ? "" : "Write a message to be sent later");
}

// ---- what the server says ---------------------------------------------------------------------

function counted(list) {
  rooms = list;
  people.counted(room()?.members ?? 0);
  drawRoom();
}

const LINKS = {
  up: " has its link to the others again.",
  doubtful: " hears none of the others.",
  down: " has lost the broker: nothing reaches anybody for now.",
};

function linkChanged(now) {
  if (now === link) return;
  link = now;
  log.addLine("notice", "Your node ", { node }, LINKS[link] ?? ` says that its link is ${link}.`);
  view.showConnection(client.state, node, link);
  drawRoom();
}

/** Somebody was heard in a room. Returns what was known before, or null if it is not the room that is shown. */
function heard(roomId, member) {
  if (roomId !== wanted) return null;
  return { before: people.heard(member) };
}

client.on("WELCOME", (welcome) => {
  node = welcome.node;
  link = welcome.link;
  counted(welcome.rooms);
  view.showConnection(client.state, node, link);
  if (link === "down") log.addLine("notice", "Your node ", { node }, LINKS.down);
  enter();
});

client.on("ROOMS", ({ rooms: list }) => counted(list));
client.on("LINK", ({ link: now }) => linkChanged(now));

client.on("JOINED", ({ roomId, member }) => {
  const known = heard(roomId, member);
  // The own one comes before the answer to ENTER, which tells who this page is.
  if (!known || isOwn(member.userId) || member.connection === ownConnection()) return;
  const { before } = known;
  if (before?.connection === member.connection) {
    if (before.name !== member.name) log.addLine("system", `${before.name} is now called ${member.name}`);
    return;
  }
  log.addLine("system", `${member.name} ${before ? "is back" : "joined"} through `, { node: member.node });
  if (isOpen() && (room()?.members ?? 0) <= MAX_GREETED) client.send("GREET", { userId: member.userId });
});

client.on("HERE", ({ roomId, member }) => heard(roomId, member));

client.on("LEFT", ({ roomId, member }) => {
  if (roomId !== wanted || isOwn(member.userId) || !people.left(member)) return;
  typists.remove(member.userId);
  log.addLine("system", `${member.name} left `, { node: member.node });
});

client.on("MESSAGE", ({ roomId, member, ...message }) => {
  if (isOwn(member.userId)) outbox.remove(message.messageId);
  if (!heard(roomId, member) || seen.has(message.messageId)) return;
  seen.add(message.messageId);
  if (seen.size > MAX_SEEN) seen.delete(seen.values().next().value);
  typists.remove(member.userId);
  log.addMessage(member, message, isOwn(member.userId));
});

client.on("MEMBER_TYPING", ({ roomId, member, typing: isTyping }) => {
  if (!heard(roomId, member) || isOwn(member.userId)) return;
  if (isTyping) typists.add(member.userId, member.name);
  else typists.remove(member.userId);
});

const GAPS = {
  broker: " was without the broker for a while",
  loss: " did not get all that others sent",
  overflow: " got more than it could take",
};

client.onGap(({ topic, reason }) => {
  if (topic !== `room:${wanted}`) return;
  const why = GAPS[reason] ?? " found this page too slow";
  log.addLine("notice", "Messages may be missing: ", { node }, `${why} (reason: ${reason}).`);
});

client.onState((state) => {
  const isUsable = state.status === "open" && !state.draining;
  if (!isUsable) {
    tellLoss(state);
    entered = "";
    attempt += 1;
    node = "";
    typing.forget();
    typists.clear();
  }
  view.showConnection(state, node, link);
  drawRoom();
});

// ---- what the user does -----------------------------------------------------------------------

composer.init({
  onSubmit: () => {
    const text = composer.text();
    if (!composer.isValid(text)) return;
    composer.clear();
    typing.stop();
    outbox.add(wanted, text);
    drawComposer();
    log.scrollToBottom();
    composer.focus();
  },
  onInput: () => {
    if (composer.text() === "") typing.stop();
    else typing.noticed();
    drawComposer();
  },
  onBlur: () => typing.stop(),
});
$("reconnect").addEventListener("click", () => client.connect());
window.addEventListener("beforeunload", (event) => {
  if (!outbox.isEmpty) event.preventDefault();
});

log.init();
view.init();
view.initNameDialog(() => me.name, (name) => {
  me = { ...me, name };
  stored.set("name", name);
  view.showMe(me);
  enter();
});
token = await claimToken();
// A duplicated tab is another person.
me.name = stored.get("name") ?? `Guest ${newId().slice(0, 4)}`;
stored.set("name", me.name);
view.showMe(me);
drawRoom();
client.connect();
