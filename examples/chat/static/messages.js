// What a message of the server must look like: a page that trusts its server still meets an older or a newer one.

const text = (value) => typeof value === "string" || "must be text";
const count = (value) => (Number.isInteger(value) && value >= 0) || "must be a count";
const flag = (value) => typeof value === "boolean" || "must be true or false";
const time = (value) => Number.isFinite(value) || "must be a time";

function object(shape) {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "must be an object";
    for (const [key, check] of Object.entries(shape)) {
      const verdict = check(value[key]);
      // What is wrong inside names its own key.
      if (verdict !== true) return verdict.startsWith("must") ? `${key} ${verdict}` : `${key}.${verdict}`;
    }
    return true;
  };
}

function list(check) {
  return (value) => {
    if (!Array.isArray(value)) return "must be a list";
    return value.map(check).find((verdict) => verdict !== true) ?? true;
  };
}

const optional = (check) => (value) => value === undefined || check(value);

const chatMessage = {
  messageId: text, roomId: text, userId: text, username: text, text, timestamp: time,
  attachment: optional(object({ type: text, url: text, name: optional(text) })),
};
const arrival = { roomId: text, userId: text, username: text, userCount: count };

const shapes = {
  WELCOME: object({ message: text, clientId: text, username: text }),
  ROOM_LIST: object({ rooms: list(object({ id: text, name: text, userCount: count })) }),
  AUTH_SUCCESS: object({ userId: text, username: text }),
  JOIN_SUCCESS: object({ roomId: text, userCount: count }),
  ROOM_CREATED: object({ roomId: text, name: text }),
  HISTORY: object({ roomId: text, messages: list(object(chatMessage)) }),
  "ROOM:USERS": object({ room: text, count, users: list(object({ userId: text, username: text })) }),
  USER_JOINED: object(arrival),
  USER_LEFT: object(arrival),
  USER_DISCONNECTED: object({ userCount: count }),
  CHAT_MESSAGE: object(chatMessage),
  DIRECT_MESSAGE: object({ messageId: text, toUserId: text, userId: text, username: text, text, timestamp: time }),
  USER_TYPING: object({ roomId: text, userId: text, username: text, typing: flag }),
};

/** What is wrong with a message of the server, as the client's option `validate` says it. */
export function validate(type, payload, direction) {
  // Types that this page does not know are ignored anyway.
  if (direction !== "receive" || !Object.hasOwn(shapes, type)) return undefined;
  const verdict = shapes[type](payload);
  return verdict === true ? undefined : [{ path: "", code: "shape", message: verdict }];
}
