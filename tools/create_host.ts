import { createFiles } from "./host/files.ts";
import { createShell } from "./host/shell.ts";
import { createWeb } from "./host/web.ts";
import type { Clock } from "./clock.ts";
import type { Policy } from "./policy/policy.ts";
import type { Host, HostCall } from "./tool.ts";

/** Creates a factory of hosts. Each host gives one call access to files, shell and web within the policy. */
export function createHost(
  policy: Policy,
  clock: Clock,
): (call: HostCall) => Host {
  const filesFor = createFiles(policy.files);
  const shellFor = createShell(policy.shell);
  const webFor = createWeb(policy.web, { after: (ms, run) => clock.after(ms, run) });
  return ({ onSetAside, ...call }) => ({
    ...call,
    files: filesFor(call),
    shell: shellFor({ ...call, onSetAside }),
    web: webFor(call),
  });
}
