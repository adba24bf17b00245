import { markup } from "../elements/html.ts";
import type { View } from "../view.ts";

/** What runs, and what has happened in the last hour. */
export const now: View = {
  name: "",
  label: "Now",
  shortcut: "n",
  render() {
    return { title: "Now", sentence: markup`<strong>No request yet.</strong>`, parts: [] };
  },
};
