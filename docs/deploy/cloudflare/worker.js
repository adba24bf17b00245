export { default } from "openrouter-anthropic-server/worker";
