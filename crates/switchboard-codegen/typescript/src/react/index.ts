export { useConnection } from "./use-connection.js";
export { useMessage } from "./use-message.js";
export { useRequest } from "./use-request.js";
export type { RequestStatus, UseRequest } from "./use-request.js";
export { useTopic } from "./use-topic.js";
