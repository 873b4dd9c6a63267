// Entry of every page. Pages work without it; it adds the palette, notes that pass, and calm forms.
import { start as forms } from "./forms.js";
import { start as live } from "./live.js";
import { start as palette } from "./palette.js";
import { start as toasts } from "./toast.js";

forms();
live();
palette();
toasts();
if (document.querySelector("form[data-passkey]")) import("./passkeys.js").then((module) => module.start());
