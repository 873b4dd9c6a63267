// Lists: panels that close, pickers in filters, and the way from record to record in the order of the list.
import "./folds.js";
import "./pickers.js";
import { keep } from "./order.js";
import { start as choosing } from "./choosing.js";

const lines = () => [...document.querySelectorAll("table.list a.whole")].map((link) => link.getAttribute("href"));

keep(lines());
document.body.addEventListener("htmx:afterSettle", () => keep(lines()));
choosing();
