/** Average characters of a token, for text without a reported count. */
export const CHARS_PER_TOKEN = 4;
