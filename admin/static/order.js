// The order of the list or board that a record was opened from, so that its page leads to the one before and after.

const KEY = "maille:order";

export function keep(addresses) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ from: location.pathname + location.search, addresses }));
  } catch {
    // Without storage there is no before and after.
  }
}

/** The addresses before and after this page's, and the list they come from. */
export function around(address) {
  try {
    const { from, addresses } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    const at = addresses?.indexOf(address) ?? -1;
    return at < 0 ? {} : { from, before: addresses[at - 1], after: addresses[at + 1] };
  } catch {
    return {};
  }
}
