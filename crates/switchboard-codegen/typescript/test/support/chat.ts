// What a generated file looks like.
import type { Meta, Route } from "switchboard-client";

export interface JoinRoom {
  roomId: string;
}
export interface UserJoined {
  username: string;
  userCount: number;
}
export interface ChatMessage {
  roomId: string;
  text: string;
}
export interface RoomMeta {
  roomId: string;
}
export interface Note {
  text: string;
}
export interface Add {
  a: number;
  b: number;
}
export interface Step {
  n: number;
}
export interface Sum {
  result: number;
}
export interface Confirm {
  question: string;
}
export interface Confirmed {
  yes: boolean;
}

/** What the route and its clients send each other. */
export interface ChatApi {
  send: {
    JOIN_ROOM: JoinRoom;
    NOTE: Note;
    PING: void;
  };
  receive: {
    CHAT_MESSAGE: ChatMessage;
    PONG: void;
    USER_JOINED: UserJoined;
  };
  requests: {
    ADD: { request: Add; response: Sum; progress: Step; errors: "SOLD_OUT" };
    WHOAMI: { request: void; response: UserJoined };
  };
  calls: {
    CONFIRM: { request: Confirm; response: Confirmed };
  };
  topics: {
    [topic: `room:${string}`]: "CHAT_MESSAGE" | "USER_JOINED";
    lobby: "USER_JOINED";
  };
  meta: {
    NOTE: RoomMeta;
  };
}

/** The messages of the server. */
export type ServerMessage =
  | { type: "CHAT_MESSAGE"; meta: Meta; payload: ChatMessage }
  | { type: "PONG"; meta: Meta }
  | { type: "USER_JOINED"; meta: Meta; payload: UserJoined };

/** The messages of a client. */
export type ClientMessage =
  | { type: "ADD"; meta?: Meta; payload: Add }
  | { type: "JOIN_ROOM"; meta?: Meta; payload: JoinRoom }
  | { type: "NOTE"; meta: Meta & RoomMeta; payload: Note }
  | { type: "PING"; meta?: Meta }
  | { type: "WHOAMI"; meta?: Meta };

export const chat: Route<ChatApi> = {
  path: "/ws",
  contract: "e09f3901d15e4af2",
  requests: { ADD: "SUM", WHOAMI: "USER_JOINED" },
  calls: { CONFIRM: "CONFIRMED" },
  topics: {
    "room:{id}": ["CHAT_MESSAGE", "USER_JOINED"],
    lobby: ["USER_JOINED"],
  },
};
