// All paths lead here, see vercel.json. Settings are environment variables of the project.
import worker from "openrouter-anthropic-server/worker";

export default { fetch: (request) => worker.fetch(request) };
