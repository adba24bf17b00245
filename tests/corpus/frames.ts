/** One event of a recorded stream. */
export interface Frame {
  event: string;
  data: string;
}

/**
 * Reads the events of a recorded stream, line by line, with any line ends. Comments are omitted; a line `error:`, which
 * is not a field of an event stream, is an event of that name.
 */
export function readFrames(recording: string): Frame[] {
  const frames: Frame[] = [];
  let event = "";
  let data: string[] = [];
  for (const line of [...recording.split(/\r\n|\r|\n/), ""]) {
    const [, field, value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "data") data.push(value);
    if (field === "error") frames.push({ event: "error", data: value });
    if (line !== "") continue;
    if (data.length > 0) frames.push({ event, data: data.join("\n") });
    event = "";
    data = [];
  }
  return frames;
}
