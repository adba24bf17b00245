import { attributes, type Html, markup } from "./elements/html.ts";
import { icon } from "./elements/icons.ts";
import { command } from "./elements/words.ts";
import { renderShell, type Theme } from "./layout.ts";

/** Why a viewer has to sign in, beside not having done so yet. */
export type SignInFault = "wrong_key" | "ended";

/** Renders the form that asks for the admin key; without such a key, how to set one. `next` is the view to go to. */
export function renderSignIn(
  { host, theme, fault, hasAdmin, next }: {
    host: string;
    theme: Theme;
    fault?: SignInFault | undefined;
    hasAdmin: boolean;
    next: string;
  },
): Html {
  const alert = fault &&
    markup`<p class="fault" role="alert" id="fault">${icon("cross")}<span>${FAULTS[fault]}</span></p>`;
  return renderShell(
    { title: "Sign in", theme, alone: true },
    markup`<main id="main" tabindex="-1">
<section class="panel pad stack" aria-labelledby="sign-in">
<div><h1 id="sign-in">Gateway</h1><p class="muted">${host}</p></div>
${alert}
${hasAdmin ? renderForm(fault, next) : WITHOUT_ADMIN}
</section>
</main>`,
  );
}

const FAULTS: Record<SignInFault, string> = {
  wrong_key: "That is not the admin key.",
  ended: "The session has ended. Sign in again.",
};

function renderForm(fault: SignInFault | undefined, next: string): Html {
  const describing = attributes({
    "aria-describedby": fault === undefined ? "hint" : "fault hint",
    "aria-invalid": fault === "wrong_key" && "true",
  });
  return markup`<form class="form" method="post" action="sign-in">
<input type="hidden" name="next" value="${next}">
<input name="username" value="operator" autocomplete="username" hidden>
<label for="key">Admin key</label>
<input id="key" name="key" type="password" autocomplete="current-password" spellcheck="false" required${describing}>
<button class="primary" type="submit">Sign in</button>
</form>
<p class="hint" id="hint">The value of <code>GATEWAY_ADMIN_KEY</code>; client keys do not work here. The session lasts 8 hours.</p>`;
}

const WITHOUT_ADMIN =
  markup`<p>This gateway has client keys, but no admin key. To open this page, set one and start the gateway again:</p>
${command("GATEWAY_ADMIN_KEY=…", "the setting")}`;
