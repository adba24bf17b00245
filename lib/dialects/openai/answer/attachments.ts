import { asText, isObject, type JsonObject } from "../../../base/json.ts";
import { textKey } from "../../../base/hash/text_key.ts";
import type { ChatDelta } from "./chunk.ts";

/**
 * Converts images, sound and other parts of an answer to text, because Anthropic's answers cannot hold them: the words
 * of the sound, a link, or a note in their place.
 */
export class AttachmentReader {
  /** Images that have a note. Hosts may repeat them. */
  readonly #seen = new Set<string>();
  #audio: "none" | "bytes" | "words" = "none";

  /** Returns the text for the images, the video and the sound of a delta. */
  push({ images, audio, video }: ChatDelta): string {
    // Most deltas have none of them.
    if (images === undefined && audio === undefined && video === undefined) return "";
    const list = Array.isArray(images) ? images.filter(isObject) : [];
    const notes = list.filter((image) => this.#isNew(image)).map((image) => onItsOwnLines(imageNote(image)));
    const clips = isObject(video) && this.#isNew(video) ? onItsOwnLines(videoNote(video)) : "";
    return notes.join("") + clips + this.#words(audio);
  }

  /** Returns the text of a part of the content that is neither text nor thinking. */
  part(part: JsonObject): string {
    const { type, text, refusal } = part;
    if (typeof text === "string") return text;
    if (typeof refusal === "string") return refusal;
    // Mistral's mark of the sources that it used.
    if (type === "reference" && Array.isArray(part.reference_ids)) {
      return `[${part.reference_ids.join(", ")}]`;
    }
    if (urlOf(part) !== undefined || /image/.test(String(type))) return onItsOwnLines(imageNote(part));
    if (/audio/.test(String(type))) {
      return this.#words(
        isObject(part.audio) ? part.audio : isObject(part.input_audio) ? part.input_audio : part,
      );
    }
    return onItsOwnLines(omission(`a part of type "${String(type).slice(0, 64)}"`));
  }

  /** Ends the answer. Returns a note if there was sound without words. */
  end(): string {
    const note = this.#audio === "bytes" ? onItsOwnLines(omission("sound")) : "";
    this.#audio = "none";
    return note;
  }

  #isNew(image: JsonObject): boolean {
    const key = textKey(asText(urlOf(image)));
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  /** Returns the words of a sound, which arrive in pieces, as the sound does. */
  #words(audio: unknown): string {
    if (!isObject(audio)) return "";
    const { transcript, data, url } = audio;
    if (typeof transcript === "string" && transcript !== "") {
      this.#audio = "words";
      return transcript;
    }
    // Snowflake sends an empty sound with each text.
    if (this.#audio === "none" && (isNonEmpty(data) || isNonEmpty(url))) this.#audio = "bytes";
    return "";
  }
}

function isNonEmpty(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/** Returns the address of an image, wherever hosts put it. */
function urlOf({ image_url, url, b64_json, inline_data, inlineData }: JsonObject): string | undefined {
  const inline = inline_data ?? inlineData;
  const address = isObject(inline)
    ? `data:${inline.mime_type ?? inline.mimeType};base64,${inline.data}`
    : isObject(image_url)
    ? image_url.url
    : image_url ?? url ?? b64_json;
  return typeof address === "string" && address !== "" ? address : undefined;
}

function imageNote(image: JsonObject): string {
  const url = urlOf(image) ?? "";
  if (/^https?:/i.test(url)) return `![Image](${url})`;
  const [, mediaType = "unknown format", data = ""] = /^data:([^;,]*)[^,]*,(.*)$/s.exec(url) ?? [];
  return omission(`an image (${mediaType}, about ${Math.ceil((data || url).length * 3 / 4 / 1024)} KiB)`);
}

function videoNote(video: JsonObject): string {
  const url = urlOf(video) ?? "";
  return /^https?:/i.test(url) ? `[Video](${url})` : omission("a video");
}

function omission(what: string): string {
  return `[The model returned ${what}, which this API cannot carry]`;
}

function onItsOwnLines(note: string): string {
  return `\n\n${note}\n\n`;
}
