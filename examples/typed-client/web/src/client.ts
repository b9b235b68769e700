import { connect } from "switchboard-client";
import { poll } from "./poll.gen";

/** Outside of the components: one socket, which reconnects by itself. */
export const client = connect("/ws", poll);
